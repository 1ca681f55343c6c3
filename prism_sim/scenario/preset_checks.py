"""Rules of an entry in a presets file: its keys, sections and words. All raise ScenarioError, placed in that file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from prism_sim.catalogue import NAME, nearest
from prism_sim.syntax.errors import FieldPath, shown
from prism_sim.syntax.presets import PresetBook
from prism_sim.syntax.yaml_source import Source

NO_FIELD = "not a field of such a preset"


def check_key(key: str, known: Sequence[str], wrong: str, here: FieldPath, source: Source) -> None:
    if key not in known:
        hint = nearest(key, known) or f"; known: {', '.join(known)}"
        raise source.error((*here, key), f"{shown(key)} is {wrong}{hint}", at_key=True)


def check_mapping(value: Any, here: FieldPath, source: Source) -> None:
    if not isinstance(value, dict) or not value:
        raise source.error(here, f"{shown(value)} is not a section; write lines 'name: ...' under it")


def check_name(name: str, here: FieldPath, source: Source) -> None:
    if not NAME.fullmatch(name):
        raise source.error(here, f"{shown(name)} is no name; use letters, digits, - _ and .", at_key=True)


def check_new(name: str, here: FieldPath, book: PresetBook, source: Source) -> None:
    check_name(name, here, source)
    if name in book.names(str(here[0])):
        rule = f"{shown(name)} is a preset already (prism-sim list {here[0]}); give yours another name"
        raise source.error(here, rule, at_key=True)


def check_has(stated: Mapping[str, Any], fields: Iterable[str], here: FieldPath, source: Source) -> None:
    for field in fields:
        if stated.get(field) is None:
            raise source.error((*here, field), f"is missing; write a line '{field}: ...', as prism-sim list shows")


def check_text(stated: Mapping[str, Any], field: str, here: FieldPath, source: Source) -> None:
    check_has(stated, (field,), here, source)
    if not isinstance(stated[field], str) or not stated[field].strip():
        raise source.error((*here, field), f"{shown(stated[field])} is not text; write words")
