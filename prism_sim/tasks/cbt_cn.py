"""The Children's Book Test, common nouns missing."""

from __future__ import annotations

from prism_sim.tasks.readers.cbt import ClozeLayout, task

TASK = task("cbt-cn", ClozeLayout(kind="CN", words="common nouns"))
