"""What the catalogues offer: strategies and compressors with their options, tasks, plots and model families."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from prism_sim import compressors, families, figures, strategies, tasks
from prism_sim.plugins import ATTRIBUTES
from prism_sim.strategies.base import Strategy
from prism_sim.strategies.options import Divides, declared, documentation, marks
from site_pages.fields import split_default
from site_pages.markdown import code, table


def strategies_page() -> str:
    return "\n".join(map(_strategy, strategies.nameable().values()))


def compressors_page() -> str:
    found = compressors.catalogue().values()
    return "\n".join(
        f"### {entry.name}\n\n{_sentence(entry.summary)} A {entry.kind}{', without loss' if entry.lossless else ''}. "
        f"{_settings(entry.settings)}{_source(entry.source)}\n\n{_docstring('compressors', entry)}\n"
        for entry in found
    )


def tasks_page() -> str:
    rows = [
        (code(one.name), one.summary, f"{one.family}, {'its own, small' if one.reference else 'to be given'}",
         ", ".join(one.metrics), one.source)
        for one in tasks.catalogue().values()
    ]  # fmt: skip
    return table(("task", "what is to be told", "model", "metrics", "source"), rows)


def plots_page() -> str:
    rows = [
        (code(one.name), one.summary, ", ".join(map(code, one.columns)),
         ", ".join(code(f"--{name}") for name in one.options))
        for one in figures.catalogue().values()
    ]  # fmt: skip
    return table(("plot", "what it shows", "columns that it reads", "options"), rows)


def families_page() -> str:
    rows = [
        (code(name), ", ".join(code(head.name) for head in family.heads), "yes" if family.causal else "no")
        for name, family in families.catalogue().items()
    ]
    return table(("`model_type`", "heads", "writes text"), rows)


def _strategy(entry: Strategy) -> str:
    docs = documentation(entry.options) | {
        name: f"what each rank takes of the {' and '.join(mark.items)}; see [the field](fields.md#strategy)"
        for name, mark in marks(entry.options, Divides).items()
    }
    fields: dict[str, Any] = entry.options.__dataclass_fields__  # type: ignore[attr-defined]
    rows = [
        (code(name), default or _shown(fields[name].default), meaning)
        for name, (meaning, default) in ((name, split_default(docs.get(name, ""))) for name in declared(entry.options))
    ]
    options = table(("option", "default", "meaning"), rows) if rows else "No options.\n"
    writes = "" if entry.steps or entry is strategies.AUTO else " Makes one pass only: it writes no text."
    return (
        f"### {entry.name}\n\n{_sentence(entry.summary)}{writes}{_source(entry.source)}\n\n"
        f"{_docstring('strategies', entry)}\n\n{options}"
    )


def _shown(default: Any) -> str:
    return "" if default is None else code(str(default).lower() if isinstance(default, bool) else default)


def _settings(names: Iterable[str]) -> str:
    shown = ", ".join(code(f"strategy.{name}") for name in names)
    return f"Set by {shown}." if shown else ""


def _source(text: str) -> str:
    return f" Source: {text.removesuffix('.')}." if text else ""


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _docstring(room: str, entry: Any) -> str:
    """Of the module that offers it."""
    return (_module(room, entry).__doc__ or "").strip()


def _module(room: str, entry: Any) -> ModuleType:
    package = sys.modules[f"prism_sim.{room}"]
    names = [ATTRIBUTES[room], f"{ATTRIBUTES[room]}S", entry.name.upper()]
    for found in iter_modules(package.__path__):
        module = sys.modules[f"prism_sim.{room}.{found.name}"]
        offered = [getattr(module, name, None) for name in names]
        if any(one is entry or (isinstance(one, tuple) and entry in one) for one in offered):
            return module
    raise LookupError(f"no module of {room} offers {entry.name}")
