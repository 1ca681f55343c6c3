"""One file, one entry: finds what a package's modules offer, and the nearest name to a misspelt one."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

T = TypeVar("T")


def discover(package: str, attribute: str, kind: type[T]) -> Iterator[T]:
    """Yields `attribute` of each module of `package` that has one, in the order of the modules' names."""
    path = importlib.import_module(package).__path__
    for module in sorted(pkgutil.iter_modules(path), key=lambda found: found.name):
        offered = getattr(importlib.import_module(f"{package}.{module.name}"), attribute, None)
        if isinstance(offered, kind):
            yield offered


def nearest(name: str, names: Iterable[str]) -> str:
    """' (did you mean ...?)' for an error message, or nothing if no name comes near."""
    close = difflib.get_close_matches(name, list(names), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


def look_up(what: str, name: str, catalogue: Mapping[str, T]) -> T:
    """Raises ValueError that names the nearest entry, or all of them, if `name` is not in the catalogue."""
    if name in catalogue:
        return catalogue[name]
    hint = nearest(name, catalogue) or f"; known: {', '.join(catalogue)}"
    raise ValueError(f"{what} {name!r} is unknown{hint}")
