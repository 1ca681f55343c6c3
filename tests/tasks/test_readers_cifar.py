"""CIFAR-10 and CIFAR-100 in all their forms give the same examples; what is damaged or missing is named."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import datasets
import numpy as np
import pytest
import transformers
from benchmark_files import SMALL, pictures, random_pixels, table, write_parquet, write_pickle
from PIL import Image

from prism_sim import tasks
from prism_sim.tasks import DataError, DataSource, Splits
from prism_sim.tasks.cifar import HUNDRED as FINE
from prism_sim.tasks.cifar import TEN as CLASSES

CIFAR_10, CIFAR_100 = tasks.find("cifar-10"), tasks.find("cifar-100")
SIZES = (7, 1, 5, 4, 5)  # pictures of the training files: 22, no multiple of 10
TRAIN = [f"data_batch_{number}" for number in range(1, 6)]
BATCHES = {name: random_pixels(seed, n) for seed, (name, n) in enumerate(zip(TRAIN, SIZES, strict=True))}
TEST = random_pixels(9, 3)


def labels(name: str, n: int, classes: int = 10) -> list[int]:
    return np.random.default_rng(len(name)).integers(classes, size=n).tolist()


def write_cifar_10(folder: Path, form: str) -> Path:
    for name, pixels in {**BATCHES, "test_batch": TEST}.items():
        if form == "pickles":
            write_pickle(folder / name, pixels, labels=labels(name, len(pixels)))
    if form != "pickles":
        trained = np.concatenate(list(BATCHES.values()))
        found = [label for name, pixels in BATCHES.items() for label in labels(name, len(pixels))]
        train = {"img": pictures(trained), "label": found}
        test = {"img": pictures(TEST), "label": labels("test_batch", len(TEST))}
    if form == "parquet":
        write_parquet(folder / "train-00000-of-00001.parquet", train, CLASSES)
        write_parquet(folder / "test-00000-of-00001.parquet", test, CLASSES)
    elif form == "saved":
        splits = {name: table(columns, CLASSES) for name, columns in (("train", train), ("test", test))}
        datasets.DatasetDict(splits).save_to_disk(folder)
    return folder


def read(folder: Path, **config: object) -> Splits:
    return CIFAR_10.splits(DataSource(folder, config={**SMALL, **config}))


@pytest.mark.parametrize("form", ["pickles", "parquet", "saved"])
@pytest.mark.parametrize("inner", [".", "unpacked"])
def test_every_form_gives_every_picture_once_with_its_label(tmp_path: Path, form: str, inner: str) -> None:
    unpacked = {"pickles": "cifar-10-batches-py", "parquet": "plain_text", "saved": "."}[form]
    write_cifar_10(tmp_path / unpacked if inner == "unpacked" else tmp_path, form)
    found = read(tmp_path)
    assert (len(found.train), len(found.validation), len(found.test)) == (20, 2, 3)
    assert found.test.labels.tolist() == labels("test_batch", 3)
    expected = TEST.reshape(-1, 3, 32, 32) / 255 * 2 - 1  # ViT's usual processor: mean and deviation 0.5
    for at, pixels in enumerate(expected):
        np.testing.assert_allclose(found.test.inputs["pixel_values"][at], pixels, atol=1e-6)
    every = np.concatenate(list(BATCHES.values())).reshape(-1, 3, 32, 32) / 255 * 2 - 1
    np.testing.assert_allclose(found.validation.inputs["pixel_values"][1], every[19], atol=1e-6)
    np.testing.assert_allclose(found.train.inputs["pixel_values"][9], every[10], atol=1e-6)
    assert found.classes == CLASSES


def test_batches_hold_what_a_vit_takes_and_the_last_is_smaller(tmp_path: Path) -> None:
    batches = list(read(write_cifar_10(tmp_path, "pickles")).train.batches(8))
    assert [batch.inputs["pixel_values"].shape for batch in batches] == [(8, 3, 32, 32)] * 2 + [(4, 3, 32, 32)]
    assert {batch.inputs["pixel_values"].dtype for batch in batches} == {np.dtype("float32")}
    assert {batch.labels.dtype for batch in batches} == {np.dtype("int64")}


def test_pictures_are_resized_as_the_model_wants_them(tmp_path: Path) -> None:
    found = CIFAR_10.splits(DataSource(write_cifar_10(tmp_path, "pickles"), config={**SMALL, "image_size": 224}))
    picture = Image.fromarray(TEST[0].reshape(3, 32, 32).transpose(1, 2, 0))
    resized = np.asarray(picture.resize((224, 224), Image.Resampling.BILINEAR), dtype=np.float64)
    expected = resized.transpose(2, 0, 1) / 255 * 2 - 1
    np.testing.assert_allclose(found.test.inputs["pixel_values"][0], expected, atol=1e-6)


def test_the_checkpoints_own_image_processor_prepares_them(tmp_path: Path) -> None:
    processor = transformers.ViTImageProcessorPil(size={"height": 32, "width": 32}, image_mean=[0.0] * 3)
    processor.save_pretrained(tmp_path / "model")
    source = DataSource(write_cifar_10(tmp_path / "data", "pickles"), str(tmp_path / "model"), SMALL)
    found = CIFAR_10.splits(source)
    np.testing.assert_allclose(found.test.inputs["pixel_values"][0], TEST[0].reshape(3, 32, 32) / 255 / 0.5, atol=1e-6)
    assert found.digest() != read(tmp_path / "data").digest()
    with pytest.raises(DataError, match=r"makes pictures of \(3, 32, 32\), but its model takes \(3, 48, 48\)"):
        CIFAR_10.splits(replace(source, config={**SMALL, "image_size": 48})).test.batch([0])


def test_labels_are_numbered_as_the_model_does(tmp_path: Path) -> None:
    backwards = {str(number): name.upper() for number, name in enumerate(reversed(CLASSES))}
    found = read(write_cifar_10(tmp_path, "pickles"), id2label=backwards)
    assert found.test.labels.tolist() == [9 - label for label in labels("test_batch", 3)]
    assert found.classes == tuple(name.upper() for name in reversed(CLASSES))


def test_cifar_100_takes_the_fine_labels_in_every_form(tmp_path: Path) -> None:
    coarse, fine = [1, 2, 3], [10, 99, 0]
    for name in ("train", "test"):
        write_pickle(tmp_path / "py/cifar-100-python" / name, TEST, fine_labels=fine, coarse_labels=coarse)
        columns = {"img": pictures(TEST), "fine_label": fine, "coarse_label": coarse}
        write_parquet(tmp_path / f"pq/{name}-00000-of-00001.parquet", columns, FINE, "fine_label")
    for form in ("py", "pq"):
        found = CIFAR_100.splits(DataSource(tmp_path / form, config=SMALL))
        assert found.test.labels.tolist() == fine
        np.testing.assert_allclose(
            found.test.inputs["pixel_values"][2], TEST[2].reshape(3, 32, 32) / 255 * 2 - 1, atol=1e-6
        )


def test_only_the_test_set_is_needed(tmp_path: Path) -> None:
    write_pickle(tmp_path / "test_batch", TEST, labels=[0, 1, 2])
    found = read(tmp_path)
    assert (len(found.train), len(found.validation), len(found.test)) == (0, 0, 3)


def test_results_of_different_data_can_be_told_apart(tmp_path: Path) -> None:
    write_pickle(tmp_path / "a/test_batch", TEST, labels=[0, 1, 2])
    write_pickle(tmp_path / "b/test_batch", TEST, labels=[0, 1, 2])
    write_pickle(tmp_path / "c/test_batch", TEST, labels=[0, 1, 3])
    first, second, third = (read(tmp_path / name).digest() for name in "abc")
    assert first == second != third


class Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


def test_a_pickle_that_wants_to_run_something_is_refused_and_runs_nothing(tmp_path: Path) -> None:
    write_cifar_10(tmp_path, "pickles")
    mark = tmp_path / "it ran"
    content = pickle.dumps({b"data": TEST, b"labels": [0, 1, 2], b"more": Evil(mark)}, protocol=2)
    (tmp_path / "test_batch").write_bytes(content)
    with pytest.raises(DataError, match=r"test_batch .*which is never run"):
        read(tmp_path)
    assert not mark.exists()
    pickle.loads(content)  # it would have run
    assert mark.exists()


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_pickles_of_other_protocols_are_read_too(tmp_path: Path, protocol: int) -> None:
    (tmp_path / "test_batch").write_bytes(pickle.dumps({"data": TEST, "labels": [4, 5, 6]}, protocol=protocol))
    assert read(tmp_path).test.labels.tolist() == [4, 5, 6]


@pytest.mark.parametrize(
    ("held", "message"),
    [
        ([1, 2], "it holds no dictionary but a list"),
        ({b"data": TEST}, "holds data, but CIFAR-10 has data and labels"),
        (
            {b"data": TEST[:, :100].copy(), b"labels": [0, 1, 2]},
            r"data is uint8 \(3, 100\), but must be uint8 \(pictures, 3072\)",
        ),
        ({b"data": TEST, b"labels": [0, 1]}, "labels is no list of 3 whole numbers"),
        ({b"data": TEST, b"labels": [0, 1, 10]}, "row 2: the label is 10, but must be 0 to 9"),
        ({b"data": TEST.astype(float), b"labels": [0, 1, 2]}, "data is float64 .*, but must be uint8"),
        ({b"data": [[1], [2]], b"labels": [0, 1]}, "data is list, but must be uint8"),
        ({b"data": TEST[:0], b"labels": []}, "holds no picture"),
    ],
)
def test_a_pickle_of_something_else_is_named(tmp_path: Path, held: object, message: str) -> None:
    (tmp_path / "test_batch").write_bytes(pickle.dumps(held, protocol=2))
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path)
    assert "test_batch" in str(caught.value)


@pytest.mark.parametrize("n_bytes", [0, 1, 100, 3000, -1])
def test_a_truncated_pickle_is_named(tmp_path: Path, n_bytes: int) -> None:
    path = write_pickle(tmp_path / "test_batch", TEST, labels=[0, 1, 2])
    path.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(DataError, match=r"test_batch is damaged or cannot be read"):
        read(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    write_cifar_10(tmp_path, "pickles")
    (tmp_path / "data_batch_3").unlink()
    with pytest.raises(DataError, match=r"lacks data_batch_3; expected .*found data_batch_1, data_batch_2"):
        read(tmp_path)


def test_parquet_that_is_damaged_or_incomplete_is_named(tmp_path: Path) -> None:
    columns = {"img": pictures(TEST), "label": [0, 1, 2]}
    path = write_parquet(tmp_path / "test-00000-of-00002.parquet", columns)
    with pytest.raises(DataError, match=r"lacks test-00001-of-00002.parquet, shard 2 of 2"):
        read(tmp_path)
    path = path.rename(tmp_path / "test-00000-of-00001.parquet")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match="is damaged"):
        read(tmp_path)
    write_parquet(path, {"picture": columns["img"], "label": [0, 1, 2]})
    with pytest.raises(DataError, match="has no column img or image, but picture, label"):
        read(tmp_path)
    write_parquet(path, {**columns, "label": [0, 1, -1]})
    with pytest.raises(DataError, match=r"row 2: label is -1, but must be 0 to 9"):
        read(tmp_path)
    write_parquet(path, {**columns, "img": [*columns["img"][:2], {"bytes": b"no picture", "path": ""}]})
    found = read(tmp_path)
    with pytest.raises(DataError, match=r"row 2 is damaged"):
        found.test.batch([2])


@pytest.mark.parametrize(("names", "listed"), [(["readme.txt", "b.csv"], "b.csv, readme.txt"), ([], "an empty folder")])
def test_a_folder_of_something_else_says_what_was_expected_and_found(
    tmp_path: Path, names: list[str], listed: str
) -> None:
    for name in names:
        (tmp_path / name).write_text("something")
    with pytest.raises(DataError) as caught:
        read(tmp_path)
    assert "holds no CIFAR-10 in a known format; expected data_batch_1 to data_batch_5" in str(caught.value)
    assert str(caught.value).endswith(f"found {listed}")


def test_an_archive_must_be_unpacked(tmp_path: Path) -> None:
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(b"")
    with pytest.raises(DataError, match=r"unpacked, .*; found the file cifar-10-python.tar.gz"):
        read(tmp_path / "cifar-10-python.tar.gz")


def test_without_a_path_the_hub_is_asked_and_its_refusal_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def unreachable(place: str, **how: object) -> str:
        asked.append((place, how.get("repo_type"), how.get("local_files_only", False)))
        raise OSError("no connection")

    monkeypatch.setattr("huggingface_hub.snapshot_download", unreachable)
    monkeypatch.setattr("prism_sim.hub.unreachable", lambda: None)  # it answers, but refuses
    with pytest.raises(
        DataError, match=r"on the hub as uoft-cs/cifar10, but cannot be had: no connection; give a local"
    ):
        CIFAR_10.splits(DataSource(config=SMALL))
    assert asked == [("uoft-cs/cifar10", "dataset", True), ("uoft-cs/cifar10", "dataset", False)]
    with pytest.raises(DataError):
        CIFAR_10.load()


def test_without_a_path_the_hubs_own_copy_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_cifar_10(tmp_path / "plain_text", "parquet")
    asked = []

    def kept(place: str, local_files_only: bool, **how: object) -> str:
        asked.append(local_files_only)
        return str(tmp_path)

    monkeypatch.setattr("huggingface_hub.snapshot_download", kept)
    found = CIFAR_10.splits(DataSource(config=SMALL))
    assert found.test.labels.tolist() == labels("test_batch", 3)
    assert asked == [True]


def test_what_the_cache_lacks_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetched(place: str, local_files_only: bool, **how: object) -> str:
        if not local_files_only:
            write_cifar_10(tmp_path / "plain_text", "parquet")
        return str(tmp_path)

    monkeypatch.setattr("huggingface_hub.snapshot_download", fetched)
    monkeypatch.setattr("prism_sim.hub.unreachable", lambda: None)
    assert len(CIFAR_10.splits(DataSource(config=SMALL)).test) == 3


def test_a_path_that_is_not_there_or_of_no_use_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere does not exist; give a local copy"):
        read(tmp_path / "nowhere")
    with pytest.raises(DataError, match="digits brings its own data"):
        tasks.find("digits").splits(DataSource(tmp_path))
