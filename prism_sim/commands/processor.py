"""How commands that compute for minutes use a processor that others use too."""

from __future__ import annotations

import os

SPINS = 3_000  # of GNU OpenMP: about as long as passes between two products of a small model


def share_processor() -> None:
    """Lets threads of torch sleep soon while they wait for each other; to be called before torch is loaded.

    By default they spin for long: with two other busy processes on two cores, a step of training took two to six times
    as long. Where they do not spin at all, waking them costs up to a third of a step.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", str(SPINS))
