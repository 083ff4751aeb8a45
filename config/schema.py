"""JSON Schema of what people write, for editors: completion, hover texts and red lines while they type.

It accepts whatever the checker accepts and knows less: names, texts and how steps hang together are the checker's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import TypeAdapter

from config.described import DescribedSchema
from config.values import duration

DRAFT = "http://json-schema.org/draft-07/schema#"  # what editors' YAML servers speak
NAMES = "x-names"  # marks a text that must be the name of something
_BOUNDS = ("ge", "gt", "le", "lt")  # of lengths of time: no editor can compare 90s with 2m

Schema = dict[str, Any]
Known = Mapping[str, Collection[str]]


def schema(kind: Any) -> Schema:
    """The schema of a model or other annotated type, its parts under ``definitions``."""
    made = TypeAdapter(kind).json_schema(
        by_alias=True, ref_template="#/definitions/{model}", schema_generator=DescribedSchema
    )
    found: Schema = clean(made)
    return found


def clean(node: Any) -> Any:
    """Without titles, and with defaults as people write them."""
    match node:
        case dict():
            named = {name: value for name, value in node.items() if name != "title" or isinstance(value, dict)}
            return _written({name: clean(value) for name, value in named.items()})
        case list():
            return [clean(one) for one in node]
    return node


def _written(node: Schema) -> Schema:
    if "$defs" in node:
        node["definitions"] = node.pop("$defs")
    if node.get("type") == "string":
        for bound in _BOUNDS:
            node.pop(bound, None)
        if isinstance(node.get("default"), int | float):
            node["default"] = duration(node["default"])
    if not isinstance(node.get("default"), str | int | bool):
        node.pop("default", None)
    return node


def with_names(node: Any, known: Known) -> Any:
    """The same schema, in which every text that must be a name offers the names that there are."""
    match node:
        case {"x-names": str(kind)}:
            bare = {name: value for name, value in node.items() if name != NAMES}
            names = sorted(known.get(kind, ()))
            return {**bare, "anyOf": [{"enum": names}, {"pattern": r"\{\{"}]} if names else bare
        case dict():
            return {name: with_names(value, known) for name, value in node.items()}
        case list():
            return [with_names(one, known) for one in node]
    return node
