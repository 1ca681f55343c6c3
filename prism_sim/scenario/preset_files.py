"""Presets of one's own: files with the sections devices, networks and models, each as in `presets/` of that name.

They are data: a scenario names them (`presets: [boards.yaml]`), and its numbers are checked as its own are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from prism_sim import families
from prism_sim.scenario.hardware_presets import device_entry, network_entry
from prism_sim.scenario.models import beside
from prism_sim.scenario.preset_checks import NO_FIELD, check_has, check_key, check_mapping, check_new, check_text
from prism_sim.syntax import presets
from prism_sim.syntax.errors import FieldPath, shown
from prism_sim.syntax.presets import READY, PresetBook
from prism_sim.syntax.yaml_source import Source, read_source

OF_A_MODEL = ("hub", "head", "source", "config")


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
    source = read_source(path, "presets file")
    for kind, entries in source.tree.items():
        check_key(kind, presets.KINDS, "no section of a presets file", (), source)
        check_mapping(entries, (kind,), source)
        for preset, entry in entries.items():
            here: FieldPath = (kind, preset)
            check_new(preset, here, book, source)
            check_mapping(entry, here, source)
            more: dict[str, Any] = {kind: {**getattr(book, kind), preset: ENTRIES[kind](preset, entry, here, source)}}
            book = replace(book, **more)
    return replace(book, texts=(*book.texts, (name, path.read_text(encoding="utf-8-sig"))))


def _model(name: str, entry: Mapping[str, Any], here: FieldPath, source: Source) -> presets.ModelPreset:
    for field in entry:
        check_key(field, OF_A_MODEL, NO_FIELD, here, source)
    for field in ("hub", "head", "source"):
        check_text(entry, field, here, source)
    check_has(entry, ("config",), here, source)
    config = entry["config"]
    check_mapping(config, (*here, "config"), source)
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


ENTRIES: Mapping[str, Callable[[str, Mapping[str, Any], FieldPath, Source], Any]] = {
    "models": _model,
    "devices": device_entry,
    "networks": network_entry,
}
