"""GLUE STS-B: how much two sentences say the same, from 0 to 5."""

from __future__ import annotations

from prism_sim.tasks.readers.glue import GlueLayout, task

TASK = task(
    "glue-stsb",
    "how much two sentences say the same, from 0 to 5",
    ("spearman", "pearson"),
    GlueLayout(
        name="STS-B",
        folder="STS-B",
        config="stsb",
        texts=("sentence1", "sentence2"),
        hub_texts=("sentence1", "sentence2"),
        label="score",
        classes=(),
    ),
)
