"""GLUE MNLI-mm: does a sentence follow from another, of other genres than trained on."""

from __future__ import annotations

from prism_sim.tasks.readers.glue import GlueLayout, task

TASK = task(
    "glue-mnli-mm",
    "does a sentence follow from another, of other genres than trained on",
    ("accuracy",),
    GlueLayout(
        name="MNLI-mm",
        folder="MNLI",
        config="mnli",
        texts=("sentence1", "sentence2"),
        hub_texts=("premise", "hypothesis"),
        label="gold_label",
        classes=("entailment", "neutral", "contradiction"),
        dev="dev_mismatched",
        hub_dev="validation_mismatched",
    ),
)
