"""The Children's Book Test, common nouns missing."""

from __future__ import annotations

from prism_sim.tasks.readers.cbt import Layout, task

TASK = task("cbt-cn", Layout(kind="CN", words="common nouns"))
