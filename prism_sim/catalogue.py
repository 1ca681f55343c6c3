"""One file, one entry: finds what a package's modules and plug-ins offer, and the nearest name to a misspelt one."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from prism_sim import plugins
from prism_sim.plugins import PluginError

T = TypeVar("T")

NAME = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII)  # as in files, on the command line, and between + of a chain


def discover(package: str, attribute: str, kind: type[T]) -> Iterator[T]:
    """Yields `attribute` of each module of `package` that has one, in the order of the modules' names.

    A module may offer several, as a tuple under the attribute's plural.
    """
    path = importlib.import_module(package).__path__
    for found in sorted(pkgutil.iter_modules(path), key=lambda found: found.name):
        module = importlib.import_module(f"{package}.{found.name}")
        for offered in (getattr(module, attribute, None), *getattr(module, f"{attribute}S", ())):
            if isinstance(offered, kind):
                yield offered


def collect(room: str, kind: type[T], reserved: Iterable[str] = ()) -> dict[str, T]:
    """What a room's own modules and plug-ins offer, by name, in alphabetical order.

    reserved: names that no plug-in may have. Raises PluginError for a plug-in's entry that is of no use here.
    """
    name = "model_type" if room == "families" else "name"
    found = {getattr(own, name): own for own in discover(f"prism_sim.{room}", plugins.ATTRIBUTES[room], kind)}
    for offer in plugins.offers(room):
        what = f"{offer.origin}: {plugins.ATTRIBUTES[room]}"
        if not isinstance(offer.entry, kind):
            wrong = type(offer.entry).__name__
            raise PluginError(f"{what} is of the type {wrong}, but must be a {kind.__module__}.{kind.__name__}")
        if not (isinstance(offer.name, str) and NAME.fullmatch(offer.name)):
            raise PluginError(f"{what} has the {name} {offer.name!r}; give it one of letters, digits, - _ and .")
        if offer.name in (*found, *reserved):
            raise PluginError(f"{what} has the {name} {offer.name!r}, which exists; give it another")
        found[offer.name] = offer.entry
    return dict(sorted(found.items()))


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
