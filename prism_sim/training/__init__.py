"""Small reference models: trained once, in minutes, seeded and resumable, then found in the user's cache."""

from __future__ import annotations

from pathlib import Path

from prism_sim.progress import SILENT, Progress
from prism_sim.tasks import Task
from prism_sim.training.checkpoint import TrainingError

__all__ = ["TrainingError", "reference"]


def reference(task: Task, seed: int = 0, progress: Progress = SILENT) -> Path:
    """The folder of the task's reference model (as `model: {hf: FOLDER}` takes it); trains it if it is not there.

    progress: is told before a training, and how it goes. Raises TrainingError for a task without a reference model, a
    damaged checkpoint or state, OSError where nothing can be written.
    """
    from prism_sim.training.references import TrainingRequest, obtain

    return obtain(TrainingRequest(task, seed), progress).folder
