"""GLUE CoLA: is a sentence grammatical."""

from __future__ import annotations

from prism_sim.tasks.readers.glue import GlueLayout, task

TASK = task(
    "glue-cola",
    "is a sentence grammatical",
    ("matthews", "accuracy"),
    GlueLayout(
        name="CoLA",
        folder="CoLA",
        config="cola",
        texts=("sentence",),
        hub_texts=("sentence",),
        label="label",
        classes=("unacceptable", "acceptable"),
        header=("source", "label", "mark", "sentence"),
    ),
)
