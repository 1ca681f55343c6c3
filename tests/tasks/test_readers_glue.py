"""GLUE's nine tasks from the files that are given away and from the hub's; labels as the model numbers them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import datasets
import numpy as np
import pytest
from benchmark_files import bert_checkpoint, table, write_parquet, write_tsv

from prism_sim import tasks
from prism_sim.tasks import DataError, DataSource, Splits
from prism_sim.tasks.examples import Batch
from prism_sim.tasks.scoring import regression

WORDS = "a b c d e f"
LONG = ["index", "promptID", "pairID", "parse 1", "parse 2", "sentence1", "sentence2", "label1", "gold_label"]

# header (None: there is none), a row but for its label, its place, the written labels and what they mean by number
FORMATS: dict[str, tuple[Sequence[str] | None, Sequence[str], int, dict[str, float]]] = {
    "glue-cola": (None, ["gj04", "?", "*", "a b"], 1, {"0": 0, "1": 1}),
    "glue-sst2": (["sentence", "label"], ["a b", "?"], 1, {"0": 0, "1": 1}),
    "glue-mrpc": (
        ["Quality", "#1 ID", "#2 ID", "#1 String", "#2 String"],
        ["?", "7", "8", "a b", "c"],
        0,
        {"0": 0, "1": 1},
    ),
    "glue-qqp": (
        ["id", "qid1", "qid2", "question1", "question2", "is_duplicate"],
        ["1", "2", "3", "a b", "c", "?"],
        5,
        {"0": 0, "1": 1},
    ),
    "glue-stsb": (
        ["index", "genre", "filename", "year", "old_index", "source1", "source2", "sentence1", "sentence2", "score"],
        ["0", "main-news", "headlines", "2016", "1", "none", "none", "a b", "c", "?"],
        9,
        {"0.000": 0, "3.800": 3.8, "5.000": 5},
    ),
    "glue-mnli": (
        LONG,
        ["0", "1", "1c", "( a b )", "( c )", "a b", "c", "neutral", "?"],
        8,
        {"entailment": 0, "neutral": 1, "contradiction": 2},
    ),
    "glue-mnli-mm": (
        LONG,
        ["0", "1", "1c", "( a b )", "( c )", "a b", "c", "neutral", "?"],
        8,
        {"entailment": 0, "neutral": 1, "contradiction": 2},
    ),
    "glue-qnli": (
        ["index", "question", "sentence", "label"],
        ["0", "a b", "c", "?"],
        3,
        {"entailment": 0, "not_entailment": 1},
    ),
    "glue-rte": (
        ["index", "sentence1", "sentence2", "label"],
        ["0", "a b", "c", "?"],
        3,
        {"entailment": 0, "not_entailment": 1},
    ),
    "glue-wnli": (["index", "sentence1", "sentence2", "label"], ["0", "a b", "c", "?"], 3, {"0": 0, "1": 1}),
}
DEV = {"glue-mnli": "dev_matched", "glue-mnli-mm": "dev_mismatched"}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> DataSource:
    return bert_checkpoint(tmp_path_factory.mktemp("bert"), f"{WORDS} \" ' word")


def rows_of(name: str, n: int) -> list[list[str]]:
    """A file of n rows, its header before them; labels in turn."""
    header, row, place, meanings = FORMATS[name]
    written = list(meanings)
    rows = [[*row[:place], written[at % len(written)], *row[place + 1 :]] for at in range(n)]
    return ([list(header)] if header else []) + rows


def fitting(name: str, source: DataSource) -> DataSource:
    return replace(source, config={**source.config, "num_labels": 1}) if name == "glue-stsb" else source


def read(name: str, path: Path, source: DataSource) -> Splits:
    return tasks.find(name).splits(replace(fitting(name, source), path=path))


def test_every_task_of_glue_is_tried() -> None:
    assert {name for name in tasks.catalogue() if name.startswith("glue")} == set(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("inner", [".", "unpacked"])
def test_texts_and_labels_are_those_of_the_files(name: str, inner: str, tmp_path: Path, checkpoint: DataSource) -> None:
    unpacked = {"glue-cola": "CoLA", "glue-sst2": "SST-2", "glue-stsb": "STS-B", "glue-mnli-mm": "MNLI"}
    folder = tmp_path / (unpacked.get(name, name.removeprefix("glue-").upper()) if inner == "unpacked" else ".")
    write_tsv(folder / "train.tsv", rows_of(name, 13))
    write_tsv(folder / f"{DEV.get(name, 'dev')}.tsv", rows_of(name, 4))
    found = read(name, tmp_path, checkpoint)
    assert (len(found.train), len(found.validation), len(found.test)) == (12, 1, 4)
    meanings = list(FORMATS[name][3].values())
    expected = [meanings[at % len(meanings)] for at in range(13)]
    assert [float(label) for label in found.test.labels] == pytest.approx(expected[:4])
    assert float(found.validation.labels[0]) == pytest.approx(expected[9])
    assert float(found.train.labels[9]) == pytest.approx(expected[10])
    alone = name in ("glue-cola", "glue-sst2")
    # [CLS] a b [SEP] c [SEP]: words are numbered behind the five special ones, in their order
    letters = {"a": 7, "b": 8, "c": 9}
    ids = [2, letters["a"], letters["b"], 3] + ([] if alone else [letters["c"], 3])
    assert found.test.inputs["input_ids"][0].tolist() == ids
    assert found.test.inputs["token_type_ids"][0].tolist() == [0] * 4 + ([] if alone else [1] * 2)


def test_batches_are_filled_up_to_one_length(tmp_path: Path, checkpoint: DataSource) -> None:
    write_tsv(tmp_path / "dev.tsv", [["sentence", "label"], ["a b c", "1"], ["a", "0"], [" ".join("abcdef" * 20), "1"]])
    batches = list(read("glue-sst2", tmp_path, replace(checkpoint, tokens=10)).test.batches(2))
    assert [batch.inputs["input_ids"].shape for batch in batches] == [(2, 10), (1, 10)]
    assert batches[0].inputs["attention_mask"].sum(-1).tolist() == [5, 3]
    assert batches[0].inputs["input_ids"][1, 3:].tolist() == [0] * 7
    assert batches[1].inputs["attention_mask"].tolist() == [[1] * 10]  # cut to fit
    assert batches[1].inputs["input_ids"][0, -1] == 3  # and still ended by [SEP]


def test_threads_take_texts_apart_together(tmp_path: Path, checkpoint: DataSource) -> None:
    rows = [[" ".join("abcdef"[: 1 + at % 6]), "1"] for at in range(200)]
    write_tsv(tmp_path / "dev.tsv", [["sentence", "label"], *rows])
    examples = read("glue-sst2", tmp_path, replace(checkpoint, tokens=6)).test
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda at: examples.batch([at]).inputs["input_ids"][0].tolist(), range(200)))
    assert found == [(([2, *range(7, 13)][: min(2 + at % 6, 5)]) + [3] + [0] * 6)[:6] for at in range(200)]


def test_sequences_are_of_the_usual_length_unless_the_model_is_shorter(tmp_path: Path, checkpoint: DataSource) -> None:
    write_tsv(tmp_path / "dev.tsv", [["sentence", "label"], ["a", "1"]])
    assert read("glue-sst2", tmp_path, checkpoint).test.pad_to == 64
    longer = replace(checkpoint, config={"max_position_embeddings": 512})
    assert read("glue-sst2", tmp_path, longer).test.pad_to == 128
    with pytest.raises(DataError, match="100 tokens are more than the model's 64 positions"):
        read("glue-sst2", tmp_path, replace(checkpoint, tokens=100))


def test_a_quotation_mark_is_a_letter_and_only_a_line_feed_ends_a_row(tmp_path: Path, checkpoint: DataSource) -> None:
    written = [["sentence", "label"], ['" a', "1"], ['a " b', "0"], ["a\u2028b\x85c\rd", "1"], ["c", "0"]]
    write_tsv(tmp_path / "dev.tsv", written)
    found = read("glue-sst2", tmp_path, checkpoint)
    assert found.test.labels.tolist() == [1, 0, 1, 0]
    ids = found.test.inputs["input_ids"]
    assert [text for text, _ in ids.column] == ['" a', 'a " b', "a\u2028b\x85c\rd", "c"]
    assert [len(ids[at]) for at in (0, 1, 3)] == [4, 5, 3]


def test_a_byte_order_mark_and_windows_line_ends_are_known(tmp_path: Path, checkpoint: DataSource) -> None:
    rows = [[*row[:-1], f"{row[-1]}\r"] for row in rows_of("glue-mrpc", 2)]
    write_tsv(tmp_path / "dev.tsv", rows, encoding="utf-8-sig")
    found = read("glue-mrpc", tmp_path, checkpoint)
    assert found.test.labels.tolist() == [0, 1]
    assert found.test.inputs["input_ids"][0].tolist() == [2, 7, 8, 3, 9, 3]


def test_mnli_is_numbered_as_the_model_numbers_it(tmp_path: Path, checkpoint: DataSource) -> None:
    write_tsv(tmp_path / "dev_matched.tsv", rows_of("glue-mnli", 3))
    other = {"0": "contradiction", "1": "entailment", "2": "neutral"}
    found = read("glue-mnli", tmp_path, replace(checkpoint, config={"id2label": other}))
    assert found.test.labels.tolist() == [1, 2, 0]
    assert found.classes == ("contradiction", "entailment", "neutral")
    unnamed = {str(number): f"LABEL_{number}" for number in range(3)}
    found = read("glue-mnli", tmp_path, replace(checkpoint, config={"id2label": unnamed}))
    assert found.test.labels.tolist() == [0, 1, 2]
    assert "does not name its classes" in found.notes[0]


def test_scores_need_a_model_of_one_output(tmp_path: Path, checkpoint: DataSource) -> None:
    write_tsv(tmp_path / "dev.tsv", rows_of("glue-stsb", 3))
    with pytest.raises(DataError, match="the model has 2 outputs, but GLUE STS-B asks for one score"):
        tasks.find("glue-stsb").splits(replace(checkpoint, path=tmp_path, config={"num_labels": 2}))


def test_scores_are_scored_as_scores() -> None:
    batch = Batch({}, np.array([1.0, 4.5], dtype=np.float32), {})
    found = regression(np.array([[2.0], [4.25]], dtype=np.float32), batch)
    assert found["prediction"].tolist() == [2.0, 4.25]
    assert found["target"].tolist() == [1.0, 4.5]


HUB: dict[str, tuple[str, dict[str, list[str]], tuple[str, ...]]] = {
    "glue-cola": ("cola", {"sentence": ["a b", "c"]}, ("unacceptable", "acceptable")),
    "glue-mnli": ("mnli", {"premise": ["a b", "c"], "hypothesis": ["c", "c"]}, tuple(FORMATS["glue-mnli"][3])),
    "glue-wnli": ("wnli", {"sentence1": ["a b", "c"], "sentence2": ["c", "c"]}, ("not_entailment", "entailment")),
}


@pytest.mark.parametrize("name", HUB)
@pytest.mark.parametrize("inner", [False, True])
def test_the_hubs_parquet_is_read_too(name: str, inner: bool, tmp_path: Path, checkpoint: DataSource) -> None:
    config, columns, classes = HUB[name]
    folder = tmp_path / config if inner else tmp_path
    dev = "validation_matched" if name == "glue-mnli" else "validation"
    write_parquet(folder / f"{dev}-00000-of-00001.parquet", {**columns, "label": [1, 0], "idx": [0, 1]}, classes)
    found = read(name, tmp_path, checkpoint)
    assert found.test.labels.tolist() == [1, 0]
    ids = [2, 7, 8, 3] if name == "glue-cola" else [2, 7, 8, 3, 9, 3]
    assert found.test.inputs["input_ids"][0].tolist() == ids


def test_what_save_to_disk_wrote_is_read_too(tmp_path: Path, checkpoint: DataSource) -> None:
    _, columns, classes = HUB["glue-mnli"]
    splits = {"validation_matched": table({**columns, "label": [2, 0]}, classes)}
    datasets.DatasetDict(splits).save_to_disk(tmp_path / "saved")
    assert read("glue-mnli", tmp_path / "saved", checkpoint).test.labels.tolist() == [2, 0]


def test_a_missing_library_is_one_message(
    tmp_path: Path, checkpoint: DataSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tsv(tmp_path / "dev.tsv", rows_of("glue-rte", 3))
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(DataError, match=r"dev.tsv: reading it needs .* pip install 'prism-sim\[datasets\]'"):
        read("glue-rte", tmp_path, checkpoint)


def test_parquet_that_numbers_classes_otherwise_or_hides_labels_is_refused(
    tmp_path: Path, checkpoint: DataSource
) -> None:
    _, columns, classes = HUB["glue-cola"]
    path = tmp_path / "validation-00000-of-00001.parquet"
    write_parquet(path, {**columns, "label": [1, 0]}, classes[::-1])
    with pytest.raises(DataError, match="numbers acceptable, unacceptable, but GLUE CoLA unacceptable, acceptable"):
        read("glue-cola", tmp_path, checkpoint)
    write_parquet(path, {**columns, "label": [1, -1]}, classes)  # as in the test set
    with pytest.raises(DataError, match="row 1: the label is '-1', but must be 0, 1, unacceptable, acceptable"):
        read("glue-cola", tmp_path, checkpoint)
    write_parquet(path, {"sentence": ["a", None], "label": [1, 0]}, classes)
    with pytest.raises(DataError, match="row 1: holds no text in sentence"):
        read("glue-cola", tmp_path, checkpoint)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([["sentence", "label"], ["a", "1"], ["b"]], r"dev.tsv, row 1: has more or fewer fields than sentence, label"),
        ([["sentence", "label"], ["a", "1", "b"], ["b", "1"]], r"dev.tsv, row 0: has more or fewer fields"),
        ([["sentence", "label"], ["a", "1"], ["b", "2"]], r"dev.tsv, row 1: the label is '2', but must be 0, 1, negat"),
        ([["sentence", "label"], ["a", ""]], r"dev.tsv, row 0: has more or fewer fields"),
        ([["sentence", "label"], ["a", "1"], ["a", "1", "b"]], r"dev.tsv, row 1: has more or fewer fields"),
        ([["index", "question", "sentence", "label"]], "holds no row"),
        ([["sentence"], ["a"]], r"dev.tsv: the header lacks 'label' of GLUE SST-2; found sentence"),
        ([], r"dev.tsv: the header lacks 'sentence'"),
    ],
)
def test_a_damaged_file_is_named_with_its_row(
    rows: list[list[str]], message: str, tmp_path: Path, checkpoint: DataSource
) -> None:
    write_tsv(tmp_path / "dev.tsv", rows)
    with pytest.raises(DataError, match=message):
        read("glue-sst2", tmp_path, checkpoint)


@pytest.mark.parametrize("score", ["5.5", "-1", "nan", "inf", "five"])
def test_a_score_is_from_0_to_5(score: str, tmp_path: Path, checkpoint: DataSource) -> None:
    row = FORMATS["glue-stsb"][1][:-1]
    write_tsv(tmp_path / "dev.tsv", [FORMATS["glue-stsb"][0] or [], [*row, score]])
    with pytest.raises(DataError, match=f"dev.tsv, row 0: the label is '{score}', but must be a score from 0 to 5"):
        read("glue-stsb", tmp_path, checkpoint)


def test_text_of_another_encoding_is_refused(tmp_path: Path, checkpoint: DataSource) -> None:
    write_tsv(tmp_path / "dev.tsv", [["sentence", "label"], ["caf\u00e9", "1"]], encoding="latin1")
    with pytest.raises(DataError, match=r"dev.tsv is no UTF-8 text: .* at byte 18"):
        read("glue-sst2", tmp_path, checkpoint)


def test_known_broken_rows_of_qqps_training_file_are_left_out_and_counted(
    tmp_path: Path, checkpoint: DataSource
) -> None:
    rows = rows_of("glue-qqp", 3)
    write_tsv(tmp_path / "dev.tsv", rows)
    write_tsv(tmp_path / "train.tsv", [*rows, ["9", "9", "9", "half a row"], *rows[1:]])
    found = read("glue-qqp", tmp_path, checkpoint)
    assert len(found.train) == 6
    assert any("1 rows of GLUE QQP's training file lack fields" in note for note in found.notes)
    write_tsv(tmp_path / "dev.tsv", [*rows, ["9", "9"]])
    with pytest.raises(DataError, match=r"dev.tsv, row 3: has more or fewer fields"):
        read("glue-qqp", tmp_path, checkpoint)


def test_another_tasks_folder_and_a_model_without_tokenizer_are_refused(tmp_path: Path, checkpoint: DataSource) -> None:
    write_tsv(tmp_path / "dev_matched.tsv", rows_of("glue-mnli", 3))
    with pytest.raises(
        DataError, match=r"holds no GLUE RTE in a known format; expected dev.tsv.*found dev_matched.tsv"
    ):
        read("glue-rte", tmp_path, checkpoint)
    (tmp_path / "empty").mkdir()
    for without in (None, str(tmp_path / "empty")):
        with pytest.raises(DataError, match="texts need the tokenizer that the model was trained with"):
            read("glue-mnli", tmp_path, replace(checkpoint, checkpoint=without))


def test_another_tokenizer_makes_another_digest(tmp_path: Path, checkpoint: DataSource) -> None:
    write_tsv(tmp_path / "dev.tsv", rows_of("glue-rte", 3))
    found = [read("glue-rte", tmp_path, source) for source in (checkpoint, bert_checkpoint(tmp_path / "other", "a b"))]
    assert found[0].digest() != found[1].digest()
    assert found[0].tokenizer != found[1].tokenizer
