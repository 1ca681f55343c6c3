"""GLUE MRPC: do two sentences of news say the same."""

from __future__ import annotations

from prism_sim.tasks.readers.glue import GlueLayout, task

TASK = task(
    "glue-mrpc",
    "do two sentences of news say the same",
    ("f1", "accuracy"),
    GlueLayout(
        name="MRPC",
        folder="MRPC",
        config="mrpc",
        texts=("#1 String", "#2 String"),
        hub_texts=("sentence1", "sentence2"),
        label="Quality",
        classes=("not_equivalent", "equivalent"),
    ),
)
