"""When does a stream of requests repeat itself?

When something happens follows from sums of times and from which of two things comes later (a message or its receiver,
say). So once all happens at the same moments of one request as of the one before, while nobody gets further ahead, the
completions to come are known without playing them; and so they are if each moment comes later or earlier by a step of
its own every time, and none will overtake another until the end.

Moments, not events, are compared: of two things at the same time either may be an ulp later, and whether that one wakes
somebody, which is an event more, or finds what it needs, turns on the rounding of a time that grows. What is compared
goes back to where the oldest message that is still on its way was sent, since what it meets turns on what was sent
before it. How many requests are under way does not matter, as those that wait do so in every period; but where somebody
gets further and further ahead, as many completions are compared as there are requests under way, all of which then
began among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from operator import sub
from typing import NamedTuple

MOST_ALIKE = 8  # completions, or as many as requests are under way: the longest period that is looked for
TOLERANCE = 1e-9  # of a period: rounding of times, and moments nearer than that are one

Window = list[float]  # plain numbers: loading numpy would take longer than most streams are listened to


class StreamState(NamedTuple):
    """How things are at a completion.

    leads: how much more has been begun, by whoever may get ahead, than completed. n_posted: messages so far.
    n_arrived: of those, the first so many have arrived.
    """

    leads: tuple[int, ...]
    n_posted: int
    n_arrived: int


class Rhythm:
    """Hears the time of each event, in `moments_s`, and of each completion.

    period_s, n_period: after this time, and this number of completions, all repeats; 0 while that is not known.
    """

    def __init__(self, in_flight: int) -> None:
        self.in_flight, self.longest = in_flight, max(in_flight, MOST_ALIKE)
        self.moments_s: list[float] = []  # of events since the last completion
        self.at_s: list[float] = [0.0]
        self.windows: list[Window] = []  # moments up to each completion, in seconds after the one before
        self.leads: list[tuple[int, ...]] = []  # at the end of each
        self.n_posted: list[int] = [0]  # at the begin of each, and at the end of the last
        self.n_period, self.period_s = 0, 0.0

    def completed(self, now_s: float, state: StreamState, n_left: int) -> bool:
        """Whether the `n_left` completions after this one are known."""
        self.windows.append(_apart([*self.moments_s, now_s], self.at_s[-1], now_s))
        self.leads.append(state.leads)
        self.n_posted.append(state.n_posted)
        self.at_s.append(now_s)
        self.moments_s = []
        n_recent = 1
        while self.n_posted[-1 - n_recent] > state.n_arrived:
            n_recent += 1
        for n_period in range(1, self.longest + 1):
            for n_compared in (max(n_period, n_recent), max(n_period, self.in_flight)):
                if self._repeats(n_period, n_compared, n_left):
                    self.n_period, self.period_s = n_period, now_s - self.at_s[-1 - n_period]
                    return True
        return False

    def _repeats(self, n_period: int, n_compared: int, n_left: int) -> bool:
        """Whether the moments of so many windows are those of a period before or, if they move, have moved so twice."""
        steps = self._steps(n_period, n_compared)
        if steps is None:
            return False
        slack_s = self._slack_s(n_period)
        if all(max(map(abs, step)) <= slack_s for step in steps):
            return True
        before = self._steps(n_period, n_compared, n_period)
        if before is None or any(_furthest(*both) > slack_s for both in zip(steps, before, strict=True)):
            return False
        n_steps = -(-n_left // n_period)
        windows = self.windows[-n_compared:]
        return all(_keeps_order(window, step, n_steps, slack_s) for window, step in zip(windows, steps, strict=True))

    def _slack_s(self, n_period: int) -> float:
        return TOLERANCE * (self.at_s[-1] - self.at_s[-1 - n_period])

    def _steps(self, n_period: int, n_compared: int, n_later: int = 0) -> list[Window] | None:
        """How much later than a period before each moment came, in so many windows before the last `n_later`.

        None where they differ in more, or where the first request, which fills the pipeline, is among them.
        """
        end = len(self.windows) - n_later
        if end <= n_period + n_compared:
            return None
        steps, slack_s = [], self._slack_s(n_period)
        for number in range(end - n_compared, end):
            now, before = self.windows[number], self.windows[number - n_period]
            if n_compared < self.in_flight and self.leads[number] != self.leads[number - n_period]:
                return None
            if len(now) != len(before) or abs(now[-1] - before[-1]) > slack_s:
                return None
            steps.append(list(map(sub, now, before)))
        return steps


def _apart(moments_s: Sequence[float], begin_s: float, end_s: float) -> Window:
    """Seconds after `begin_s`, that first; of moments that are one, the first."""
    nearest_s = TOLERANCE * (end_s - begin_s)
    found = [0.0]
    for moment_s in moments_s:
        if moment_s - begin_s - found[-1] > nearest_s:
            found.append(moment_s - begin_s)
    return found


def _furthest(one: Window, other: Window) -> float:
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def _keeps_order(window: Window, step: Window, n_steps: int, slack_s: float) -> bool:
    """Whether no moment overtakes another, the completion before the window included."""
    end = [moment + n_steps * later for moment, later in zip(window, step, strict=True)]
    return all(second - first >= -slack_s for first, second in pairwise(end))
