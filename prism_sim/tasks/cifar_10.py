"""CIFAR-10: photographs of ten kinds of things."""

from __future__ import annotations

from prism_sim.tasks.readers.cifar import Layout, task
from prism_sim.tasks.readers.files import Origin

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

TASK = task(
    "cifar-10",
    Layout(
        Origin(
            name="CIFAR-10",
            hub_id="uoft-cs/cifar10",
            patterns=("plain_text/*.parquet",),
            homepage="https://www.cs.toronto.edu/~kriz/cifar.html",
            formats="data_batch_1 to data_batch_5 and test_batch (pickles), the same ending in .bin, or "
            "train-*.parquet and test-*.parquet, unpacked",
        ),
        CLASSES,
        pickles="cifar-10-batches-py",
        binaries="cifar-10-batches-bin",
        train=tuple(f"data_batch_{number}" for number in range(1, 6)),
        test="test_batch",
        label="label",
        label_bytes=1,
    ),
)
