"""say: speaks, and lets itself be interrupted."""

FLOW = """
start: greet
keys: {"0": agent, "*": repeat}
steps:
  greet: {say: hello, next: main}
  main:
    menu: {say: ask, options: {"1": end}}
    otherwise: end
  agent: {say: bye, next: end}
  end: {hangup: {}}
"""


def test_a_prompt_is_said_to_its_end(house):
    caller = house.ring(FLOW).hears("你好").hears("请按键")
    assert (caller.line.heard[0].cut, caller.line.heard[0].until) == (False, 1000)


def test_any_key_cuts_it_short_and_counts_for_the_next_step(house):
    assert house.ring(FLOW).hears("你好").press("1").is_over().heard == ["你好"]


def test_a_key_that_works_everywhere_works_here(house):
    assert house.ring(FLOW).hears("你好").press("0").is_over().heard == ["你好", "再见"]
    assert house.exits[0] == ("greet", "key 0")


def test_the_star_says_it_again(house):
    assert house.ring(FLOW).hears("你好").press("*").hears("你好").hears("请按键")


def test_what_was_not_said_is_not_in_the_journal(house):
    house.ring(FLOW).press("1").is_over()
    assert house.notes.of("PromptPlayed", "prompt") == []


def test_keys_in_front_of_one_that_works_everywhere_come_first(house):
    house.ring(FLOW).press("10").is_over()
    assert house.exits == [("greet", "next"), ("main", "1"), ("end", "ended")]


def test_texts_are_said_in_the_callers_language_with_its_words(house):
    flow = """
    start: english
    steps:
      english: {language: en, next: tell}
      tell:
        say: {cmn: "{{ caller.name }}您好", en: "{{ dialled | digits }} for {{ caller.number }}"}
        next: end
      end: {hangup: {}}
    """
    house.ring(flow).hears("one zero zero zero for ").is_over()


def test_a_text_that_comes_to_nothing_takes_no_time(house):
    flow = """
    start: tell
    steps:
      tell: {say: {cmn: "{{ caller.name }}", en: "{{ caller.name }}"}, next: bye}
      bye: {say: bye, next: end}
      end: {hangup: {}}
    """
    assert house.ring(flow).is_over().heard == ["再见"]


def test_a_recording_that_cannot_be_played_is_spoken_instead(house):
    said = []
    play = house.voice.prompt

    def prompt(name, language):
        said.append(name)
        house.voice.unplayable.add("hello")
        return play(name, language)

    house.voice.prompt = prompt
    assert house.ring(FLOW).hears("你好").hears("你好").hears("请按键")
    assert said[0] == "hello"


def test_a_caller_may_hang_up_in_the_middle(house):
    house.ring(FLOW).hears("你好").waits(0.5).hangs_up()
    assert house.cause == "normal"
