"""Presets of one's own: files with the sections devices, networks and models, each as in `presets/` of that name.

They are data: a scenario names them (`presets: [boards.yaml]`), and its numbers are checked as its own are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError

from prism_sim import families
from prism_sim.catalogue import NAME, nearest
from prism_sim.scenario.models import beside
from prism_sim.scenario.network import USED_BY
from prism_sim.syntax import presets, problems
from prism_sim.syntax.errors import FieldPath, shown
from prism_sim.syntax.fields import Section
from prism_sim.syntax.presets import READY, PresetBook
from prism_sim.syntax.sections import DeviceSection, NetworkSection
from prism_sim.syntax.yaml_source import Source, read_source

FORMS: Mapping[str, type[Section]] = {"devices": DeviceSection, "networks": NetworkSection}
NOT_OF_A_PRESET = {"preset", "name", "count", "links", "access_point"}  # fields that are a scenario's own
OF_A_MODEL = ("hub", "head", "source", "config")
NO_FIELD = "not a field of such a preset"


def with_presets(source: Source) -> Source:
    """The scenario's source with the presets of the files that it names, read unless they are there already.

    Raises ScenarioError, placed in those files, for whatever is wrong with them.
    """
    stated = source.tree.get("presets", [])
    named = [one for one in stated if isinstance(one, str)] if isinstance(stated, list) else []
    if named == [name for name, _ in source.presets.texts]:
        return source
    book = READY
    for number, name in enumerate(named):
        path = beside(name, source)
        if not path.is_file():
            rule = f"{shown(name)} is no file (looked for {path}); paths are relative to the scenario file"
            raise source.error(("presets", number), rule)
        book = _with_file(book, path, name)
    return replace(source, presets=book)


def read_files(paths: Iterable[Path]) -> PresetBook:
    """Raises ScenarioError."""
    book = READY
    for path in paths:
        book = _with_file(book, path, str(path))
    return book


def _with_file(book: PresetBook, path: Path, name: str) -> PresetBook:
    source = read_source(path)
    for kind, entries in source.tree.items():
        _check_key(kind, presets.KINDS, "no section of a presets file", (), source)
        _check_mapping(entries, (kind,), source)
        for preset, entry in entries.items():
            here: FieldPath = (kind, preset)
            _check_name(preset, here, book, source)
            _check_mapping(entry, here, source)
            made = _model(preset, entry, here, source) if kind == "models" else _hardware(preset, entry, here, source)
            more: dict[str, Any] = {kind: {**getattr(book, kind), preset: made}}
            book = replace(book, **more)
    return replace(book, texts=(*book.texts, (name, path.read_text(encoding="utf-8-sig"))))


def _check_key(key: str, known: Sequence[str], wrong: str, here: FieldPath, source: Source) -> None:
    if key not in known:
        hint = nearest(key, known) or f"; known: {', '.join(known)}"
        raise source.error((*here, key), f"{shown(key)} is {wrong}{hint}", at_key=True)


def _check_mapping(value: Any, here: FieldPath, source: Source) -> None:
    if not isinstance(value, dict) or not value:
        raise source.error(here, f"{shown(value)} is not a section; write lines 'name: ...' under it")


def _check_name(name: str, here: FieldPath, book: PresetBook, source: Source) -> None:
    if not NAME.fullmatch(name):
        raise source.error(here, f"{shown(name)} is no name; use letters, digits, - _ and .", at_key=True)
    if name in book.names(str(here[0])):
        rule = f"{shown(name)} is a preset already (prism-sim list {here[0]}); give yours another name"
        raise source.error(here, rule, at_key=True)


def _hardware(name: str, entry: Mapping[str, Any], here: FieldPath, source: Source) -> presets.HardwarePreset:
    """A device or a network, whose values its section of a scenario takes."""
    form = FORMS[str(here[0])]
    known = [field for field in form.model_fields if field not in NOT_OF_A_PRESET]
    values: dict[str, Any] = {}
    for field, stated in entry.items():
        if field == "summary":
            continue
        _check_key(field, known, NO_FIELD, here, source)
        values[field] = _value(stated, (*here, field), source)
    _check_text(entry, "summary", here, source)
    try:
        form.model_validate(values)
    except ValidationError as problem:
        _refuse(problem, entry, here, source)
    if here[0] == "devices":
        _check_has(values, ("compute", "memory_bandwidth"), here, source)
        return presets.hardware_preset(name, entry)
    _check_network(values, here, source)
    return presets.hardware_preset(name, {"medium": "switch", **entry})


def _value(stated: Any, here: FieldPath, source: Source) -> Any:
    """What a field says: a word or true or false as it stands, a number with its source."""
    if isinstance(stated, dict):
        if strange := next((key for key in stated if key not in ("value", "source")), None):
            raise source.error((*here, strange), f"{shown(strange)} is neither value nor source", at_key=True)
        _check_has(stated, ("value",), here, source)
        _check_text(stated, "source", here, source)
        return stated["value"]
    if not isinstance(stated, bool) and not (isinstance(stated, str) and stated.isidentifier()):
        rule = f"{shown(stated)} has no source; write {{value: {stated}, source: ...}}, and assumption where it is one"
        raise source.error(here, rule)
    return stated


def _refuse(problem: ValidationError, entry: Mapping[str, Any], here: FieldPath, source: Source) -> NoReturn:
    detail = next(one for one in problem.errors() if one["type"] != "none_required")
    field = str(detail["loc"][0])
    place = (*here, field, "value") if isinstance(entry[field], dict) else (*here, field)
    raise source.error(place, problems.message(detail["type"], detail)) from None


def _check_network(values: Mapping[str, Any], here: FieldPath, source: Source) -> None:
    medium = values.get("medium", "switch")
    if medium == "links":
        rule = "links are a scenario's own; a preset is a switch or a shared channel"
        raise source.error((*here, "medium"), rule)
    for field in values:
        if medium not in (media := USED_BY.get(field, (medium,))):
            rule = f"is used by medium {' and '.join(media)}, but the medium is {medium}; remove it"
            raise source.error((*here, field), rule, at_key=True)
    if "bandwidth" not in values:
        _check_has(values, ("up", "down") if values.keys() & {"up", "down"} else ("bandwidth",), here, source)
    elif both := values.keys() & {"up", "down"}:
        rule = f"cannot stand beside {min(both)}; keep bandwidth (both ways), or up and down"
        raise source.error((*here, "bandwidth"), rule, at_key=True)


def _model(name: str, entry: Mapping[str, Any], here: FieldPath, source: Source) -> presets.ModelPreset:
    for field in entry:
        _check_key(field, OF_A_MODEL, NO_FIELD, here, source)
    for field in ("hub", "head", "source"):
        _check_text(entry, field, here, source)
    _check_has(entry, ("config",), here, source)
    config = entry["config"]
    _check_mapping(config, (*here, "config"), source)
    try:
        family = families.find(str(config.get("model_type")))
        if (reason := family.refuse(config)) is not None:
            raise ValueError(reason)
        family.dimensions(config)
    except (ValueError, TypeError) as problem:
        raise source.error((*here, "config"), str(problem)) from None
    try:
        family.head(entry["head"])
    except ValueError as problem:
        raise source.error((*here, "head"), str(problem)) from None
    return presets.model_preset(name, entry)


def _check_has(stated: Mapping[str, Any], fields: Iterable[str], here: FieldPath, source: Source) -> None:
    for field in fields:
        if stated.get(field) is None:
            raise source.error((*here, field), f"is missing; write a line '{field}: ...', as prism-sim list shows")


def _check_text(stated: Mapping[str, Any], field: str, here: FieldPath, source: Source) -> None:
    _check_has(stated, (field,), here, source)
    if not isinstance(stated[field], str) or not stated[field].strip():
        raise source.error((*here, field), f"{shown(stated[field])} is not text; write words")
