"""Copies of ready files for a user to change. What a user may have changed is never written over unasked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from prism_sim.kept.files import write_whole

Copies = Mapping[Path, bytes]  # what is to lie where


class WouldOverwriteError(ValueError):
    """A copy's place is taken by something else; str() is one message with its remedy."""


def write(copies: Copies, force: bool = False) -> list[Path]:
    """Writes each whole; returns those that were not there yet with this content.

    force: whatever lies there. Raises WouldOverwriteError before anything is written.
    """
    new = [path for path, content in copies.items() if not (path.is_file() and path.read_bytes() == content)]
    taken = [path for path in new if path.exists()]
    if taken and not force:
        rule = "is there already, and differs"
        raise WouldOverwriteError(f"{taken[0]}: {rule}; name another place with -o, or write over it with --force")
    for path in new:
        write_whole(path, lambda place, content=copies[path]: place.write_bytes(content))  # type: ignore[misc]
    return new
