"""How commands that compute for minutes use a processor that others use too."""

from __future__ import annotations

import os


def share_processor() -> None:
    """Lets threads of torch sleep while they wait for each other; to be called before torch is loaded.

    By default they spin: with two other busy processes on two cores, a training step took six times as long.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
