"""Toy tasks in the catalogue, and scenarios of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from toy_tasks import CONFIGS, task

from prism_sim import tasks
from prism_sim.scenario import Scenario, load_scenario

TOY = """\
task: toy-vit
devices:
  - {name: board, compute: 1 GFLOP/s, memory_bandwidth: 1 GB/s, count: 2}
network: {bandwidth: 100 Mbit/s, latency: 1 ms}
strategy: {name: prism, segments: 1}
"""


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    known = tasks.catalogue() | {f"toy-{family}": task(family, 40) for family in CONFIGS}
    monkeypatch.setattr(tasks, "catalogue", lambda: known)


@pytest.fixture
def load(tmp_path: Path, toys: None) -> Callable[..., Scenario]:
    def loaded(overrides: Any = (), text: str = TOY) -> Scenario:
        path = tmp_path / "case.yaml"
        path.write_text(text)
        return load_scenario(path, overrides)

    return loaded
