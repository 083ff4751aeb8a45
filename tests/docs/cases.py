"""A slip for each message of the checker beside those of tests/ivr/language/slips.py, with what to do about it.

Each is a small file, or a small flow with one step in it; what is said of it stands in docs/messages.md.
"""

from dataclasses import dataclass

# ruff: noqa: E501


@dataclass(frozen=True)
class Case:
    kind: str  # of file
    text: str
    remedy: str
    says: str = ""  # a part of the message that is meant, where there are several


def step(body, remedy, says="", *, head='number: "1"\nlanguages: [cmn, en]\nstart: a\n'):
    """A flow with one step that is wrong."""
    return Case("flow", f"{head}steps:\n  a: {body}\n  end: {{hangup: {{}}}}\n", remedy, says)


def said(text, remedy, says=""):
    return step(f'{{say: {{cmn: "{text}", en: "x"}}, next: end}}', remedy, says)


def queue(body, remedy, says=""):
    return Case("queues", f"service: {{{body}}}\n", remedy, says)


def query(sql, remedy, says="", *, returns="returns: [number]", name="orders"):
    return Case("queries", f"{name}:\n  sql: {sql}\n  {returns}\n", remedy, says)


def calendar(body, remedy, says=""):
    return Case("calendars", f"office: {{{body}}}\n", remedy, says)


def scenario(steps, remedy, says="", *, more=""):
    return Case("scenarios", f"- name: a call\n{more}  steps: [{steps}]\n", remedy, says)


OPEN = 'zone: Asia/Shanghai, open: {mon-fri: "09:00-18:00"}'

FILES = [
    Case("flow", "a: 1\n---\nb: 2\n", "Keep one hotline in one file; remove the line `---`."),
    Case("flow", "a: [1, 2\nb: 3\n", "Close the bracket that was opened.", "closing ]"),
    Case("flow", "a: {b: 1\nc: 2\n", "Close the brace that was opened.", "closing }"),
    Case("flow", 'a: "one\n', "Close the quote."),
    Case("flow", 'a: "one\nb: "two"\n', "Write the quote that is missing at the end of the line."),
    Case("flow", 'a: one"\nb: two\n', "Write the quote that is missing before the text.", "never opened"),
    Case("flow", 'a: a 5" pipe\n', "Put the text in quotes of the other kind.", "lone"),
    Case("flow", 'a: “one”, "two\n', "Write the sign of an English keyboard.", "“"),
    Case("flow", "a:\n  b: c\n\u3000\u3000d: e\n", "Delete the blanks at the line's beginning and write spaces.", "another kind"),
    Case("flow", "a:\n  b:\n    c: d\n   e: f\n", "Indent the line like those that it belongs to."),
    Case("flow", "a: {b:c, d: e}\n", "Write a space behind the colon."),
    Case("flow", 'a: "one\\down"\n', "Write single quotes, in which a backslash is a backslash."),
    Case("flow", "a:\n\tb: 1\n", "Replace the tab by spaces."),
    Case("flow", "a: b\n    c: d\n", "Check the colon of the line above and the indentation of this one."),
    Case("flow", "a: b: c\n", "Put a text with a colon in quotes."),
    Case("flow", "a: 1\nb\nc: d\n", "Write the colon, and what belongs behind it."),
    step('{say: welcome, next: ende}\n  b: {goto: ende}\n  c: {goto: ende}', "Correct the name in all these lines, or that of the step.", "as well"),
    Case("flow", 'number: "1"\nlanguages: cmn, en\nstart: a\nsteps:\n  a: {hangup: {}}\n', "Write brackets around several."),
    Case("flow", "a:b\nc: d\n", "Write a space behind the colon."),
    Case("flow", "// the start\na: b\n", "Begin the line with #."),
    Case("flow", "a: *b\n", "Put the text in quotes.", "alias"),
    Case("flow", "a: &b c\n", "Put the text in quotes.", "anchor"),
    Case("flow", "a: !b c\n", "Put the text in quotes.", "tag"),
    Case("flow", "a: * b\n", "Put the text in quotes."),
    Case("flow", "a: & b\n", "Put the text in quotes."),
    Case("flow", "a: @b\n", "Put the text in quotes."),
    Case("flow", "a: |x\n  y\n", "Put the text in quotes."),
    Case("flow", "a: b\n]\n", "Look for a bracket or an indentation that does not belong here.", "does not fit"),
    Case("flow", "a: {\"x\": [}\n", "Look at the signs around this place."),
    Case("flow", "a:\n  -\tb: c\n", "Replace the tab by a space."),
    Case("flow", "keys:\n  #: agent\n", "Put the key in quotes.", "key #"),
    Case("flow", "keys: {#: agent}\n", "Put the key in quotes."),
    Case("flow", "digits: {end: #, between: 3s}\n", "Put the sign in quotes."),
    Case("flow", "start：welcome\nsteps: {}\n", "Write the sign of an English keyboard."),
    Case("flow", "? [a]\n: b\n", "Name things by words."),
    Case("flow", "a: \u0000b\n", "Delete the character; it was probably pasted."),
    Case("flow", "x: " + "[" * 40 + "\n", "Nothing in these files is nested so deeply; a bracket is not closed."),
    Case("flow", "".join(f"k{n}: v\n" for n in range(20_001)), "Divide the file; flows may call one another."),
    Case("flow", "x: " + "y" * 1_000_001 + "\n", "Divide the file; flows may call one another."),
    Case("flow", "- a\n", "Begin the file with what every flow has."),
    Case("flow", 'number: "1"\nlanguages: [cmn]\nstart: a\n', "Write the steps below `steps:`."),
    Case("flow", 'number: "1"\nlanguages: [cmn]\nstart: a\nsteps: {}\n', "Write the steps below `steps:`."),
    Case("flow", "steps:\n" + "".join(f"  s{n}: {{goto: x{n}}}\n" for n in range(200)), "Mend the first ones; the others often follow from them.", "more problems"),
]  # fmt: skip

VALUES = [
    step('{voicemail: {box: service, longest: 2h}, next: end}', "Write a time within the bounds."),
    step("hangup", "Write braces around the verb."),
    step("queue", "Write braces around the verb, and what it needs."),
    step('{voicemail: [service], next: end}', "Write the verb's words, each with its value."),
    step('{say: welcome, next: {a: b}}', "Write the name of a step.", "name of a step"),
    step('{menu: {say: {a: [x]}, options: {"1": end}}, otherwise: end}', "Write one text for each language."),
    step('{menu: {say: welcome, options: {}}, otherwise: end}', "Give the menu at least one key."),
    step('{menu: {say: welcome, options: [end]}, otherwise: end}', "Write the keys with their steps: `{\"1\": orders}`."),
    step('{http: {url: "https://example.com/", method: fetch}, next: end, failed: end}', "Write one of the words that are possible."),
    step('{collect: {say: ask-order-number, into: now}, next: end, otherwise: end}', "Give the variable a name of its own."),
    step('{say: {say: "x", en: {x: y}}, next: end}', "Write one text.", "one text"),
    step('{lookup: {query: {a: b}, with: {number: "1"}}, found: end, missing: end, failed: end}', "Write one word.", "stand here"),
    step('{goto: end, next: end}', "A verb that leads on by itself has no exits.", "It has none"),
    Case("flow", 'number: "1"\nlanguages: [cmn]\nstart: a\ntakes: [x]\nsteps:\n  a: {hangup: {}}\n', "Remove the number, or what it takes."),
    step('{lookup: {query: order_by_number, with: {number: "1"}}, found: end, missing: end}', "Lead every exit somewhere.", "'failed' is missing"),
    step('{say: welcome}\n  b: {menu: {say: welcome, options: {"10": end}}, otherwise: end}', "Write one key, or ask for the number with `collect`.", "several digits"),
    step('{voicemail: {box: service, next: end}}', "Indent the exit like the verb, or write it behind the verb's brace.", "is an exit"),
    step('{say: "How can we help you?", next: end}', "Write the words for each language, or the id of a prompt."),
    step('{lookup: {query: order_by_number, with: {number: "{x}"}}, found: end, missing: end, failed: end}', "Write the value in two braces on each side, in quotes."),
    Case("flow", 'number: "1"\nlanguages: [mandarin]\nstart: a\nsteps:\n  a: {hangup: {}}\n', "Write the language as it is suggested."),
    step('{hours: {calendar: nothing}, open: end, closed: end}', "Make the calendar in `calendars.yaml`.", "no calendar"),
    step('{call: {flow: survey-x}, next: end}', "Make the flow's file in flows-dir.", "no flow"),
    step('{say: your-position, next: end}', "Choose a prompt that needs no such value, or set it before.", "position"),
    Case("flow", 'number: "1"\nlanguages: [cmn, en]\nstart: b\nkeys: {"0": a}\nsteps:\n  a: {say: {cmn: "{{ x }}", en: "x"}, next: b}\n  b: {set: {x: "1"}, next: end}\n  end: {hangup: {}}\n', "Set it before every way that leads there.", "when the call comes here"),
]  # fmt: skip

EXPRESSIONS = [
    said("{{ now", "Close the expression.", "not closed"),
    said("{{ 'a' if caller.tier == gold else 'b' }}", "Write a word that is no variable in quotes.", "the word itself"),
    said("{{ }}", "Write a value between the braces.", "not finished"),
    said("{% if x %}", "Write an expression: `{{ a if b else c }}`."),
    said("x" * 5001, "Say less at once: divide it over several steps."),
    said("{{ " + "(" * 2000 + "1" + ")" * 2000 + " }}", "Write it more simply."),
    said("{{ caller.name.upper() }}", "Leave the call out; let the query return what is to be said."),
    said("{{ 'a'.b }}", "Write a variable before the dot."),
    said("{{ caller._x }}", "Use the names that the variable has."),
    said("{{ now | date('x') }}", "Name the option: `date(year=false)`."),
    said("{{ now | date(short=true) }}", "Use one of the filter's options."),
    said("{{ now | date(year='no') }}", "Write `true` or `false`."),
    said("{{ 5 | money(currency=5) }}", "Write the currency in quotes: `currency='CNY'`."),
    said("{{ 5 | money(currency='XXX') }}", "Use one of the currencies that can be spoken."),
    said("{{ caller.name.first }}", "Leave out what stands behind the second dot."),
    step('{set: {a: "{{ now | date }}"}, next: end}', "Keep the value itself; say it with the filter."),
    said("{{ now ｜ date }}", "Write the sign of an English keyboard."),
    said("{{ 'a' if caller.known && language else 'b' }}", "Write the word."),
    said("{ now | date }", "Write two braces."),
    said("now }", "Remove the brace, or write the expression that it belongs to."),
    said("One moment <break/> please", "Write a comma or a full stop; the voice pauses there."),
    said("Post &amp; parcels", "Write the sign itself."),
]  # fmt: skip

VERBS = [
    step('{branch: {cases: {"gold": end}}, otherwise: end}', "Write the case as an expression."),
    step('{http: {url: "example.com"}, next: end, failed: end}', "Write the whole address, its host without expressions."),
    step('{http: {url: "https://example.com:99999/"}, next: end, failed: end}', "Correct the port."),
    step('{http: {url: "https://example.com/", method: get, body: {a: "1"}}, next: end, failed: end}', "A service is told something by `post`."),
    step('{http: {url: "https://example.com/", into: a}, next: end, failed: end}', "Name the parts of the answer that are used."),
    step('{http: {url: "https://example.com/", returns: [a]}, next: end, failed: end}', "Name the variable."),
    step('{http: {url: "https://example.com/", into: a, returns: {b: "c..d"}}, next: end, failed: end}', "Write names and numbers with dots between them."),
    step('{http: {url: "https://example.com/", headers: {Host: x}}, next: end, failed: end}', "Leave the header out; the appliance sets it."),
    step('{lookup: {query: open_ticket, with: {kind: x}}, found: end, missing: end, failed: end}', "Use `save` for what writes.", "use the verb 'save'"),
    step('{save: {query: order_by_number, with: {number: "1"}}, next: end, failed: end}', "Use `lookup` for what only reads.", "use the verb 'lookup'"),
    step('{save: {query: silent, into: t}, next: end, failed: end}', "Let the statement return something, or leave `into` out."),
    step('{transfer: {to: "999"}, failed: end}', "Allow it in `appliance.yaml`, or transfer elsewhere."),
    step('{call: {flow: survey, with: {b: "1"}}, next: end}', "Give the variables that the flow `takes`."),
    step('{call: {flow: survey}, next: end}', "Give every variable that the flow `takes`."),
    step('{call: {flow: survey, with: {a: "1"}, into: c}, next: end}', "Name it at `return`, or leave `into` out."),
]  # fmt: skip

CALLS = [
    Case("flows", "one: {call: two}\ntwo: {call: one}\n", "Lead one of them on without the other."),
    Case("flows", "one: {call: two}\ntwo: {}\n", "Let the called flow end with `return` where the caller goes on."),
    Case(
        "flows",
        "one: {call: two}\ntwo: {return: true, languages: [en]}\n",
        "Write the language and its texts into the called flow.",
    ),
    Case("flows", "one: {}\ntwo: {number: false}\n", "Give it a number, call it from another flow, or remove it."),
    Case("flows", "", "Put a flow into flows-dir."),
    Case("flow", "steps: {a: {say：x}}\n", "Write the colon of the English keyboard, and a space behind it."),
]

QUEUES = [
    queue("service-level: fast", "Write two numbers: `80/20`."),
    queue('while-waiting: {"1": callback}', "Use `stay` or `left`."),
    queue("overflow: [{after: 5m, exit: leave-message}]", "Name an exit of the verb `queue`; where it leads stands in the flow.", "leave-message"),
    queue("overflow: [{after: 5m}]", "Write one thing that happens.", "exactly one"),
    queue("ring-for: 0s", "Write a time within the bounds."),
    queue("strategy: fairest", "Use one of the strategies.", ""),
    queue("overflow: [{after: 1m, to-queue: experts}]", "Name a queue of the file."),
    Case("queues", "a: {overflow: [{after: 1m, to-queue: b}]}\nb: {overflow: [{after: 1m, to-queue: a}]}\n", "Let one of them lead out."),
    queue("skills: {malay: required}", "Give the skill to an agent, or leave it out."),
    Case("queues", "the queue: {}\n", "Write the name as one word."),
    queue("skills: {very patient: required}", "Write the name as one word."),
    queue("while-waiting: {12: stay}", "Write one key of a telephone, `*` in quotes."),
    queue("music: jazz", "Use music that there is."),
    queue("calendar: ofice", "Make the calendar in `calendars.yaml`."),
    queue("overflow: [{when: closed, exit: closed}]", "Name the queue's calendar."),
    queue("offer-after: 60s", "Give a key that leaves."),
    queue("overflow: [{after: 5m, exit: overflowed}, {after: 9m, exit: overflowed}]", "Remove the line, or make its time shorter."),
]  # fmt: skip

QUERIES = [
    Case("queries", "- a\n", "Write each query with its name."),
    query("select number from orders", "Use small letters, digits and _.", name="Orders-All"),
    query("drop table orders", "Write a select, or one statement that writes."),
    query("select number from orders where number = ':number'", "Leave the quotes out; the value is quoted by itself."),
    query("\"select number from orders where number = '{{ x }}'\"", "Write a parameter, and give its value by `with:`."),
    query("select 1; select 2", "Make two queries of it."),
    query("select 'x", "Close the quote."),
    query("delete from orders", "Say which rows are meant."),
    query("select number from orders", "Name the columns.", returns="within: 2s"),
    query("insert into tickets (kind) values (:kind)", "End the statement with `returning`, or leave `returns` out."),
    query("select number from orders", "Leave `may-repeat` out.", returns="returns: [number]\n  may-repeat: true"),
    query("select number from orders", "Give the column a name with `as`.", returns='returns: ["count(*)"]'),
    query("select number from orders", "Name each column once.", returns="returns: [number, number]"),
]  # fmt: skip

TRIED = [
    Case("tried", "q: {sql: select number from order_s, returns: [number]}\n", "Use a table that the CRM has."),
    Case("tried", "q: {sql: select nr from orders, returns: [nr]}\n", "Use a column that the table has."),
    Case("tried", "q: {sql: select number frm orders, returns: [number]}\n", "Correct the statement near the word that is named."),
    Case("tried", "q: {sql: select number from orders, returns: [eta]}\n", "Select the column, or do not promise it."),
]  # fmt: skip

CALENDARS = [
    calendar('zone: Asia/Peking, open: {mon: "09:00-18:00"}', "Use a zone of the list, by continent and city."),
    calendar('zone: GMT+8, open: {mon: "09:00-18:00"}', "Name a place: a zone like the one written may be hours away."),
    calendar(f"{OPEN}, holidays: cn", "Write capitals."),
    calendar(f'{OPEN}, exceptions: {{"2026-12-31": close}}', "Write the word as it is: `closed`."),
    calendar('zone: Beijing time, open: {mon: "09:00-18:00"}', "Use a zone of the list, by continent and city."),
    calendar(f"{OPEN}, holidays: China", "Write the country's two letters."),
    calendar(f"{OPEN}, holidays: DE-XX", "Write one of the country's regions, or the country alone."),
    calendar("zone: Asia/Shanghai, open: {mon: [a]}", "Write the hours as one text."),
    calendar('zone: Asia/Shanghai, open: {mon: "9 to 6"}', "Write hours and minutes with two digits each."),
    calendar('zone: Asia/Shanghai, open: {monday: "09:00-18:00"}', "Write the day's first three letters."),
    calendar('zone: Asia/Shanghai, open: {mon-fri: "09:00-18:00", fri: "09:00-12:00"}', "Let each day stand once."),
    calendar(f"{OPEN}, exceptions: {{31.12.2026: closed}}", "Write year, month and day."),
]  # fmt: skip

REASONS = [
    Case("reasons", "the meal: {key: 1}\n", "Write the name as one word."),
    Case("reasons", "meal: {key: 12}\n", "Write one key of a telephone, `*` in quotes."),
    Case("reasons", "break: {key: 1}\nmeal: {key: 1}\n", "Give each reason a key of its own, or none."),
]

SCENARIOS = [
    Case("scenarios", "a: b\n", "Begin each call with `- name:`."),
    Case("scenarios", "- {name: a, steps: [hang-up]}\n- {name: a, steps: [hang-up]}\n", "Give each call a name of its own."),
    scenario("hear", "Write the word with its value."),
    scenario("{haer: music}", "Use one of the words."),
    scenario("{hear: }", "Write what is heard."),
    scenario("{hang-up: now}", "Write the word alone."),
    scenario("{press: X}", "Write keys of a telephone."),
    scenario('{press: " "}', "Write the keys.", ""),
    scenario("{position: first}", "Write a number."),
    scenario("{database: gone}", "Use one of the words."),
    scenario("{web: broken}", "Write what the service answers."),
    scenario("hang-up", "Write day and time.", more="  at: tomorrow\n"),
    scenario('{message: "13800000001"}', "Write the mailbox in which the message lies."),
    scenario("hang-up", "Write the digits of the PIN.", more="  pin: 25b0\n"),
    scenario("hang-up", "Leave the zone out.", more="  at: 2026-11-23 10:00+08:00\n"),
]  # fmt: skip

CATALOGUE = [
    Case("catalogue", "Welcome!: {en: x}\n", "Use small letters, digits and hyphens."),
    Case("catalogue", "welcome: {fr: Bonjour}\n", "Write a language that can be spoken."),
    Case("catalogue", 'welcome: {en: " "}\n', "Write the text, or remove the language."),
    Case("catalogue", f"welcome: {{en: {'x' * 5001}}}\n", "Divide it into several prompts."),
    Case(
        "catalogue",
        'your-position: {en: "Number {{ postion | number }}"}\n',
        "Use the values that this prompt is given.",
    ),
    Case("catalogue", 'logged-on: {en: "Hello {{ agent }}"}\n', "Remove the expression."),
    Case("catalogue", 'notice-subject: {en: "{{ received | date }}"}\n', "Leave the filter out; e-mails are read."),
]

SECTIONS = {
    "Any file": FILES,
    "Values and exits": VALUES,
    "Expressions": EXPRESSIONS,
    "Single verbs": VERBS,
    "Several flows": CALLS,
    "Queues": QUEUES,
    "Queries": QUERIES,
    "Queries, where the CRM answers": TRIED,
    "Calendars": CALENDARS,
    "Reasons of agents": REASONS,
    "Scenarios": SCENARIOS,
    "The prompts' catalogue": CATALOGUE,
}
