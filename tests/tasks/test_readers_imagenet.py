"""ImageNet-1k from folders and parquet, picture by picture."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from benchmark_files import SMALL, pictures, png, random_pixels, write_parquet
from numpy.typing import NDArray

from prism_sim import tasks
from prism_sim.tasks import DataError, DataSource, Splits
from prism_sim.tasks.readers import tables

WNIDS = [f"n{number:08}" for number in range(1000)]
PIXELS = random_pixels(0, 6)
TASK = tasks.find("imagenet-1k")


def read(folder: Path, **config: object) -> Splits:
    return TASK.splits(DataSource(folder, config={**SMALL, **config}))


def write_folders(folder: Path, classes: list[int], split: str = "val") -> Path:
    """One picture of PIXELS for each class, numbered against the order of classes."""
    for wnid in WNIDS:
        (folder / split / wnid).mkdir(parents=True, exist_ok=True)
    for at, number in enumerate(classes):
        path = folder / split / WNIDS[number] / f"ILSVRC2012_{split}_{at:08}.JPEG"
        path.write_bytes(png(PIXELS[at].reshape(3, 32, 32)))  # what a file is, its content says
    return folder


def scaled(at: int) -> NDArray[np.float64]:
    return PIXELS[at].reshape(3, 32, 32) / 255 * 2 - 1


def test_classes_are_numbered_by_their_wnids_and_pictures_come_in_their_official_order(tmp_path: Path) -> None:
    found = read(write_folders(tmp_path, [999, 3, 500]))
    assert found.test.labels.tolist() == [999, 3, 500]
    for at in range(3):
        np.testing.assert_allclose(found.test.inputs["pixel_values"][at], scaled(at), atol=1e-6)
    assert (len(found.train), len(found.validation)) == (0, 0)


def test_kaggles_folders_and_names_are_known(tmp_path: Path) -> None:
    write_folders(tmp_path / "ILSVRC/Data/CLS-LOC", [7, 8])
    names = [f"kind {number}, a thing" for number in range(1000)]
    lines = [f"{wnid} {name}" for wnid, name in zip(WNIDS, names, strict=True)]
    (tmp_path / "LOC_synset_mapping.txt").write_text("\n".join(lines))
    swapped = {str(number): name for number, name in enumerate(names)} | {"7": names[8], "8": names[7]}
    found = read(tmp_path, id2label=swapped)
    assert found.test.labels.tolist() == [8, 7]
    assert found.notes == ()


def test_every_hundredth_training_picture_validates(tmp_path: Path) -> None:
    write_folders(write_folders(tmp_path, [1]), [2] * 6, "train")
    for at in range(6, 203):
        (tmp_path / "train" / WNIDS[at] / f"{at}.jpg").write_bytes(b"")
    found = read(tmp_path)
    assert (len(found.train), len(found.validation), len(found.test)) == (201, 2, 1)


def test_part_of_the_classes_needs_their_numbers(tmp_path: Path) -> None:
    for wnid in WNIDS[:10]:
        (tmp_path / "val" / wnid).mkdir(parents=True)
    with pytest.raises(DataError, match=r"lacks 1000 classes \(it has 10 folders\), or LOC_synset_mapping.txt"):
        read(tmp_path)


def test_a_flat_folder_of_pictures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "val").mkdir()
    (tmp_path / "val/ILSVRC2012_val_00000001.JPEG").write_bytes(png(PIXELS[0].reshape(3, 32, 32)))
    with pytest.raises(DataError, match=r"it has 0 folders.*found val/ILSVRC2012_val_00000001.JPEG"):
        read(tmp_path)


def test_a_damaged_picture_is_named_when_it_is_read(tmp_path: Path) -> None:
    write_folders(tmp_path, [5, 6])
    path = tmp_path / "val" / WNIDS[6] / "ILSVRC2012_val_00000001.JPEG"
    path.write_bytes(path.read_bytes()[:200])
    found = read(tmp_path)
    assert len(found.test.batch([0])) == 1
    with pytest.raises(DataError, match=r"val_00000001.JPEG is damaged"):
        found.test.batch([1])


def test_a_model_of_other_classes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the model tells 10 classes apart, but ImageNet-1k has 1000"):
        read(write_folders(tmp_path, [5]), num_labels=10)


def test_parquet_of_several_shards_is_read_in_order(tmp_path: Path) -> None:
    held = pictures(PIXELS)
    for shard, places in enumerate((slice(0, 5), slice(5, 6))):
        columns = {"image": held[places], "label": list(range(990, 996))[places]}
        write_parquet(tmp_path / f"data/validation-{shard:05}-of-00002.parquet", columns)
    found = read(tmp_path)
    assert found.test.labels.tolist() == list(range(990, 996))
    for at in (5, 0, 4, 3):
        np.testing.assert_allclose(found.test.inputs["pixel_values"][at], scaled(at), atol=1e-6)
    assert [len(batch) for batch in found.test.batches(4)] == [4, 2]


def test_threads_read_the_same_parquet_together(tmp_path: Path) -> None:
    write_parquet(tmp_path / "validation.parquet", {"image": pictures(PIXELS), "label": list(range(6))})
    table = tables.split(tmp_path, "validation")
    assert table is not None
    column = tables.labelled(table, ("image",), "label", 6).pictures
    order = [at % 6 for at in range(120)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda at: np.asarray(column[at]), order))
    for at, picture in zip(order, found, strict=True):
        np.testing.assert_array_equal(picture, PIXELS[at].reshape(3, 32, 32).transpose(1, 2, 0))


def test_taking_some_examples_reads_no_picture(tmp_path: Path) -> None:
    write_folders(tmp_path, [5, 6])
    found = read(tmp_path)
    for path in (tmp_path / "val").rglob("*.JPEG"):
        path.unlink()
    taken = found.test.take([1, 0])
    assert [taken.labels[at] for at in range(2)] == [6, 5]
    with pytest.raises(DataError, match=r"cannot be read: .*No such file"):
        taken.batch([0])
