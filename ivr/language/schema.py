"""The JSON Schema of a flow: its head, and of every verb a step with its exits."""

from __future__ import annotations

from collections.abc import Mapping

from config.schema import DRAFT, Schema, schema
from ivr.language.flow import Head
from ivr.step import Exit, Step
from ivr.steps import verbs


def flow_schema() -> Schema:
    """What editors need for a flow's file."""
    head = schema(Head)
    definitions = head.pop("definitions", {})
    kinds = []
    for verb, step in sorted(verbs().items()):
        value = schema(step)
        definitions |= value.pop("definitions", {})
        definitions[f"step-{verb}"] = _step(step, _value(step, value))
        kinds.append({"$ref": f"#/definitions/step-{verb}"})
    steps = {
        "type": "object",
        "description": "The steps, each with a name, one verb and its exits.",
        "minProperties": 1,
        "additionalProperties": {"anyOf": kinds},
    }
    head["properties"]["steps"] = steps
    head["required"].append("steps")
    return {"$schema": DRAFT, **head, "definitions": definitions}


def _value(step: type[Step], value: Schema) -> Schema:
    """What stands after the verb's colon."""
    if step.whole:
        whole: Schema = value["properties"][step.model_fields[step.whole].alias or step.whole]
        return {**whole, "description": value.get("description", "")}
    return value if value.get("required") else {**value, "type": ["object", "null"]}


def _step(step: type[Step], value: Schema) -> Schema:
    required = [exit for exit, facts in step.exits.items() if facts.required]
    return {
        "type": "object",
        "properties": {step.verb: value, **_exits(step.exits)},
        "required": [step.verb, *required],
        "additionalProperties": False,
    }


def _exits(exits: Mapping[str, Exit]) -> Schema:
    return {
        name: {"type": "string", "description": f"The step to go on at: {facts.about}."}
        for name, facts in exits.items()
    }
