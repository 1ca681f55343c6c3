"""Lessons by number and name: notebooks `NN_name.py` of one folder, which may import what lies beside them."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from prism_sim.catalogue import look_up
from prism_sim.ready.copies import Copies
from prism_sim.ready.folders import LESSONS, folder

_FILE = re.compile(r"(\d+)_(\w+)\.py")
_DURATION = re.compile(r"\*\*Time:\*\* ([^.*]+)")


@dataclass(frozen=True)
class Lesson:
    """path: of the notebook that comes with the package."""

    number: int
    name: str
    path: Path

    @cached_property
    def _lines(self) -> list[str]:
        """Of the notebook's texts, in its order."""
        tree = ast.parse(self.path.read_text(encoding="utf-8"))
        texts = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
        texts.sort(key=lambda node: (node.lineno, node.col_offset))
        return [line.strip() for text in texts for line in str(text.value).splitlines()]

    @property
    def title(self) -> str:
        """The first heading, without its number; the name where there is none."""
        heading = next((line.removeprefix("# ") for line in self._lines if line.startswith("# ")), self.name)
        return re.sub(r"^\d+[.:] *", "", heading)

    @property
    def duration(self) -> str:
        """The time that the notebook says it takes; "" where it does not."""
        return next((match[1] for line in self._lines if (match := _DURATION.match(line))), "")

    def copies(self, place: Path) -> Copies:
        """What lies where, once the notebook is at `place`: beside it, what it imports of its own folder."""
        shared = {place.parent / path.name: path for path in _imported(self.path)}
        return {at: path.read_bytes() for at, path in {**shared, place: self.path}.items()}


def catalogue() -> dict[str, Lesson]:
    """All by name, in the order of their numbers; solutions, in a folder of their own, are none."""
    named = ((_FILE.fullmatch(path.name), path) for path in folder(LESSONS).glob("*.py"))
    found = sorted((int(match[1]), match[2], path) for match, path in named if match)
    return {name: Lesson(number, name, path) for number, name, path in found}


def find(wanted: str) -> Lesson:
    """By its number, its name or both. Raises ValueError with the nearest name if there is none."""
    known = catalogue()
    if wanted.isdecimal():
        numbers = {lesson.number: lesson for lesson in known.values()}
        if int(wanted) not in numbers:
            raise ValueError(f"there is no lesson {wanted}; known: {', '.join(map(str, numbers))}")
        return numbers[int(wanted)]
    match = _FILE.fullmatch(wanted if wanted.endswith(".py") else f"{wanted}.py")
    return look_up("lesson", match[2] if match else wanted, known)


def _imported(path: Path) -> set[Path]:
    """Files beside a Python file that it imports, and that these import."""
    found: set[Path] = set()
    waiting = {path}
    while waiting:
        nodes = [*ast.walk(ast.parse(waiting.pop().read_text(encoding="utf-8")))]
        names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
        names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
        new = {path.parent / f"{name}.py" for name in names if (path.parent / f"{name}.py").is_file()} - found
        found |= new
        waiting |= new
    return found
