"""The one kind of error that a wrong scenario causes, and where in a file or command line it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

FieldPath = tuple[str | int, ...]  # ("devices", 0, "compute"), written devices[0].compute

SHOWN_CHARACTERS = 60  # of a wrong value


class ScenarioError(ValueError):
    """A scenario that cannot be used; str() is one message: place, field, value, rule, remedy.

    rule: what is wrong, from the value on. reason: the message less its place. path: the scenario file.
    line, column: from 1; None where the place is a `--set`. field: dotted, "" for the file.
    """

    def __init__(
        self, rule: str, path: str = "", place: Place | None = None, field: FieldPath = (), about: str = ""
    ) -> None:
        self.rule = rule
        self.field = dotted(field)
        self.reason = ": ".join(part for part in (self.field, about, rule) if part)
        super().__init__(self.reason if place is None else f"{place}: {self.reason}")
        self.path = path
        self.line = None if place is None else place.line
        self.column = None if place is None else place.column


@dataclass(frozen=True, slots=True)
class Place:
    """A line and column of a file (from 1), or an override's own text."""

    label: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.label, self.line, self.column) if part is not None)

    def error(self, path: str, field: FieldPath, rule: str, about: str = "") -> ScenarioError:
        """about: which of several the rule speaks of, as a strategy's name."""
        return ScenarioError(rule, path, self, field, about)


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
