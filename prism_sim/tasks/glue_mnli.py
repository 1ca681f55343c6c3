"""GLUE MNLI: does a sentence follow from another, of genres as trained on."""

from __future__ import annotations

from prism_sim.tasks.readers.glue import GlueLayout, task

TASK = task(
    "glue-mnli",
    "does a sentence follow from another, of genres as trained on",
    ("accuracy",),
    GlueLayout(
        name="MNLI",
        folder="MNLI",
        config="mnli",
        texts=("sentence1", "sentence2"),
        hub_texts=("premise", "hypothesis"),
        label="gold_label",
        classes=("entailment", "neutral", "contradiction"),
        dev="dev_matched",
        hub_dev="validation_matched",
    ),
)
