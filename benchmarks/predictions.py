"""What differs between two records of predictions: pure functions of two dictionaries.

A record: scenario -> command -> the command's JSON, or {FAILED: message}.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Record: TypeAlias = Mapping[str, Mapping[str, Any]]

FAILED = "failed"
ROUNDING = 1e-9  # relative: sums in another order differ by less, and `breakeven` calls such latencies equal
# where a number comes from, and its text, which repeats it
ASIDE = frozenset({"schema", "provenance", "scenario_hash", "text"})
# what names an entry of a list, so that one more entry does not shift all that follow
IDENTITY = ("strategy", "devices", "device", "role", "part", "participant", "destination", "label", "name", "resource")


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of one command's answer; `old` and `new` as recorded."""

    scenario: str
    command: str
    field: str
    old: Any
    new: Any

    @property
    def family(self) -> tuple[str, str, str]:
        """The same for a field of every entry of a list."""
        return self.scenario, self.command, re.sub(r"\[[^\]]*\]", "[]", self.field)

    @property
    def relative(self) -> float:
        """Signed, of the old number; infinite where that is 0."""
        return (self.new - self.old) / abs(self.old) if self.old else math.copysign(math.inf, self.new)


@dataclass(frozen=True, slots=True)
class Drift:
    """moved: numbers, the largest relative difference first. turned: words, such as a winner. broken: a command began
    to fail, ceased to, or fails otherwise. gone, come: scenarios, or `scenario command field`, of one record alone.
    """

    moved: tuple[Difference, ...]
    turned: tuple[Difference, ...]
    broken: tuple[Difference, ...]
    gone: tuple[str, ...]
    come: tuple[str, ...]

    def __bool__(self) -> bool:
        return any((self.moved, self.turned, self.broken, self.gone, self.come))


def drift(old: Record, new: Record, rounding: float = ROUNDING) -> Drift:
    """Numbers whose relative difference is at most `rounding` are the same."""
    moved, turned, broken = [], [], []
    gone, come = sorted(old.keys() - new.keys()), sorted(new.keys() - old.keys())
    for scenario in sorted(old.keys() & new.keys()):
        for command in sorted(old[scenario].keys() | new[scenario].keys()):
            answers = [record[scenario].get(command, {FAILED: "not asked"}) for record in (old, new)]
            if any(FAILED in answer for answer in answers):
                words = [answer.get(FAILED, "answers") for answer in answers]
                if words[0] != words[1]:
                    broken.append(Difference(scenario, command, "", *words))
                continue
            before, after = (dict(leaves(answer)) for answer in answers)
            gone += [f"{scenario} {command} {field}" for field in before if field not in after]
            come += [f"{scenario} {command} {field}" for field in after if field not in before]
            for field in (field for field in before if field in after):
                found = Difference(scenario, command, field, before[field], after[field])
                if not (_is_number(found.old) and _is_number(found.new)):
                    turned += [found] if found.old != found.new else []
                elif abs(found.new - found.old) > rounding * max(abs(found.old), abs(found.new)):
                    moved.append(found)
    moved.sort(key=lambda each: -abs(each.relative))
    return Drift(tuple(moved), tuple(turned), tuple(broken), tuple(gone), tuple(come))


def leaves(value: Any, field: str = "") -> Iterator[tuple[str, Any]]:
    """Every number, word, and list of words, by its place: `ranks[pi-0].busy_s`. Nothing of ASIDE."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name not in ASIDE:
                yield from leaves(inner, f"{field}.{name}" if field else name)
    elif isinstance(value, list) and not all(isinstance(each, str) for each in value):
        seen: Counter[str] = Counter()
        for place, inner in enumerate(value):
            name = _name(inner, place)
            seen[name] += 1
            yield from leaves(inner, f"{field}[{name}{f' #{seen[name]}' if seen[name] > 1 else ''}]")
    else:
        yield field, value


def _name(entry: Any, place: int) -> str:
    if not isinstance(entry, Mapping):
        return str(place)
    if "text" in entry:  # a point along a varied field
        return str(entry["text"])
    words = [entry[name] for name in IDENTITY if entry.get(name) is not None]
    return " ".join("+".join(map(str, word)) if isinstance(word, list) else str(word) for word in words) or str(place)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
