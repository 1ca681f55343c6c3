"""GLUE WNLI: does a sentence with its pronoun filled in follow."""

from __future__ import annotations

from prism_sim.tasks.readers.glue import GlueLayout, task

TASK = task(
    "glue-wnli",
    "does a sentence with its pronoun filled in follow",
    ("accuracy",),
    GlueLayout(
        name="WNLI",
        folder="WNLI",
        config="wnli",
        texts=("sentence1", "sentence2"),
        hub_texts=("sentence1", "sentence2"),
        label="label",
        classes=("not_entailment", "entailment"),
    ),
)
