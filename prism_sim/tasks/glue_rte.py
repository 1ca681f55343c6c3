"""GLUE RTE: does a sentence follow from another."""

from __future__ import annotations

from prism_sim.tasks.readers.glue import GlueLayout, task

TASK = task(
    "glue-rte",
    "does a sentence follow from another",
    ("accuracy",),
    GlueLayout(
        name="RTE",
        folder="RTE",
        config="rte",
        texts=("sentence1", "sentence2"),
        hub_texts=("sentence1", "sentence2"),
        label="label",
        classes=("entailment", "not_entailment"),
    ),
)
