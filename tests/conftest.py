"""What all tests share: a cache of each test's own and a tiny scenario.

Property tests draw the same examples on every run; files with slow tests go first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from prism_sim import plugins
from prism_sim.scenario import Scenario, load_scenario

settings.register_profile("same every time", derandomize=True, deadline=None)  # however slow the machine
settings.load_profile("same every time")

# Memory and launches cost nothing here, so a rank's time is its FLOPs / 1e9. Weights are large enough that means err.
TINY = """\
name: tiny
model:
  dims: {model_type: bert, hidden_size: 16, num_hidden_layers: 3, num_attention_heads: 2, intermediate_size: 32,
    vocab_size: 300, max_position_embeddings: 64, type_vocab_size: 2, initializer_range: 0.5}
workload: {tokens: 12}
placement: {input: replicated, output: in_place}
devices:
  - {name: board, compute: 1 GFLOP/s, memory_bandwidth: 1000000 GB/s, count: 2}
network: {bandwidth: 100 Mbit/s, latency: 1 ms}
strategy: {name: prism, segments: 2}
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """So that no worker is left with a long file when all others are done."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def cache_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Without end, none made: most tests keep nothing."""
    return (tmp_path_factory.getbasetemp() / f"cache-{number}" for number in count())


@pytest.fixture(autouse=True)
def own_cache(cache_folders: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads what another, or the user, has kept."""
    folder = next(cache_folders)
    monkeypatch.setenv("PRISM_SIM_CACHE", str(folder))
    return folder


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Scenario]:
    """A scenario from overrides of the tiny one, or of another text."""

    def loaded(overrides: Iterable[str] | Mapping[str, Any] = (), text: str = TINY) -> Scenario:
        path = tmp_path / "case.yaml"
        path.write_text(text)
        return load_scenario(path, overrides)

    return loaded


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless chromium; the test is skipped, with the reason, where the machine has none."""
    from browsers import a_browser

    with a_browser() as opened:
        yield opened


@pytest.fixture
def no_plugins(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No file is loaded as a plug-in before, and what the test loads is forgotten after."""
    monkeypatch.delenv(plugins.VARIABLE, raising=False)
    monkeypatch.setattr(plugins, "_files", {})
    plugins._forget()
    yield
    plugins._files.clear()
    plugins._forget()
