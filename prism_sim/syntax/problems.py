"""Pydantic's validation errors as one message of ours: the place, the value, the rule and the remedy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import ValidationError

from prism_sim.catalogue import nearest
from prism_sim.syntax import schema
from prism_sim.syntax.errors import FieldPath, ScenarioError, dotted, shown
from prism_sim.syntax.yaml_source import Source

_RULES: dict[str, Callable[[dict[str, Any]], str]] = {
    "int_type": lambda ctx: "is not a whole number; write one such as 4",
    "float_type": lambda ctx: "is not a number; write one such as 0.5",
    "string_type": lambda ctx: "is not text; write a word, in quotes if it looks like a number",
    "bool_type": lambda ctx: "is neither true nor false",
    "finite_number": lambda ctx: "must be finite; write a number such as 0.5",
    "greater_than": lambda ctx: f"must be > {ctx['gt']}",
    "greater_than_equal": lambda ctx: f"must be >= {ctx['ge']}",
    "less_than_equal": lambda ctx: f"must be <= {ctx['le']}",
    "string_too_short": lambda ctx: "must not be empty; write a value or remove the line",
    "too_short": lambda ctx: "must not be empty; write at least one item",
    "list_type": lambda ctx: "is not a list; write [ ... ] or lines that begin with '- '",
    "tuple_type": lambda ctx: "is not a list; write [ ... ]",
    "dict_type": lambda ctx: "is not a section; write lines 'field: value' under it",
    "model_type": lambda ctx: "is not a section; write lines 'field: value' under it",
    "rule": lambda ctx: "",
}


def first_error(problem: ValidationError, source: Source, prefix: FieldPath = ()) -> ScenarioError:
    """The error to show: what is written wrong, in the order of the file, before what is missing."""
    written = [detail for detail in problem.errors() if detail["type"] != "none_required"]  # "or not written at all"
    found = [(_without_branches((*prefix, *detail["loc"]), detail["type"]), detail) for detail in written]

    def order(item: tuple[FieldPath, Any]) -> tuple[bool, int, int]:
        path, detail = item
        place = source.place(path, at_key=True)
        return detail["type"] == "missing", place.line or 0, place.column or 0

    path, detail = min(_meant(found), key=order)
    kind = detail["type"]
    if kind == "extra_forbidden":
        return unknown_field(path, source)
    if kind == "missing":
        return source.error(path, f"is missing; {_example(path)}")
    return source.error(path, message(kind, detail))


def _meant(found: list[tuple[FieldPath, Any]]) -> list[tuple[FieldPath, Any]]:
    """Of a field that takes a word, a number or a list, what is wrong with the one that was written."""

    def is_meant(path: FieldPath, detail: Any) -> bool:
        others = [other["type"] for place, other in found if place[: len(path)] == path and other is not detail]
        if isinstance(detail["input"], str):
            return not (detail["type"] == "tuple_type" and "literal_error" in others)
        no_list = ("int_type", "float_type") if isinstance(detail["input"], list) else ()
        return not (detail["type"] in ("literal_error", *no_list) and others)

    return [(path, detail) for path, detail in found if is_meant(path, detail)]


def unknown_field(path: FieldPath, source: Source) -> ScenarioError:
    """A key that its section does not have, with the nearest that it has."""
    siblings = fields_of(path[:-1])
    hint = nearest(str(path[-1]), siblings) or f"; known: {', '.join(siblings)}"
    section = dotted(path[:-1]) or "a scenario"
    return source.error(path, f"{shown(path[-1])} is not a field of {section}{hint}", at_key=True)


def fields_of(section: FieldPath) -> Sequence[str]:
    """Names that may stand in a section."""
    pattern = schema.field_pattern(section)
    return [
        str(known[-1])
        for known in schema.known_fields()
        if known[:-1] == pattern and isinstance(known[-1], str) and known[-1] != schema.ITEM
    ]


def message(kind: str, detail: Any) -> str:
    """What is wrong with a value. detail: of pydantic's errors, of this kind."""
    context = detail.get("ctx", {})
    if kind == "rule":
        return str(context["rule"])
    value = shown(detail["input"])
    if kind == "literal_error":
        choices = str(context["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
        hint = nearest(detail["input"], choices) if isinstance(detail["input"], str) else ""
        return f"{value} is not one of {', '.join(choices)}{hint}"
    rule = _RULES.get(kind)
    return f"{value} {rule(context)}" if rule else f"{value}: {detail['msg']}"


def _without_branches(path: FieldPath, kind: str) -> FieldPath:
    """The path without what pydantic adds to it: the branch of a union that it tried."""
    kept: FieldPath = ()
    for number, step in enumerate(path):
        unknown_key = kind == "extra_forbidden" and number == len(path) - 1
        if unknown_key or schema.is_known((*kept, step)):
            kept = (*kept, step)
    return kept


def _example(path: FieldPath) -> str:
    examples: dict[FieldPath, str] = {
        ("model",): "write for example model: {preset: vit-base-patch16-224}",
        ("devices",): "write for example devices: [{preset: raspberry-pi-5, count: 2}]",
        ("network",): "write for example network: {preset: gigabit-ethernet}",
        ("strategy",): "write for example strategy: {name: prism, segments: 10}",
    }
    return examples.get(path, f"write a line '{path[-1]}: ...'")
