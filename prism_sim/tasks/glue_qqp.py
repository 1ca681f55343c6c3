"""GLUE QQP: do two questions ask the same."""

from __future__ import annotations

from prism_sim.tasks.readers.glue import GlueLayout, task

TASK = task(
    "glue-qqp",
    "do two questions ask the same",
    ("f1", "accuracy"),
    GlueLayout(
        name="QQP",
        folder="QQP",
        config="qqp",
        texts=("question1", "question2"),
        hub_texts=("question1", "question2"),
        label="is_duplicate",
        classes=("not_duplicate", "duplicate"),
        broken=True,
    ),
)
