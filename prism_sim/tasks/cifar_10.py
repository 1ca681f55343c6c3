"""CIFAR-10: photographs of ten kinds of things."""

from __future__ import annotations

from prism_sim.tasks.readers.cifar import CifarLayout, task
from prism_sim.tasks.readers.files import DataOrigin

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

TASK = task(
    "cifar-10",
    CifarLayout(
        DataOrigin(
            name="CIFAR-10",
            hub_id="uoft-cs/cifar10",
            patterns=("plain_text/*.parquet",),
            homepage="https://www.cs.toronto.edu/~kriz/cifar.html",
            formats="data_batch_1 to data_batch_5 and test_batch (the python version), unpacked, or the hub's "
            "train-*.parquet and test-*.parquet, or what datasets' save_to_disk wrote",
        ),
        CLASSES,
        pickles="cifar-10-batches-py",
        train=tuple(f"data_batch_{number}" for number in range(1, 6)),
        test="test_batch",
        label="label",
    ),
)
