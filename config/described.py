"""What a field of a model is for: the text below it, read from the source where somebody asks.

Pydantic can do that by itself, for every model when it is made: a tenth of a second of each start.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from textwrap import dedent

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import ModelSchema


@cache
def texts(model: type[BaseModel]) -> Mapping[str, str]:
    """By the field's name; a field without a text is not among them."""
    bases = [base for base in reversed(model.__mro__) if issubclass(base, BaseModel) and base is not BaseModel]
    below = {name: text for base in bases for name, text in _below(base)}
    return {name: below[name] for name in model.model_fields if name in below}


def _below(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    [written] = ast.parse(dedent(inspect.getsource(model))).body
    assert isinstance(written, ast.ClassDef)
    for field, text in pairwise(written.body):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(about))):
                yield name, inspect.cleandoc(about)


class DescribedSchema(GenerateJsonSchema):
    """As pydantic's, with what each field is for."""

    def model_schema(self, schema: ModelSchema) -> JsonSchemaValue:
        made = super().model_schema(schema)
        model: type[BaseModel] = schema["cls"]
        written = made.get("properties", {})
        for name, about in texts(model).items():
            alias = model.model_fields[name].alias or name
            if alias in written:
                written[alias] = {"description": about, **written[alias]}
        return made
