"""What may stand for a partition's rows: one reducer or quantiser a file, found by itself by its `COMPRESSOR`.

A name is an entry's, or `reducer+quantiser`: rows are reduced, and what remains is packed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prism_sim.catalogue import collect, look_up, nearest
from prism_sim.compressors.base import Entry
from prism_sim.compressors.compressor import Compressor
from prism_sim.compressors.identity import Identity
from prism_sim.plugins import remembered

__all__ = ["CHAIN", "EVERY_ROW", "Compressor", "Entry", "catalogue", "create", "find", "is_lossless", "names", "parts"]

CHAIN = "+"
EVERY_ROW = Compressor(Identity())


@remembered()
def catalogue() -> dict[str, Entry]:
    """All reducers and quantisers by name, in alphabetical order."""
    return collect("compressors", Entry)


def find(name: str) -> Entry:
    """Raises ValueError with the nearest name if there is none of this name."""
    return look_up("compressor", name, catalogue())


@remembered()
def names() -> tuple[str, ...]:
    """All that a compressor may be called: the catalogue's entries, and every chain that makes sense."""
    entries = catalogue().values()
    reducers = [entry.name for entry in entries if entry.kind == "reducer" and not entry.lossless]
    quantisers = [entry.name for entry in entries if entry.kind == "quantiser"]
    return (*catalogue(), *(f"{first}{CHAIN}{second}" for first in reducers for second in quantisers))


@remembered()
def parts(name: str) -> tuple[Entry, ...]:
    """The entries that a name chains. Raises ValueError, which names the nearest that makes sense, for any other."""
    if name in names():
        return tuple(find(part) for part in name.split(CHAIN))
    if CHAIN not in name:
        find(name)  # raises
    given = [part.strip() for part in name.split(CHAIN)]
    for part in given:
        if part not in catalogue():
            hint = nearest(name, names()) or nearest(part, catalogue()) or f"; known: {', '.join(catalogue())}"
            raise ValueError(f"compressor {name!r}: {part!r} is unknown{hint}")
    raise ValueError(f"compressor {name!r} makes no sense: {_fault([find(part) for part in given])}")


def _fault(given: list[Entry]) -> str:
    """Why entries that are known do not make a chain, and what may be meant."""
    reducers = [entry.name for entry in given if entry.kind == "reducer" and not entry.lossless]
    quantisers = [entry.name for entry in given if entry.kind == "quantiser"]
    meant = CHAIN.join((*reducers[:1], *quantisers[:1])) or given[0].name
    if len(quantisers) > 1:
        rule = f"{quantisers[0]} packs rows, which {quantisers[1]} cannot pack again"
    elif len(reducers) > 1:
        rule = f"only one of {', '.join(reducers)} can say for which tokens a row stands"
    elif any(entry.lossless for entry in given):
        rule = f"{next(entry.name for entry in given if entry.lossless)} changes nothing"
    else:
        rule = f"{quantisers[0]} packs rows, which cannot be reduced any more; reduce them first"
    return f"{rule}; did you mean {meant!r}?"


def create(name: str, settings: Mapping[str, Any]) -> Compressor:
    """The compressor of this name. settings: as each part's `Entry.settings` asks for; of others nothing is taken.

    Raises ValueError for a name that `parts` does not know, and for settings that a part cannot take.
    """
    made: dict[str, Any] = {}
    for entry in parts(name):
        taken = {setting: settings[setting] for setting in entry.settings if settings.get(setting) is not None}
        made[entry.kind] = entry.create(**taken)
    return Compressor(made.get("reducer", Identity()), made.get("quantiser"))


def is_lossless(name: str) -> bool:
    """Whether nothing is lost, whatever the settings."""
    return all(entry.lossless for entry in parts(name))
