"""Ready scenarios by name, each with the question that its file opens with."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from prism_sim.catalogue import look_up
from prism_sim.ready.copies import Copies
from prism_sim.ready.folders import SCENARIOS, folder
from prism_sim.syntax.yaml_source import read_source

SUFFIX = ".yaml"


@dataclass(frozen=True)
class ReadyScenario:
    """path: of the file that comes with the package."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.stem

    @cached_property
    def question(self) -> str:
        """The comment at its head up to the first question mark."""
        lines = self.path.read_text(encoding="utf-8").splitlines()
        comment = " ".join(line.removeprefix("#").strip() for line in lines[: _comment_lines(lines)])
        return "".join(comment.partition("?")[:2])

    @property
    def files(self) -> tuple[Path, ...]:
        """Its own, and those beside it that it names, as presets or inputs."""
        texts = _texts(read_source(self.path).tree)
        beside = {self.path.parent / text: None for text in texts if not Path(text).is_absolute()}
        return (self.path, *(path for path in beside if path.is_file()))

    def copies(self, place: Path) -> Copies:
        """What lies where, once the scenario itself is at `place`."""
        beside = {place.parent / path.relative_to(self.path.parent): path for path in self.files[1:]}
        return {at: path.read_bytes() for at, path in {place: self.path, **beside}.items()}


def catalogue() -> dict[str, ReadyScenario]:
    """All by name, in alphabetical order."""
    return {path.stem: ReadyScenario(path) for path in sorted(folder(SCENARIOS).glob(f"*{SUFFIX}"))}


def find(name: str) -> ReadyScenario:
    """Raises ValueError with the nearest name if there is none of this name."""
    return look_up("example", name.removesuffix(SUFFIX), catalogue())


def example(name: str) -> Path:
    """The file of a ready scenario, as `load_scenario` and `run` take it. Raises ValueError with the nearest name."""
    return find(name).path


def written_by(path: Path) -> str | None:
    """The command that writes a ready scenario to this path; None if there is none of its name."""
    if path.stem not in catalogue() or path.suffix not in ("", SUFFIX):
        return None
    place = path.with_suffix(SUFFIX)
    return f"prism-sim example {path.stem}{'' if place == Path(place.name) else f' -o {shlex.quote(str(place))}'}"


def _comment_lines(lines: list[str]) -> int:
    """How many lines a file begins with that are comment."""
    return next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))


def _texts(value: Any) -> Iterator[str]:
    """All texts in a tree of mappings and lists."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)
