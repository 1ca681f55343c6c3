"""Where a mean of several tokens may stand under rotary positions: at the mean of theirs, as it does, or at one's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

from torch import Tensor

from prism_sim.numeric import model
from prism_sim.partition import Keys, ranges

Places = Callable[[Keys, Tensor, Tensor | None], Tensor]  # of keys, given positions and padding


def of_each_runs(token: int) -> Places:
    """The place of this token of each run that a key stands for: 0 is its first, -1 its last."""

    def places(keys: Keys, positions: Tensor, padding: Tensor | None) -> Tensor:
        return positions[:, [keys.tokens[run[token]] for run in ranges(keys.counts)]]

    return places


PLACES: dict[str, Places] = {"mean": model.mean_positions, "first": of_each_runs(0), "last": of_each_runs(-1)}


@contextmanager
def standing(place: str) -> Iterator[None]:
    """Within it, and in this process alone, means stand there; without padding, and nothing that goes by content."""
    with patch.object(model, "mean_positions", PLACES[place]):
        yield
