"""The split with the least simulated latency: ranks exchange items for as long as that helps."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, pairwise, permutations

from prism_sim.partition import shared_split
from prism_sim.plan import Plan
from prism_sim.shapes.interpreter import predict
from prism_sim.shares.setting import Played, Setting, Sizes, rounded

ALL_UP_TO = 128  # splits: so many are simply all simulated
MOST_SIMULATIONS = 2000  # divided by the ranks: the time of a simulation grows with them
GRID = 32  # splits over two ranks that are tried, evenly spaced
REFINED = 4  # of what is tried, the best, from which ranks begin to exchange
ANNOUNCED_AFTER_S = 1.0
TINY_S = 1e-12  # of work; less is none
NOTHING = 1e-9  # items; a rank still gets one

# the score of `Played`, and what each rank's device is busy for, the busiest first: of two splits equally slow,
# say because two ranks are, that is better which is on the way to a faster one
Score = tuple[tuple[int, float], tuple[float, ...]]
WORST: Score = ((sys.maxsize, math.inf), ())
NO_BOUND = (0, 0.0)


def balanced_shares(one: Played, other: Played) -> tuple[float, ...]:
    """Shares by which all ranks' devices are busy equally long, if each is so for a while, and longer by each item.

    Both are read off two splits. Who would be busy too long with nothing is left with next to nothing.
    """
    lines = [
        _line(first, last, first_s, last_s)
        for first, last, first_s, last_s in zip(one.sizes, other.sizes, one.busy_s, other.busy_s, strict=True)
    ]
    n_items, working = sum(one.sizes), set(range(len(lines)))
    while True:
        pace = sum(1 / lines[rank][1] for rank in working)
        level_s = (n_items + sum(lines[rank][0] / lines[rank][1] for rank in working)) / pace
        idle = {rank for rank in working if lines[rank][0] >= level_s}
        if not idle:
            break
        working -= idle
    sizes = [
        (level_s - start_s) / item_s if rank in working else NOTHING for rank, (start_s, item_s) in enumerate(lines)
    ]
    return tuple(size / sum(sizes) for size in sizes)


def _line(first: int, last: int, first_s: float, last_s: float) -> tuple[float, float]:
    """Seconds with no items, and a further item's: through both points, or through nothing where they do not rise."""
    if first != last and (item_s := (last_s - first_s) / (last - first)) > TINY_S:
        return max(0.0, first_s - item_s * first), item_s
    return 0.0, max(first_s / max(first, 1), TINY_S)


def has_few_splits(setting: Setting) -> bool:
    """Whether all can simply be simulated."""
    n_ranks = setting.job.n_ranks
    n_free = setting.n_items - setting.least * n_ranks
    return math.comb(n_free + n_ranks - 1, n_ranks - 1) <= ALL_UP_TO


def least_latency_split(setting: Setting, starts: Iterable[Sequence[float]]) -> Sizes:
    """Sizes of the finest of what is split; never slower than those of the shares in `starts`, of equals the first.

    A split that does not fit the devices' memory loses against any that does. Found by exchange in halving steps from
    the best of the starts; exact where there are few splits. Deterministic. Raises ValueError where the ranks are too
    many.
    """
    search = _Search(setting)
    search.run([shared_split(search.n_items, shares, setting.least) for shares in starts])
    return min(search.scores, key=search.scores.__getitem__)


class _Search:
    def __init__(self, setting: Setting) -> None:
        self.setting, self.n_ranks = setting, setting.job.n_ranks
        self.n_items, self.least = setting.n_items, setting.least
        self.most = MOST_SIMULATIONS // self.n_ranks
        self.scores: dict[Sizes, Score] = {}
        self.bounds: dict[Sizes, tuple[int, float]] = {}  # of what was not played, since it could not be better
        self.busy_s: dict[Sizes, tuple[float, ...]] = {}  # by rank
        self.begin_s, self.announced = time.perf_counter(), False

    def run(self, starts: list[Sizes]) -> None:
        for sizes in starts:
            self.score(sizes)
        if has_few_splits(self.setting):
            best = min(starts, key=self.score)
            for sizes in _all_splits(self.n_items, self.n_ranks, self.least):
                if self.is_better(sizes, self.score(best)):
                    best = sizes
            return
        if self.n_ranks == 2:
            n_points = max(GRID, 2 * self.setting.items.get("heads", 0))  # each number of heads at least once
            for point in range(1, n_points):
                own = max(self.least, self.n_items * point // n_points)
                self.is_better((own, self.n_items - own), self.worst_refined())
            step = self.n_items // n_points
        else:
            self.score(self.balanced(min(starts, key=self.score)))
            step = self.n_items // (2 * self.n_ranks)
        for sizes in sorted(self.scores, key=self.scores.__getitem__)[:REFINED]:
            self.exchange(sizes, 1 << max(0, step.bit_length() - 1))

    def worst_refined(self) -> Score:
        """What a split must be better than if ranks shall begin to exchange from it."""
        best = sorted(self.scores.values())[:REFINED]
        return best[-1] if len(best) == REFINED else WORST

    def is_better(self, sizes: Sizes, than: Score) -> bool:
        """Plays no split whose memory, or work and bytes alone, are worse than that."""
        if sizes in self.scores or self.bounds.get(sizes, NO_BOUND) > than[0]:
            return sizes in self.scores and self.scores[sizes] < than
        split = self.setting.split(sizes)
        plan = predict.__wrapped__(split.job)
        self.bounds[sizes] = split.least_score(plan)
        self.tell()
        return self.bounds[sizes] <= than[0] and self.score(sizes, plan) < than

    def score(self, sizes: Sizes, plan: Plan | None = None) -> Score:
        """plan: of the split, where it is at hand."""
        if sizes not in self.scores:
            split = self.setting.split(sizes)
            played = split.played(predict.__wrapped__(split.job) if plan is None else plan)  # there is no end of splits
            self.bounds.pop(sizes, None)
            self.busy_s[sizes] = played.busy_s
            self.scores[sizes] = played.score, tuple(map(rounded, sorted(played.busy_s, reverse=True)))
            self.tell()
        return self.scores[sizes]

    def balanced(self, sizes: Sizes) -> Sizes:
        """As many items for each rank as would keep it busy for as long as the others, if all items were alike."""
        pace = [size / max(busy_s, TINY_S) for size, busy_s in zip(sizes, self.busy_s[sizes], strict=True)]
        return shared_split(self.n_items, [one / sum(pace) for one in pace], self.least)

    def tell(self) -> None:
        if not self.announced and time.perf_counter() - self.begin_s > ANNOUNCED_AFTER_S:
            self.announced = True
            name = self.setting.job.strategy
            self.setting.progress.line(f"searching the best shares of {name} over {self.n_ranks} ranks")

    def exchange(self, start: Sizes, step: int) -> None:
        """Follows what is better than `start`, in steps of so many items, then in ever smaller ones."""
        best = start
        while step:
            better = next((moved for moved in self.moves(best, step) if self.is_better(moved, self.score(best))), None)
            if better is None:
                step //= 2
            else:
                best = better

    def moves(self, sizes: Sizes, step: int) -> Iterator[Sizes]:
        """From the busiest rank to the idlest first; all pairs only of single items. Ends with the simulations."""
        busy_s = self.busy_s[sizes]
        pairs = sorted(permutations(range(self.n_ranks), 2), key=lambda pair: busy_s[pair[1]] - busy_s[pair[0]])
        for giver, taker in pairs if step == 1 else pairs[: 2 * self.n_ranks]:
            if sizes[giver] >= step + self.least:
                moved = list(sizes)
                moved[giver] -= step
                moved[taker] += step
                n_known = len(self.scores) + len(self.bounds)
                if n_known < self.most or tuple(moved) in self.scores or tuple(moved) in self.bounds:
                    yield tuple(moved)


def _all_splits(n_items: int, n_parts: int, least: int) -> Iterator[Sizes]:
    """Splits into parts of at least 1, less what that is too much."""
    spare = 1 - least
    for cuts in combinations(range(1, n_items + spare * n_parts), n_parts - 1):
        yield tuple(stop - start - spare for start, stop in pairwise((0, *cuts, n_items + spare * n_parts)))
