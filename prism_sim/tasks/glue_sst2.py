"""GLUE SST-2: is a sentence of a film review positive."""

from __future__ import annotations

from prism_sim.tasks.readers.glue import GlueLayout, task

TASK = task(
    "glue-sst2",
    "is a sentence of a film review positive",
    ("accuracy",),
    GlueLayout(
        name="SST-2",
        folder="SST-2",
        config="sst2",
        texts=("sentence",),
        hub_texts=("sentence",),
        label="label",
        classes=("negative", "positive"),
    ),
)
