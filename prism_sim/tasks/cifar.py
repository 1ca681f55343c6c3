"""CIFAR: photographs of ten kinds of things, and of a hundred (the fine labels)."""

from __future__ import annotations

from prism_sim.tasks.readers.cifar import CifarLayout, task
from prism_sim.tasks.readers.files import DataOrigin

TEN = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_NAMES = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle
bowl boy bridge bus butterfly camel can castle caterpillar cattle
chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur
dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard
lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain
mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree
plain plate poppy porcupine possum rabbit raccoon ray road rocket
rose sea seal shark shrew skunk skyscraper snail snake spider
squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor
train trout tulip turtle wardrobe whale willow_tree wolf woman worm
"""
HUNDRED = tuple(_NAMES.split())

TASKS = (
    task(
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
            TEN,
            pickles="cifar-10-batches-py",
            train=tuple(f"data_batch_{number}" for number in range(1, 6)),
            test="test_batch",
            label="label",
        ),
    ),
    task(
        "cifar-100",
        CifarLayout(
            DataOrigin(
                name="CIFAR-100",
                hub_id="uoft-cs/cifar100",
                patterns=("cifar100/*.parquet",),
                homepage="https://www.cs.toronto.edu/~kriz/cifar.html",
                formats="train and test (the python version), unpacked, or the hub's train-*.parquet and "
                "test-*.parquet, or what datasets' save_to_disk wrote",
            ),
            HUNDRED,
            pickles="cifar-100-python",
            train=("train",),
            test="test",
            label="fine_label",
        ),
    ),
)
