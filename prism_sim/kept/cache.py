"""Where results that took long are kept between runs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from prism_sim.kept.files import write_whole
from prism_sim.progress import Progress

T = TypeVar("T")


def cache_folder(kind: str) -> Path:
    """The folder for results of this kind: in `$PRISM_SIM_CACHE`, or in `prism-sim` in the user's cache folder."""
    if stated := os.environ.get("PRISM_SIM_CACHE"):
        return Path(stated) / kind
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "prism-sim" / kind


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """A kind of result that is computed once. schema: of the file that holds it. label: for the user.

    to_json, of_json: a result as a JSON object and back; of_json may raise TypeError, KeyError or ValueError for what
    is no such result.
    """

    label: str
    schema: str
    to_json: Callable[[T], Mapping[str, Any]]
    of_json: Callable[[dict[str, Any]], T]

    def at(self, path: Path, compute: Callable[[], T], progress: Progress) -> T:
        """What is kept there; computed, and kept from now on, if there is nothing, or nothing whole.

        progress: told if it cannot be kept.
        """
        found = self._read(path)
        if found is not None:
            return found
        made = compute()
        try:
            write_whole(path, json.dumps({"schema": self.schema, **self.to_json(made)}))
        except OSError as error:
            progress.line(f"{self.label} could not be kept for the next time: {error}")
        return made

    def _read(self, path: Path) -> T | None:
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return self.of_json(found) if found.pop("schema") == self.schema else None
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None
