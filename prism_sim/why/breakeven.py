"""`breakeven`: where along one field two strategies cost the same time, and which of them wins on which side."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import Any

from prism_sim import strategies
from prism_sim.choice.auto import resolved
from prism_sim.scenario import Scenario, ScenarioError
from prism_sim.simulation.fit_samples import N_SAMPLES
from prism_sim.simulation.memory import lacking
from prism_sim.simulation.placed import placed
from prism_sim.simulation.simulate import simulate
from prism_sim.syntax.errors import Place
from prism_sim.why.breakeven_range import Pair, SampledPoint, SampledScan, moved_interval
from prism_sim.why.order_change import OrderChange, VariedPoint, merged
from prism_sim.why.varied import Varied, varied

SCHEMA = "prism-sim/breakeven/1"
DEFAULT_POINTS = 64
EQUAL = 1e-3  # relative; at a place where the order changes and latencies differ by more, one of them jumps
MOST_HALVINGS = 60
CHOSEN = "auto"  # shares that serve a strategy, where the scenario is silent about them


@dataclass(frozen=True)
class BreakEven:
    """own: the scenario's strategy; other: what it is compared with. points: the scan, in order, skipped ones too.

    shares: the word by which a silent scenario's shares were chosen, if they were uneven anywhere; else None.
    scan: of samples; None where no number has an interval, or the plans are too large.
    """

    scenario: Scenario
    varied: Varied
    own: str
    other: str
    points: tuple[VariedPoint, ...]
    crossings: tuple[OrderChange, ...]
    shares: str | None = None
    scan: SampledScan | None = None

    @property
    def simulated(self) -> list[VariedPoint]:
        return [point for point in self.points if point.reason is None]

    @property
    def changes(self) -> bool:
        """Whether the field changes either latency at all."""
        return len({(point.own_s, point.other_s) for point in self.simulated}) > 1

    def winner(self, point: VariedPoint) -> str | None:
        """None: they are equally fast."""
        return {-1: self.own, 0: None, 1: self.other}[point.sign]

    @property
    def skipped(self) -> list[tuple[float, float, int, str]]:
        """First and last amount of neighbouring points that could not be simulated for one reason, how many, why."""
        found = []
        for alike, run in groupby(self.points, key=lambda point: re.sub(r"\d+", "#", point.reason or "")):
            if alike:
                points = list(run)
                found.append((points[0].amount, points[-1].amount, len(points), points[0].reason or ""))
        return found

    def to_json(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "name": self.scenario.name,
            "field": self.varied.field,
            "unit": self.varied.unit.base if self.varied.unit else None,
            "from": self.varied.low,
            "to": self.varied.high,
            "strategy": self.own,
            "against": self.other,
            "shares": self.shares,
            "crossings": [self._crossing(crossing) for crossing in self.crossings],
            "winner_throughout": self.winner(self.simulated[0]) if not self.crossings else None,
            "points": [self._point(point) for point in self.simulated],
            "skipped": [
                {"from": low, "to": high, "points": n, "reason": reason} for low, high, n, reason in self.skipped
            ],
            "ranges": None if self.scan is None else {"samples": N_SAMPLES, "changing": self.scan.n_changing},
            "scenario_hash": self.scenario.hash,
        }

    def moved(self, crossing: OrderChange) -> list[float]:
        """Where each sample that has such a crossing has it; nothing where none was sampled, or it is at no amount."""
        if self.scan is None or crossing.at is None:
            return []
        return self.scan.moved(crossing.at.amount, crossing.low.sign or -crossing.high.sign)

    def _point(self, point: VariedPoint) -> dict[str, Any]:
        sampled = None if self.scan is None else self.scan.point(point.amount)
        own, other = (None, None) if sampled is None else sampled.intervals_s
        return {
            "latency_range_s": None if own is None else list(own),
            "against_latency_range_s": None if other is None else list(other),
            "value": point.amount,
            "text": self.varied.text(point.amount),
            "latency_s": None if math.isinf(point.own_s) else point.own_s,
            "against_latency_s": None if math.isinf(point.other_s) else point.other_s,
        }

    def _crossing(self, crossing: OrderChange) -> dict[str, Any]:
        moved = self.moved(crossing)
        within = moved_interval(moved)
        return {
            "kind": crossing.kind,
            "at": None if crossing.at is None else self._point(crossing.at),
            "at_range": None if within is None else list(within),
            "at_samples": len(moved) if self.scan is not None and crossing.at is not None else None,
            "low": self._point(crossing.low),
            "high": self._point(crossing.high),
            "winner_below": self.winner(crossing.low),
            "winner_above": self.winner(crossing.high),
        }


def break_even(
    scenario: Scenario,
    vary: str,
    against: str,
    start: str | None = None,
    stop: str | None = None,
    n_points: int = DEFAULT_POINTS,
) -> BreakEven:
    """Scans the field from `start` to `stop` (texts, with units) and halves every interval in which the order changes.

    What crosses twice between two neighbouring points of the scan is not seen.
    Raises ScenarioError where field, range or strategy are wrong, or where no point can be simulated.
    """
    scenario = resolved(scenario)
    own, file, place = scenario.strategy.name, str(scenario.path), Place(f"--against {against}")
    try:
        other = strategies.find(against).name
    except ValueError as error:
        raise place.error(file, (), f"{error} (prism-sim list strategies)") from None
    if other == strategies.AUTO.name:
        raise place.error(file, (), "stands for a choice, not for a strategy; name one (prism-sim list strategies)")
    if other == own:
        raise place.error(file, (), "is the scenario's own strategy; name another, or set strategy.name")
    if n_points < 2:
        raise Place(f"--points {n_points}").error(file, (), "must be >= 2")
    search = _Search(scenario, varied(scenario, vary, start, stop), other)
    points = [search.point(amount) for amount in search.varied.points(n_points)]
    simulated = [point for point in points if point.reason is None]
    if not simulated:
        rule = f"no point of the range can be simulated; the first: {points[0].reason}"
        raise Place(f"--vary {vary}").error(file, (), rule)
    crossings = list(merged([crossing for a, b in pairwise(simulated) for crossing in search.between(a, b)]))
    shares = CHOSEN if search.uneven else None
    shown = {*simulated, *(crossing.at for crossing in crossings if crossing.at is not None)}
    sampled = (SampledPoint.of(one.amount, search.pairs[one.amount]) for one in shown if one.amount in search.pairs)
    scan = SampledScan.of(search.varied, sampled)
    return BreakEven(scenario, search.varied, own, other, tuple(points), tuple(crossings), shares, scan)


@dataclass
class _Search:
    scenario: Scenario
    varied: Varied
    other: str
    known: dict[float, VariedPoint] = field(default_factory=dict)
    pairs: dict[float, Pair] = field(default_factory=dict)  # by amount, where they may be sampled
    uneven: bool = False  # whether shares that were chosen were

    def point(self, amount: float) -> VariedPoint:
        if amount not in self.known:
            try:
                self.known[amount] = self.simulated(amount)
            except ScenarioError as error:
                self.known[amount] = VariedPoint(amount, reason=error.reason)
        return self.known[amount]

    def simulated(self, amount: float) -> VariedPoint:
        """Each with the shares that serve it, where the scenario is silent about them."""
        scenario = self.scenario.with_overrides({self.varied.field: self.varied.value(amount)})
        with placed(scenario):
            own, other = (simulate(scenario, name, silent_shares=CHOSEN) for name in (None, self.other))
        if (pair := Pair.of(scenario, own, other)) is not None:
            self.pairs[amount] = pair
        if "shares" not in scenario.written.strategy_fields:
            self.uneven |= any(one.share_kind not in (None, "equal") for one in (own, other))
        reason = None
        if not own.fits and not other.fits:
            missed = [(one.job.strategy, lacking(one)) for one in (own, other)]
            reason = " and ".join(f"{name} does not fit the memory of {one.device}" for name, one in missed if one)
        own_s, other_s = (one.latency_s if one.fits else math.inf for one in (own, other))
        return VariedPoint(amount, own_s, other_s, reason)

    def between(self, a: VariedPoint, b: VariedPoint, halvings: int = 0) -> Iterator[OrderChange]:
        """Where the order changes between two points."""
        if a.sign == b.sign:
            return
        amount = self.varied.between(a.amount, b.amount) if halvings < MOST_HALVINGS else None
        if amount is None:
            yield self.crossing(a, b)
            return
        middle = self.point(amount)
        if middle.reason is not None:
            yield OrderChange(a, b, "gap")
            return
        yield from self.between(a, middle, halvings + 1)
        yield from self.between(middle, b, halvings + 1)

    def crossing(self, a: VariedPoint, b: VariedPoint) -> OrderChange:
        if any(math.isinf(seconds) for point in (a, b) for seconds in (point.own_s, point.other_s)):
            return OrderChange(a, b, "fits")
        if self.varied.whole:
            return OrderChange(a, b, "flips")
        nearest = min(a, b, key=lambda point: abs(point.own_s - point.other_s))
        if abs(nearest.own_s - nearest.other_s) <= EQUAL * nearest.other_s:
            return OrderChange(a, b, "equal", nearest)
        return OrderChange(a, b, "jumps")
