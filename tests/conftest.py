"""What all tests share: property tests draw the same examples on every run; files with slow tests go first."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from prism_sim import plugins

settings.register_profile("same every time", derandomize=True, deadline=None)  # however slow the machine
settings.load_profile("same every time")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """So that no worker is left with a long file when all others are done."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture
def no_plugins(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No file is loaded as a plug-in before, and what the test loads is forgotten after."""
    monkeypatch.delenv(plugins.VARIABLE, raising=False)
    monkeypatch.setattr(plugins, "_files", {})
    plugins._forget()
    yield
    plugins._files.clear()
    plugins._forget()
