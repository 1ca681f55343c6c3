"""A tiny scenario with a sweep, and the command in processes of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from sweep_runs import TINY

from prism_sim.scenario import Scenario, load_scenario

GRID = """\
sweep:
  network.bandwidth: {from: 10 Mbit/s, to: 1 Gbit/s, points: 5, scale: log}
  network.latency: [1 ms, 2 ms]
  strategy.segments: [1, 2, 3]
  strategy.name: [prism, voltage]
"""


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    """The tiny scenario with this sweep section, as a file."""

    def write(sweep: str = GRID, name: str = "tiny.yaml") -> Path:
        path = tmp_path / name
        path.write_text(TINY + sweep)
        return path

    return write


@pytest.fixture
def load(written: Callable[[str], Path]) -> Callable[..., Scenario]:
    def loaded(sweep: str = GRID, overrides: Iterable[str] = ()) -> Scenario:
        return load_scenario(written(sweep), overrides)

    return loaded
