"""What may stand between ``{{`` and ``}}``: small trees of values, each of which knows its worth.

Jinja2 parses; `expression` then translates its syntax tree into the classes below and refuses whatever
has no class: there are names, attributes, constants, comparisons, and/or/not, if-else and the filters
that speak a value. No loops, arithmetic, methods or calls, so an expression can take neither time nor
memory, and nothing is ever compiled or looked up on a Python object.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol, cast

from jinja2 import nodes

from config.wording import suggestion
from speech import words
from speech.words import CannotRead, Segment

Reads = tuple[str, ...]  # ("order", "eta"): a name and the attributes read from it


class CannotEvaluate(Exception):
    """A value was missing or of the wrong kind when it was used; the text says which."""


@dataclass(frozen=True, slots=True)
class Scope:
    variables: Mapping[str, object]
    language: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a filter makes of a value: speech, of which no other value can be made."""

    segments: tuple[Segment, ...]


class Expression(Protocol):
    def value(self, scope: Scope) -> object:
        """Raises CannotEvaluate."""
        ...

    def reads(self) -> Iterator[Reads]:
        """The names it needs, each with the attributes that are read from it."""
        ...


@dataclass(frozen=True, slots=True)
class Constant:
    constant: str | int | float | bool | None

    def value(self, scope: Scope) -> object:  # noqa: ARG002
        return self.constant

    def reads(self) -> Iterator[Reads]:
        return iter(())


@dataclass(frozen=True, slots=True)
class Variable:
    """``order`` or ``order.eta``: always data, looked up by name in mappings only."""

    path: Reads

    def value(self, scope: Scope) -> object:
        value: object = scope.variables
        for number, part in enumerate(self.path):
            if not isinstance(value, Mapping) or part not in value:
                missing = ".".join(self.path[: number + 1])
                raise CannotEvaluate(f"'{missing}' has no value yet")
            value = value[part]
        return value

    def reads(self) -> Iterator[Reads]:
        yield self.path


@dataclass(frozen=True, slots=True)
class Choice:
    """``a if test else b``."""

    test: Expression
    then: Expression
    otherwise: Expression

    def value(self, scope: Scope) -> object:
        return (self.then if self.test.value(scope) else self.otherwise).value(scope)

    def reads(self) -> Iterator[Reads]:
        return _all_reads(self.test, self.then, self.otherwise)


@dataclass(frozen=True, slots=True)
class Both:
    left: Expression
    right: Expression

    def value(self, scope: Scope) -> object:
        return self.left.value(scope) and self.right.value(scope)

    def reads(self) -> Iterator[Reads]:
        return _all_reads(self.left, self.right)


@dataclass(frozen=True, slots=True)
class Either:
    left: Expression
    right: Expression

    def value(self, scope: Scope) -> object:
        return self.left.value(scope) or self.right.value(scope)

    def reads(self) -> Iterator[Reads]:
        return _all_reads(self.left, self.right)


@dataclass(frozen=True, slots=True)
class Not:
    inner: Expression

    def value(self, scope: Scope) -> object:
        return not self.inner.value(scope)

    def reads(self) -> Iterator[Reads]:
        return self.inner.reads()


@dataclass(frozen=True, slots=True)
class Negative:
    inner: Expression

    def value(self, scope: Scope) -> object:
        value = self.inner.value(scope)
        if isinstance(value, int | float | Decimal):
            return -value
        raise CannotEvaluate("only a number can be negative")

    def reads(self) -> Iterator[Reads]:
        return self.inner.reads()


@dataclass(frozen=True, slots=True)
class Several:
    """``['gold', 'silver']``."""

    items: tuple[Expression, ...]

    def value(self, scope: Scope) -> object:
        return [item.value(scope) for item in self.items]

    def reads(self) -> Iterator[Reads]:
        return _all_reads(*self.items)


@dataclass(frozen=True, slots=True)
class Comparison:
    """``1 < a <= 5``."""

    first: Expression
    others: tuple[tuple[str, Expression], ...]

    def value(self, scope: Scope) -> object:
        left = self.first.value(scope)
        for comparison, expression in self.others:
            right = expression.value(scope)
            if not _holds(comparison, left, right):
                return False
            left = right
        return True

    def reads(self) -> Iterator[Reads]:
        return _all_reads(self.first, *(expression for _, expression in self.others))


@dataclass(frozen=True, slots=True)
class Filtered:
    """``order.price | money(currency='HKD')``."""

    name: str
    inner: Expression
    options: tuple[tuple[str, str | bool], ...]

    def value(self, scope: Scope) -> object:
        value = plain(self.inner.value(scope))
        try:
            return Spoken(tuple(_FILTERS[self.name][0](value, scope.language, **dict(self.options))))
        except CannotRead as error:
            raise CannotEvaluate(f"'{self.name}' cannot read it: {error}") from error

    def reads(self) -> Iterator[Reads]:
        return self.inner.reads()


def plain(value: object) -> object:
    """A value that is not speech. Raises CannotEvaluate."""
    if isinstance(value, Spoken):
        raise CannotEvaluate("what a filter made can only be spoken")
    return value


def text_of(value: object) -> str:
    return "" if value is None else str(value)


def _all_reads(*expressions: Expression) -> Iterator[Reads]:
    for expression in expressions:
        yield from expression.reads()


# --- comparing -------------------------------------------------------------------------------------

_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "gteq": operator.ge,
    "lt": operator.lt,
    "lteq": operator.le,
}


def _holds(comparison: str, left: object, right: object) -> bool:
    if comparison in {"in", "notin"}:
        return _among(left, right) == (comparison == "in")
    try:
        return bool(_ORDER[comparison](*_alike(left, right)))
    except TypeError:
        raise CannotEvaluate("a text and a number cannot be compared") from None


def _among(value: object, some: object) -> bool:
    if isinstance(some, str):
        return text_of(value) in some
    if isinstance(some, list):
        return any(_holds("eq", value, item) for item in some)
    raise CannotEvaluate("'in' needs a list or a text on its right")


def _alike(left: object, right: object) -> tuple[object, object]:
    """What callers key is text: beside a number it counts as one, beside a date as one."""
    if isinstance(left, str) and not isinstance(right, str):
        return _like(right, left), right if _is_number(right) else _date_text(right)
    if isinstance(right, str) and not isinstance(left, str):
        return left if _is_number(left) else _date_text(left), _like(left, right)
    return left, right


def _like(other: object, text: str) -> object:
    if not _is_number(other):
        return text
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _date_text(value: object) -> object:
    return str(value) if hasattr(value, "isoformat") else value


# --- what may be written ---------------------------------------------------------------------------

_FILTERS: Mapping[str, tuple[Callable[..., Sequence[Segment]], Mapping[str, type]]] = {
    "digits": (words.digits, {"yao": bool}),
    "number": (words.number, {"counted": bool}),
    "ordinal": (words.ordinal, {}),
    "money": (words.money, {"currency": str}),
    "date": (words.date, {"year": bool}),
    "time": (words.time, {}),
    "duration": (words.duration, {}),
}


class NotPossible(ValueError):
    """What an expression may not contain, in words for an administrator."""


def expression(node: nodes.Node) -> Expression:
    """The expression of a node of Jinja2's syntax tree. Raises NotPossible."""
    for kind, translated in _TRANSLATIONS.items():
        if isinstance(node, kind):
            return translated(node)
    what = _REFUSED.get(type(node), f"'{type(node).__name__.lower()}'")
    raise NotPossible(f"{what} is not possible in an expression")


def _constant(node: nodes.Const) -> Expression:
    if isinstance(node.value, str | int | float | bool | None):
        return Constant(node.value)
    raise NotPossible(f"'{node.value}' is not possible in an expression")


def _attribute(node: nodes.Getattr) -> Expression:
    holder = expression(node.node)
    if not isinstance(holder, Variable):
        raise NotPossible(f"'.{node.attr}' is not possible after anything but a name")
    if node.attr.startswith("_"):
        raise NotPossible(f"'.{node.attr}' is not possible: a name begins with a letter")
    return Variable((*holder.path, node.attr))


def _choice(node: nodes.CondExpr) -> Expression:
    if node.expr2 is None:
        raise NotPossible("'... if ...' needs an 'else'")
    return Choice(expression(node.test), expression(node.expr1), expression(node.expr2))


def _comparison(node: nodes.Compare) -> Expression:
    return Comparison(expression(node.expr), tuple((one.op, expression(one.expr)) for one in node.ops))


def _filtered(node: nodes.Filter) -> Expression:
    if node.name not in _FILTERS:
        raise NotPossible(f"no filter '{node.name}'.{suggestion(node.name, _FILTERS) or _those(_FILTERS)}")
    known = _FILTERS[node.name][1]
    if node.node is None or node.args or node.dyn_args or node.dyn_kwargs:
        raise NotPossible(f"the filter '{node.name}' takes only named options.{_those(known)}")
    options = tuple(_option(node.name, str(given.key), given.value, known) for given in node.kwargs)
    currency = dict(options).get("currency", "CNY")
    if currency not in words.CURRENCIES:
        raise NotPossible(f"no currency '{currency}'.{_those(words.CURRENCIES)}")
    return Filtered(node.name, expression(node.node), options)


def _option(name: str, option: str, value: nodes.Node, known: Mapping[str, type]) -> tuple[str, str | bool]:
    if option not in known:
        raise NotPossible(f"the filter '{name}' has no option '{option}'.{_those(known)}")
    if isinstance(value, nodes.Const) and isinstance(value.value, known[option]):
        return option, cast(str | bool, value.value)
    kind = "true or false" if known[option] is bool else "a text in quotes"
    raise NotPossible(f"the option '{option}' of the filter '{name}' must be {kind}")


def _several(node: nodes.List | nodes.Tuple) -> Expression:
    return Several(tuple(expression(item) for item in node.items))


def _those(known: Iterable[str]) -> str:
    names = sorted(known)
    return f" There are: {', '.join(names)}" if names else ""


_TRANSLATIONS: Mapping[type[nodes.Node], Callable[[Any], Expression]] = {
    nodes.Const: _constant,
    nodes.Name: lambda node: Variable((node.name,)),
    nodes.Getattr: _attribute,
    nodes.CondExpr: _choice,
    nodes.Compare: _comparison,
    nodes.And: lambda node: Both(expression(node.left), expression(node.right)),
    nodes.Or: lambda node: Either(expression(node.left), expression(node.right)),
    nodes.Not: lambda node: Not(expression(node.node)),
    nodes.Neg: lambda node: Negative(expression(node.node)),
    nodes.List: _several,
    nodes.Tuple: _several,
    nodes.Filter: _filtered,
}

_REFUSED: Mapping[type[nodes.Node], str] = {
    nodes.Call: "calling a function or method",
    nodes.Getitem: "'[...]'",
    nodes.Mul: "'*'",
    nodes.Pow: "'**'",
    nodes.Add: "'+'",
    nodes.Sub: "'-'",
    nodes.Div: "'/'",
    nodes.FloorDiv: "'//'",
    nodes.Mod: "'%'",
    nodes.Concat: "'~'",
    nodes.Test: "'is'",
    nodes.Dict: "'{...}'",
}
