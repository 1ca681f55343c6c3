"""Overrides `dotted.path=value`: parsed as the command line gives them, and written over a scenario's tree."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from prism_sim.catalogue import nearest
from prism_sim.syntax import schema
from prism_sim.syntax.errors import FieldPath, Place, ScenarioError, dotted, shown
from prism_sim.syntax.task_section import spelled_out
from prism_sim.syntax.yaml_source import Source, read_value

SHOWN_TEXT = 120  # characters of an override in a message

_PATH = re.compile(r"[A-Za-z_][\w-]*(\[\d{1,9}\])*(\.[A-Za-z_][\w-]*(\[\d{1,9}\])*)*", re.ASCII)
_STEP = re.compile(r"([A-Za-z_][\w-]*)|\[(\d+)\]", re.ASCII)


@dataclass(frozen=True, slots=True)
class Override:
    """A field's new value; None takes the field away, so that its default holds."""

    path: FieldPath
    value: Any
    place: Place

    def error(self, rule: str, source: Source) -> ScenarioError:
        return self.place.error(source.file, self.path, rule)


def parse(overrides: Iterable[str] | Mapping[str, Any], file: str) -> tuple[Override, ...]:
    """Raises ScenarioError, placed at the override's own text, if it is malformed or no field of a scenario."""
    if isinstance(overrides, str):
        raise TypeError(f"overrides must be a list of texts, not the one text {shown(overrides)}")
    if isinstance(overrides, Mapping):
        stated = {key: (_plain(value), _place(f"{key}={value}")) for key, value in overrides.items()}
        return tuple(Override(path_of(key, place, file), value, place) for key, (value, place) in stated.items())
    return tuple(_parse_text(text, file) for text in overrides)


def apply(source: Source, batch: Iterable[Override]) -> Source:
    """A copy of the source with the overrides written in; a field that excludes others drops them.

    Raises ScenarioError if two overrides of the batch exclude each other, or if one does not fit the tree.
    """
    result, done = source.copy(), list[Override]()
    for override in batch:
        for rival in schema.rivals(override.path) if override.value is not None else ():
            if any(other.path == rival and other.value is not None for other in done):
                raise override.error(f"cannot be set together with {dotted(rival)}; set only one", source)
            _write(result, Override(rival, None, override.place))
        _write(result, override)
        done.append(override)
    return result


def path_of(text: str, place: Place, file: str) -> FieldPath:
    """'devices[0].compute' -> ('devices', 0, 'compute').

    Raises ScenarioError at `place` if this is no path, or no field that a scenario knows.
    """
    if text.startswith("sweep."):
        return ("sweep", text.removeprefix("sweep."))
    if not _PATH.fullmatch(text):
        example = "for example network.bandwidth or devices[0].count"
        raise place.error(file, (), f"{shown(text)} is not the path of a field; write {example}")
    path = tuple(name or int(index) for name, index in _STEP.findall(text))
    if not schema.is_known(path):
        raise place.error(file, path, f"is not a field of a scenario{_hint(path)}")
    return path


def _parse_text(text: str, file: str) -> Override:
    place = _place(text)
    field, equals, value = text.partition("=")
    if not equals:
        raise place.error(file, (), "has no '='; write field=value, for example network.bandwidth='50 Mbit/s'")
    if not value.strip():
        raise place.error(file, (), "has no value; write field=value, or field=null to take the field away")
    found = read_value(value, place, file)
    return Override(path_of(field.strip(), place, file), found, place)


def _place(text: str) -> Place:
    return Place(f"--set {text}" if len(text) <= SHOWN_TEXT else f"--set {text[:SHOWN_TEXT]}...")


def _hint(path: FieldPath) -> str:
    """The nearest field, or one of this name in a section that was left out."""
    known = {dotted(found).replace("[[]]", "[]").replace(".[]", "[]"): found for found in schema.known_fields()}
    wanted = dotted(schema.field_pattern(path)).replace(".[]", "[]")
    same_name = [text for text, found in known.items() if found[-1] == path[-1] and len(found) > 1]
    if len(path) == 1 and len(same_name) == 1:
        return f"; did you mean {same_name[0].replace('[]', '[0]')!r}?"
    return nearest(wanted, known).replace("[]", "[0]")


def _plain(value: Any) -> Any:
    """Python and NumPy values as YAML would give them."""
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value.item() if hasattr(value, "item") else value


def _write(source: Source, override: Override) -> None:
    parent = _parent(source, override)
    last = override.path[-1]
    _forget(source, override.path)
    if override.value is None:
        if not isinstance(last, str):
            rule = "a list's item cannot be taken away; set the list, or name the ranks that remain"
            raise override.error(rule, source)
        parent.pop(last, None)
        return
    parent[last] = spelled_out(override.path, override.value)
    source.keys[override.path] = source.values[override.path] = override.place


def _parent(source: Source, override: Override) -> Any:
    """The mapping or list that holds the last step; sections that are missing are made."""
    node: Any = source.tree
    for depth, step in enumerate(override.path):
        here = override.path[:depth]
        if isinstance(step, int):
            if not isinstance(node, list):
                raise override.error(f"{dotted(here)} is not a list in {source.file}", source)
            if step >= len(node):
                rule = f"index {step} is out of range: {dotted(here)} has {len(node)} item(s), counted from 0"
                raise override.error(rule, source)
        elif not isinstance(node, dict):
            remedy = f"; did you mean {dotted((*here, 0, *override.path[depth:]))!r}?" if isinstance(node, list) else ""
            raise override.error(f"{dotted(here)} is not a section here{remedy}", source)
        if depth == len(override.path) - 1:
            return node
        if isinstance(node, dict) and node.get(str(step)) is None:
            if isinstance(override.path[depth + 1], int):
                raise override.error(f"{dotted((*here, step))} is not written in the file", source)
            node[str(step)] = {}
            source.keys[(*here, step)] = source.values[(*here, step)] = override.place
        node = node[step]
    raise AssertionError("an override has at least one step")


def _forget(source: Source, path: FieldPath) -> None:
    """Drops the places of a field and of all within it."""
    for places in (source.keys, source.values):
        for known in [known for known in places if known[: len(path)] == path]:
            del places[known]
