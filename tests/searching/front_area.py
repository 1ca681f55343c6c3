"""How good a front is, as a number."""

from __future__ import annotations

from collections.abc import Sequence


def hypervolume(costs: Sequence[tuple[float, float]], reference: tuple[float, float]) -> float:
    """The area that at least one of the points is better than, up to the reference point."""
    area, best = 0.0, reference[1]
    for first, second in sorted(costs):
        if first < reference[0] and second < best:
            area += (reference[0] - first) * (best - second)
            best = second
    return area
