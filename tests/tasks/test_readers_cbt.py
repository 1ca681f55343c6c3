"""The Children's Book Test: each candidate in the gap, the likeliest sentence chosen."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from benchmark_files import gpt2_checkpoint, write_parquet

from prism_sim import strategies, tasks
from prism_sim.evaluation import Spread, evaluate
from prism_sim.tasks import DataError, DataSource, Splits
from prism_sim.tasks.cbt import ASKED
from prism_sim.tasks.examples import Examples
from prism_sim.tasks.scoring import cloze

BEFORE = [f"Sentence {number} of a book ." for number in range(1, 21)]
QUESTIONS = [
    ("The XXXXX was ill .", "king", ["cat", "king", "well", "crown"]),
    ("She ate the XXXXX , and went home .", "apple", ["apple", "house", "moon", "a longer one"]),
    ("A XXXXX !", "ship", ["sea", "sky", "ship", "shore"]),
]
TASK = tasks.find("cbt-cn")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> DataSource:
    return gpt2_checkpoint(tmp_path_factory.mktemp("gpt2"))


def columns(questions: list[tuple[str, str, list[str]]]) -> dict[str, list[Any]]:
    return {
        "sentences": [BEFORE] * len(questions),
        "question": [sentence for sentence, _, _ in questions],
        "answer": [answer for _, answer, _ in questions],
        "options": [candidates for _, _, candidates in questions],
    }


def write(folder: Path, questions: list[tuple[str, str, list[str]]], split: str = "test") -> None:
    write_parquet(folder / f"{split}-00000-of-00001.parquet", columns(questions))


def read(folder: Path, checkpoint: DataSource) -> Splits:
    return TASK.splits(replace(checkpoint, path=folder))


def decoded(examples: Examples, at: int) -> list[str]:
    """Each candidate's sequence as text: a token is a byte."""
    filled = examples.inputs["input_ids"][at]
    tokenizer = examples.inputs["input_ids"].tokenizer
    return [tokenizer.decode(sequence) for sequence in filled.sequences]


def test_candidates_are_put_into_the_gap_behind_what_comes_before(tmp_path: Path, checkpoint: DataSource) -> None:
    write(tmp_path, QUESTIONS)
    found = read(tmp_path, replace(checkpoint, config={"n_positions": 1024}))
    before = " ".join(BEFORE)
    assert decoded(found.test, 0) == [f"{before} The {word} was ill ." for word in QUESTIONS[0][2]]
    assert found.test.inputs["input_ids"][0].begins == len(before)
    assert found.test.labels.tolist() == [1, 0, 2]
    assert (len(found.train), len(found.validation)) == (0, 0)
    assert found.notes == (ASKED,)


def test_a_longer_text_is_cut_at_its_beginning_alike_for_all_candidates(tmp_path: Path, checkpoint: DataSource) -> None:
    write(tmp_path, QUESTIONS)
    found = read(tmp_path, replace(checkpoint, tokens=60))
    for at, (sentence, _, candidates) in enumerate(QUESTIONS):
        longest = max(len(sentence.replace("XXXXX", word)) + 1 for word in candidates)
        kept = " ".join(BEFORE)[-(60 - longest) :]
        assert found.test.inputs["input_ids"][at].begins == 60 - longest
        assert decoded(found.test, at) == [f"{kept} {sentence.replace('XXXXX', word)}" for word in candidates]
    cut = "sequences have 60 tokens: the text before a question of CBT-CN is cut at its beginning"
    assert found.notes == (ASKED, cut)
    too_short = read(tmp_path, replace(checkpoint, tokens=20))
    with pytest.raises(DataError, match=r"parquet, row 0: the question has 20 tokens, and needs one before it"):
        too_short.test.batch([0])


def test_a_batch_holds_the_sequences_of_a_question(tmp_path: Path, checkpoint: DataSource) -> None:
    write(tmp_path, QUESTIONS)
    examples = read(tmp_path, replace(checkpoint, tokens=100)).test
    batches = list(examples.batches(64))
    assert [batch.inputs["input_ids"].shape for batch in batches] == [(4, 100)] * 3
    assert [len(batch) for batch in batches] == [1, 1, 1]
    assert batches[0].inputs["attention_mask"].sum(-1).tolist() == [98, 99, 99, 100]
    taken = examples.take([2, 0])
    assert [batch.labels.tolist() for batch in taken.batches(64)] == [[2], [1]]


def test_the_chosen_candidate_is_that_of_the_likeliest_sentence(tmp_path: Path, checkpoint: DataSource) -> None:
    write(tmp_path, QUESTIONS)
    examples = read(tmp_path, replace(checkpoint, tokens=80)).test
    config = transformers.GPT2Config(n_embd=16, n_layer=2, n_head=2, vocab_size=256, n_positions=80)
    torch.manual_seed(0)
    model = transformers.GPT2LMHeadModel(config).double().eval()
    torch.nn.init.normal_(model.transformer.wte.weight, std=2)  # decided opinions
    expected = []
    for at in range(3):
        filled, likelihoods = examples.inputs["input_ids"][at], []
        for sequence in filled.sequences:
            # by Hugging Face's own loss: the mean over the tokens that are not ignored
            labels = torch.tensor([[-100] * filled.begins + sequence[filled.begins :]])
            with torch.no_grad():
                loss = float(model(input_ids=torch.tensor([sequence]), labels=labels).loss)
            likelihoods.append(-loss * (len(sequence) - filled.begins))
        expected.append(int(np.argmax(likelihoods)))
    batch = examples.batch([0, 1, 2])
    with torch.no_grad():
        logits = model(**{name: torch.from_numpy(values) for name, values in batch.inputs.items()}).logits.numpy()
    found = cloze(logits, batch)
    assert found["prediction"].tolist() == expected
    assert len(set(expected)) > 1
    assert found["target"].tolist() == [1, 0, 2]


def test_what_stands_before_the_sentence_and_behind_its_end_does_not_count() -> None:
    """Two candidates of different lengths, counted by hand: log 1/4 a token beside log 1/2 and log 1/2."""
    from prism_sim.tasks.examples import Batch

    ids = np.array([[0, 1, 2, 0], [0, 1, 3, 0]])
    mask = np.array([[1, 1, 1, 0], [1, 1, 1, 1]])
    batch = Batch(
        {"input_ids": ids, "attention_mask": mask},
        np.array([0]),
        {"candidates": np.array([2]), "begins": np.array([2])},
    )
    logits = np.full((2, 4, 4), -100.0)
    logits[:, 0, 3] = 50  # of a token before the sentence: wrong, and not counted
    logits[0, 1] = math.log(0.25)
    logits[1, 1, [2, 3]] = math.log(0.5)
    logits[1, 2, [0, 1]] = math.log(0.5)
    assert cloze(logits, batch)["prediction"].tolist() == [0]  # 1/4 = 1/2 * 1/2: the first of equals
    logits[1, 1, 2] = -100
    assert cloze(logits, batch)["prediction"].tolist() == [1]


def test_validation_and_kinds_of_words_are_told_apart(tmp_path: Path, checkpoint: DataSource) -> None:
    write(tmp_path / "CN", QUESTIONS)
    write(tmp_path / "CN", QUESTIONS[:1], "validation")
    write(tmp_path / "NE", QUESTIONS[1:])
    found = read(tmp_path, checkpoint)
    assert (len(found.validation), len(found.test)) == (1, 3)
    assert len(tasks.find("cbt-ne").splits(replace(checkpoint, path=tmp_path)).test) == 2


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"question": ["The _____ was ill ."]}, "row 0: the question has no gap XXXXX"),
        ({"answer": ["queen"]}, "row 0: the answer 'queen' is none of the candidates cat, king"),
        ({"options": ["cat"]}, "row 0: sentences and options must be lists of texts"),
        ({name: [] for name in columns([])}, "holds no row"),
    ],
)
def test_a_damaged_question_is_named_with_its_row(
    changed: dict[str, list[Any]], message: str, tmp_path: Path, checkpoint: DataSource
) -> None:
    write_parquet(tmp_path / "test.parquet", {**columns(QUESTIONS[:1]), **changed})
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path, checkpoint)
    assert "test.parquet" in str(caught.value)


def test_a_folder_of_something_else_says_what_was_expected(tmp_path: Path, checkpoint: DataSource) -> None:
    (tmp_path / "cbtest_CN_test_2500ex.txt").write_text("1 A sentence .")
    with pytest.raises(DataError, match=r"expected the hub's test-\*.parquet.*found cbtest_CN_test_2500ex.txt"):
        read(tmp_path, checkpoint)


def test_questions_are_answered_alike_however_the_model_is_spread(tmp_path: Path, checkpoint: DataSource) -> None:
    write(tmp_path, QUESTIONS)
    examples = read(tmp_path, replace(checkpoint, tokens=60)).test
    config = transformers.GPT2Config(n_embd=16, n_layer=2, n_head=2, vocab_size=256, n_positions=60)
    torch.manual_seed(0)
    model = transformers.GPT2LMHeadModel(config).double().eval()
    torch.nn.init.normal_(model.transformer.wte.weight, std=2)
    alone = evaluate(model, TASK, examples, batch=2)
    spread = evaluate(model, TASK, examples, Spread("voltage", strategies.find("voltage").options(), 2), batch=2)
    assert alone.n == 3
    assert spread.outcomes["prediction"].tolist() == alone.outcomes["prediction"].tolist()
    assert alone.values["cloze_accuracy"] == np.mean(alone.outcomes["prediction"] == np.array([1, 0, 2]))
