"""GLUE QNLI: does a sentence answer a question."""

from __future__ import annotations

from prism_sim.tasks.readers.glue import GlueLayout, task

TASK = task(
    "glue-qnli",
    "does a sentence answer a question",
    ("accuracy",),
    GlueLayout(
        name="QNLI",
        folder="QNLI",
        config="qnli",
        texts=("question", "sentence"),
        hub_texts=("question", "sentence"),
        label="label",
        classes=("entailment", "not_entailment"),
    ),
)
