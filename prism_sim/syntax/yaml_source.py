"""Reads YAML as plain values, with the line and column of every key and value.

A safe part of YAML 1.2: mappings with text keys, lists and scalars of the core schema (only true and false are
booleans; `on`, `1:30` and dates are text). Tags, anchors, aliases, merge keys and several documents are refused.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from prism_sim.syntax.errors import FieldPath, Place, ScenarioError, shown
from prism_sim.syntax.presets import READY, PresetBook

MAX_FILE_BYTES = 1_000_000
SCENARIO_FILE = "scenario file"  # as errors call it
MAX_DEPTH = 40  # nested lists and mappings; a scenario needs five

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEAN = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass(slots=True)
class Source:
    """A scenario as written: plain values, the places of keys and values, and the presets that it can name."""

    file: str
    tree: dict[str, Any]
    keys: dict[FieldPath, Place] = field(default_factory=dict)
    values: dict[FieldPath, Place] = field(default_factory=dict)
    presets: PresetBook = READY

    def copy(self) -> Source:
        return Source(self.file, copy.deepcopy(self.tree), dict(self.keys), dict(self.values), self.presets)

    def place(self, path: FieldPath, at_key: bool = False) -> Place:
        """Where `path` is; if it is not written: where the section is that lacks it."""
        exact = self.keys.get(path) if at_key else None
        while exact is None and path:
            exact = self.values.get(path)
            path = path[:-1]
            if exact is None and path in self.keys:
                exact = self.keys[path]
        return exact or Place(self.file, 1, 1)

    def error(self, path: FieldPath, rule: str, at_key: bool = False, about: str = "") -> ScenarioError:
        return self.place(path, at_key).error(self.file, path, rule, about)


class _Refused(yaml.error.MarkedYAMLError):
    """Valid YAML that a scenario may not use."""


class _Composer(yaml.SafeLoader):
    """Composes nodes only; refuses what makes YAML unsafe or surprising before it is built."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        mark = event.start_mark
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise _Refused(
                problem="anchors (&) and aliases (*) are not used here; write the value out", problem_mark=mark
            )
        if (tag := getattr(event, "tag", None)) is not None:
            raise _Refused(problem=f"tag {shown(tag)} is not used here; write the plain value", problem_mark=mark)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _Refused(problem=f"nested more than {MAX_DEPTH} deep", problem_mark=mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def read_source(path: Path | str, what: str = SCENARIO_FILE) -> Source:
    """Reads a file; what: as errors call it.

    Raises ScenarioError if it is missing, not UTF-8, not YAML, empty, or no mapping.
    """
    file = str(path)
    start = Place(file, 1, 1)
    try:
        with Path(path).open("rb") as stream:
            content = stream.read(MAX_FILE_BYTES + 1)
    except OSError as problem:
        reason = (problem.strerror or str(problem)).lower()
        raise Place(file).error(file, (), f"cannot be read: {reason}; give the path of a {what}") from None
    if len(content) > MAX_FILE_BYTES:
        raise Place(file).error(file, (), f"is larger than {MAX_FILE_BYTES} bytes, so it is no {what}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        place = _place_of_byte(file, content, problem.start)
        raise place.error(
            file, (), f"byte 0x{content[problem.start]:02x} is not UTF-8; save the file as UTF-8"
        ) from None
    source = Source(file, {})
    node = _compose(text, start, file)
    if node is None:
        ready = " (prism-sim example lists ready ones)" if what == SCENARIO_FILE else ""
        raise start.error(file, (), f"the file is empty; a {what} consists of lines 'field: value'{ready}")
    tree = _construct(node, (), source)
    if not isinstance(tree, dict):
        raise start.error(file, (), f"{shown(tree)} is no mapping; a {what} consists of lines 'field: value'")
    source.tree = tree
    return source


def read_value(text: str, place: Place, file: str) -> Any:
    """One YAML value (a scalar or flow collection) from a command line; errors are placed at `place`."""
    node = _compose(text, place, file)
    return None if node is None else _construct(node, (), Source(file, {}), place)


def _compose(text: str, place: Place, file: str) -> yaml.Node | None:
    try:
        composer = _Composer(text)
        try:
            return composer.get_single_node()
        finally:
            composer.dispose()
    except yaml.reader.ReaderError as problem:
        at = place if place.line is None else _place_of_byte(file, text[: problem.position].encode(), None)
        raise at.error(file, (), f"character {problem.character!r} is not allowed in YAML; remove it") from None
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        at = place if place.line is None or mark is None else Place(file, mark.line + 1, mark.column + 1)
        raise at.error(file, (), _readable(problem)) from None


def _place_of_byte(file: str, content: bytes, position: int | None) -> Place:
    before = content[:position]
    last_line = before[before.rfind(b"\n") + 1 :].decode(errors="replace")
    return Place(file, before.count(b"\n") + 1, len(last_line) + 1)


def _readable(problem: yaml.MarkedYAMLError) -> str:
    text = (problem.problem or problem.context or "cannot be read").replace("\n", " ")
    if isinstance(problem, _Refused):
        return text
    if "\\t" in text:
        return "a tab cannot stand here; indent with spaces"
    if "another document" in text or "<document start>" in text:
        return "a second document begins here ('---'); a scenario is one document"
    if "mapping values are not allowed" in text:
        return "not YAML: ':' cannot stand here; quote a text that holds ': ', and check the indentation"
    return f"not YAML: {text}; check indentation, brackets and quotes"


def _construct(node: yaml.Node, path: FieldPath, source: Source, place: Place | None = None) -> Any:
    """Plain value of a node; notes its place, unless all of it is at one given place."""
    at = place or Place(source.file, node.start_mark.line + 1, node.start_mark.column + 1)
    source.values[path] = at
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key_at = place or Place(source.file, key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            key = _key(key_node, path, source, key_at)
            if key in found:
                first = source.keys[(*path, key)]
                where = "" if place else f" (first at line {first.line})"
                raise key_at.error(source.file, (*path, key), f"is written twice{where}; remove one")
            source.keys[(*path, key)] = key_at
            found[key] = _construct(value_node, (*path, key), source, place)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_construct(item, (*path, number), source, place) for number, item in enumerate(node.value)]
    assert isinstance(node, yaml.ScalarNode)
    return _scalar(node, path, source, at)


def _key(node: yaml.Node, path: FieldPath, source: Source, at: Place) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise at.error(source.file, path, "a field's name must be text, not a list or a mapping")
    name: str = node.value
    if node.style is None and name == "<<":
        raise at.error(source.file, path, "merge keys (<<) are not used here; write the fields out")
    if node.style is None and not isinstance(_scalar(node, path, source, at), str):
        raise at.error(source.file, path, f"a field's name must be text, but {name or 'an empty one'} is written")
    return name


def _scalar(node: yaml.ScalarNode, path: FieldPath, source: Source, at: Place) -> Any:
    text: str = node.value
    if node.style is not None:  # quoted or block text
        return text
    if text in _NULL:
        return None
    if text in _BOOLEAN:
        return _BOOLEAN[text]
    if _INTEGER.fullmatch(text):
        try:
            return int(text, 0) if text.startswith(("0o", "0x")) else int(text)
        except ValueError:
            raise at.error(source.file, path, f"a number of {len(text)} digits is too long") from None
    if _FLOAT.fullmatch(text):
        return float(text.replace(".", "", 1) if text.lstrip("+-").lower() in (".inf", ".nan") else text)
    return text
