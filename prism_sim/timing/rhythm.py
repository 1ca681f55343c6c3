"""When does a stream of requests repeat itself?

When something happens follows from sums of times and from which of two things comes later (a message or its receiver,
say). So once the events of one request come as those of the one before, or each by a step of its own later or earlier
every time, and none will overtake another until the end, the completions to come are known without playing them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 1e-9  # of a period: rounding of times

Window = NDArray[np.float64]


class Rhythm:
    """Hears the time of each event, in `moments_s`, and of each completion.

    period_s, n_period: after this time, and this number of completions, all repeats; 0 while that is not known.
    """

    def __init__(self, in_flight: int) -> None:
        self.in_flight = in_flight
        self.moments_s: list[float] = []  # of events since the last completion
        self.at_s: list[float] = [0.0]
        self.windows: list[Window] = []  # events up to each completion, in seconds after the one before
        self.n_period, self.period_s = 0, 0.0

    def completed(self, now_s: float, n_left: int) -> bool:
        """Whether the `n_left` completions after this one are known."""
        self.windows.append(np.array([*self.moments_s, now_s]) - self.at_s[-1])
        self.at_s.append(now_s)
        self.moments_s = []
        for n_period in range(1, self.in_flight + 1):
            if self._repeats(n_period, n_left):
                self.n_period, self.period_s = n_period, now_s - self.at_s[-1 - n_period]
                return True
        return False

    def _repeats(self, n_period: int, n_left: int) -> bool:
        """As many requests must agree as are under way, each of which then began among them; for a step, three."""
        tail = self.windows[-max(self.in_flight, 2 * n_period + 1) :]
        if len(tail) == len(self.windows):  # the first request fills the pipeline
            return False
        pairs = list(zip(tail, tail[n_period:], strict=False))
        slack_s = TOLERANCE * (self.at_s[-1] - self.at_s[-1 - n_period])
        if any(len(before) != len(now) or abs(now[-1] - before[-1]) > slack_s for before, now in pairs):
            return False
        steps = [now - before for before, now in pairs]
        if any(np.abs(now - before).max() > slack_s for before, now in zip(steps, steps[n_period:], strict=False)):
            return False
        n_steps = -(-n_left // n_period)
        return all(
            _keeps_order(window, step, n_steps, slack_s)
            for window, step in zip(tail[-n_period:], steps[-n_period:], strict=True)
        )


def _keeps_order(window: Window, step: Window, n_steps: int, slack_s: float) -> bool:
    """Whether no event overtakes another, the completion before the window included."""
    end = np.diff(window + n_steps * step, prepend=0.0)
    return bool(end.min() >= -slack_s)
