"""Tasks with real data and labels, found by themselves: a file offers its `TASK`, or of a kin of them its `TASKS`.

No torch here: examples are numpy.
"""

from __future__ import annotations

from prism_sim.catalogue import collect, look_up
from prism_sim.plugins import remembered
from prism_sim.tasks.base import DataError, DataSource, Splits, Task

__all__ = ["DataError", "DataSource", "Splits", "Task", "catalogue", "find"]


@remembered()
def catalogue() -> dict[str, Task]:
    """All tasks by name, in alphabetical order."""
    return collect("tasks", Task)


def find(name: str) -> Task:
    """Raises ValueError with the nearest name if there is none of this name."""
    return look_up("task", name, catalogue())
