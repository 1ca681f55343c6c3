"""The one kind of error that a wrong scenario causes, and where in a file or command line it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

FieldPath = tuple[str | int, ...]  # ("devices", 0, "compute"), written devices[0].compute

SHOWN_CHARACTERS = 60  # of a wrong value


class ScenarioError(ValueError):
    """A scenario that cannot be used; str() is one message: place, field, value, rule, remedy.

    path: the scenario file. line, column: from 1; None where the place is a `--set`. field: dotted, "" for the file.
    """

    def __init__(
        self, message: str, path: str = "", line: int | None = None, column: int | None = None, field: str = ""
    ) -> None:
        super().__init__(message)
        self.path = path
        self.line = line
        self.column = column
        self.field = field


@dataclass(frozen=True, slots=True)
class Place:
    """A line and column of a file (from 1), or an override's own text."""

    label: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return self.label if self.line is None else f"{self.label}:{self.line}:{self.column}"

    def error(self, path: str, field: FieldPath, message: str) -> ScenarioError:
        dotted_field = dotted(field)
        subject = f"{dotted_field}: " if dotted_field else ""
        return ScenarioError(f"{self}: {subject}{message}", path, self.line, self.column, dotted_field)


def dotted(field: FieldPath) -> str:
    """('devices', 0, 'compute') -> 'devices[0].compute'."""
    text = ""
    for step in field:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def shown(value: Any) -> str:
    """A value as a message quotes it, shortened if it is long."""
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # an int of more digits than Python prints
        return f"<{type(value).__name__}>"
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 3]}..."
