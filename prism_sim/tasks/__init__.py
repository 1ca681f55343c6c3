"""Tasks with real data and labels: one a file, found by itself by its `TASK`. No torch here: examples are numpy."""

from __future__ import annotations

from functools import cache

from prism_sim.catalogue import discover, look_up
from prism_sim.tasks.base import DataError, DataSource, Splits, Task

__all__ = ["DataError", "DataSource", "Splits", "Task", "catalogue", "find"]


@cache
def catalogue() -> dict[str, Task]:
    """All tasks by name, in alphabetical order."""
    return {task.name: task for task in sorted(discover(__name__, "TASK", Task), key=lambda task: task.name)}


def find(name: str) -> Task:
    """Raises ValueError with the nearest name if there is none of this name."""
    return look_up("task", name, catalogue())
