"""The Children's Book Test, names missing."""

from __future__ import annotations

from prism_sim.tasks.readers.cbt import ClozeLayout, task

TASK = task("cbt-ne", ClozeLayout(kind="NE", words="names"))
