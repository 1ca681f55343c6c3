"""What all tests share: property tests draw the same examples on every run; files with slow tests go first."""

from __future__ import annotations

import pytest
from hypothesis import settings

settings.register_profile("same every time", derandomize=True, deadline=None)  # however slow the machine
settings.load_profile("same every time")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """So that no worker is left with a long file when all others are done."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
