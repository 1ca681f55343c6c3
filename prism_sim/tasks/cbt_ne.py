"""The Children's Book Test, names missing."""

from __future__ import annotations

from prism_sim.tasks.readers.cbt import Layout, task

TASK = task("cbt-ne", Layout(kind="NE", words="names"))
