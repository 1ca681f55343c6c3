"""What nothing else beats: Pareto fronts of costs, where less is better in each."""

from __future__ import annotations

from dataclasses import dataclass

Costs = tuple[float, ...]


@dataclass(frozen=True)
class PointOutcome:
    """What came of a point. costs: each objective, less is better. violation: of the conditions; 0: all are met."""

    costs: Costs
    violation: float = 0.0


def beats(one: PointOutcome, other: PointOutcome) -> bool:
    """As Deb's constrained domination: who meets the conditions, else who violates them less, else by costs."""
    if one.violation != other.violation:
        return one.violation < other.violation
    if one.violation > 0:
        return False
    return one.costs != other.costs and all(a <= b for a, b in zip(one.costs, other.costs, strict=True))


class Front:
    """Grows by one outcome after the other; of equal ones it keeps the first."""

    def __init__(self) -> None:
        self.members: dict[int, PointOutcome] = {}

    def add(self, key: int, outcome: PointOutcome) -> None:
        if any(beats(known, outcome) or known == outcome for known in self.members.values()):
            return
        self.members = {other: known for other, known in self.members.items() if not beats(outcome, known)}
        self.members[key] = outcome

    @property
    def feasible(self) -> list[int]:
        """Keys by growing costs."""
        found = [key for key, outcome in self.members.items() if outcome.violation == 0]
        return sorted(found, key=lambda key: (self.members[key].costs, key))
