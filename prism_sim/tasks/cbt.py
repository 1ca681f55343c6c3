"""The Children's Book Test: common nouns missing, and names missing."""

from __future__ import annotations

from prism_sim.tasks.readers.cbt import ClozeLayout, task

TASKS = (
    task("cbt-cn", ClozeLayout(kind="CN", words="common nouns")),
    task("cbt-ne", ClozeLayout(kind="NE", words="names")),
)
