"""The Children's Book Test (Hill et al., arXiv 1511.02301): 20 sentences, and a 21st with a gap and its candidates.

Answered as in the GPT-2 paper (Radford et al., 2019, section 3.2): each candidate is put into the gap, and the one that
makes the sentence most likely is chosen. Texts are taken as distributed, with blanks around punctuation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from prism_sim.tasks.base import DataError, DataSource, Splits, Task
from prism_sim.tasks.examples import Batch, Examples
from prism_sim.tasks.readers import tables, texts
from prism_sim.tasks.readers.files import DataOrigin, digest, located, wrong_format
from prism_sim.tasks.scoring import cloze

GAP = "XXXXX"
ASKED = (
    "a question is asked with each of its 10 candidates, one sequence each; a latency is of workload.batch sequences"
)
TOKENS = 1024  # of GPT-2; what comes before the question seldom has more than half of it


@dataclass(frozen=True, slots=True)
class Question:
    """before: the text that a candidate is judged by. sentence: with a gap where candidates go; right: one's index.

    where: its place in the data, for error messages.
    """

    before: str
    sentence: str
    candidates: tuple[str, ...]
    right: int
    where: str


@dataclass(frozen=True, slots=True)
class Filled:
    """A question's sequences of tokens, a candidate each; the sentence begins at token `begins` of all of them."""

    sequences: tuple[list[int], ...]
    begins: int


@dataclass(frozen=True, slots=True)
class Questions:
    """Questions with their candidates filled in, taken apart by a tokenizer when they are asked for.

    length: tokens of every sequence; what comes before is cut at its beginning to fit.
    """

    questions: Sequence[Question]
    tokenizer: Any
    length: int

    def __len__(self) -> int:
        return len(self.questions)

    def __getitem__(self, index: int, /) -> Filled:
        question = self.questions[index]
        before = self._ids(question.before)
        # a blank opens the sentence, as tokens of a byte-level vocabulary begin with theirs
        sentences = [self._ids(f" {question.sentence.replace(GAP, word)}") for word in question.candidates]
        room = self.length - max(map(len, sentences))
        if room < 1 or not before:
            needed = self.length - room
            raise DataError(
                f"{question.where}: the question has {needed} tokens, and needs one before it, but sequences have "
                f"{self.length}; ask for more tokens"
            )
        kept = before[-room:]
        return Filled(tuple(kept + sentence for sentence in sentences), len(kept))

    def _ids(self, text: str) -> list[int]:
        found: list[int] = self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        return found


@dataclass(frozen=True, slots=True)
class ClozeExamples(Examples):
    """Examples whose `input_ids` are `Filled`. A batch of questions holds the sequences of all their candidates.

    Measures of a batch: candidates and begins of each question; labels are the right candidates. Only to be scored:
    there is no loss in such a batch.
    """

    def batch(self, chosen: Sequence[int]) -> Batch:
        """The questions at these places: inputs (sequences, pad_to), labels and measures (questions,)."""
        assert self.pad_to is not None
        filled: list[Filled] = [self.inputs["input_ids"][at] for at in chosen]
        sequences = [sequence for each in filled for sequence in each.sequences]
        ids = np.full((len(sequences), self.pad_to), self.pad_id, dtype=np.int64)
        mask = np.zeros_like(ids)
        for line, real, sequence in zip(ids, mask, sequences, strict=True):
            line[: len(sequence)] = sequence
            real[: len(sequence)] = 1
        return Batch(
            {"input_ids": ids, "attention_mask": mask},
            np.array([self.labels[at] for at in chosen], dtype=np.int64),
            {
                "candidates": np.array([len(each.sequences) for each in filled], dtype=np.int64),
                "begins": np.array([each.begins for each in filled], dtype=np.int64),
            },
        )

    def batches(self, size: int, order: Sequence[int] | None = None) -> Iterator[Batch]:
        """As of other examples, but a question at a time: its candidates fill a batch, and logits of a vocabulary
        are large.
        """
        for at in range(len(self)) if order is None else order:
            yield self.batch([at])


def _task(kind: str, words: str) -> Task:
    """Of one kind of missing word. kind: in the files' names, and the hub's name of it. words: what is missing."""
    origin = DataOrigin(
        name=f"CBT-{kind}",
        hub_id="cam-cst/cbt",
        patterns=(f"{kind}/*.parquet",),
        homepage="https://huggingface.co/datasets/cam-cst/cbt",
        formats="the hub's test-*.parquet, and validation-*.parquet to validate on, or what datasets' save_to_disk "
        "wrote",
    )
    read = partial(_splits, kind, origin)
    return Task(
        name=f"cbt-{kind.lower()}",
        summary=f"which of ten {words} is missing in a children's book; 2,500 questions to test",
        source="Hill et al., The Goldilocks Principle, arXiv 1511.02301",
        family="gpt2",
        head="lm",
        metrics=("cloze_accuracy",),
        load=partial(read, DataSource()),
        score=cloze,
        read=read,
    )


def _splits(kind: str, origin: DataOrigin, source: DataSource) -> Splits:
    """Nothing to train on: a language model answers as it is. Validation may be missing. Raises DataError."""
    place = located(source, origin)
    inner = place / kind if (place / kind).is_dir() else place
    test, validation = (tables.split(inner, name) for name in ("test", "validation"))
    if test is None:
        raise wrong_format(place, origin)
    tokenizer = texts.tokenizer(source)
    length = texts.n_tokens(source, TOKENS, "n_positions")

    tokenizer("", add_special_tokens=False)  # as below: threads must not change how it cuts and fills up

    cut = f"sequences have {length} tokens: the text before a question of {origin.name} is cut at its beginning"

    def examples(questions: list[Question]) -> ClozeExamples:
        right = np.array([question.right for question in questions], dtype=np.int64)
        filled = Questions(questions, tokenizer, length)
        return ClozeExamples({"input_ids": filled}, right, pad_to=length, pad_id=tokenizer.pad_token_id or 0)

    return Splits(
        train=examples([]),
        validation=examples(_questions(validation) if validation else []),
        test=examples(_questions(test)),
        tokenizer=texts.described(tokenizer) if tokenizer.is_fast else None,
        stated_digest=digest(
            (*(validation.files if validation else ()), *test.files), place, texts.described(tokenizer), str(length)
        ),
        notes=(ASKED, *(() if length >= TOKENS else (cut,))),
    )


def _questions(table: tables.ExampleTable) -> list[Question]:
    found = []
    for number, row in enumerate(zip(*table.columns(["sentences", "question", "answer", "options"]), strict=True)):
        sentences, question, answer, options = row
        where = f"{table.name}, row {number}"
        if not isinstance(sentences, list) or not isinstance(options, list):
            raise DataError(f"{where}: sentences and options must be lists of texts")
        found.append(_checked(" ".join(sentences), question, answer, options, where))
    return found


def _checked(before: str, sentence: str, answer: str, candidates: list[str], where: str) -> Question:
    if GAP not in sentence:
        raise DataError(f"{where}: the question has no gap {GAP}")
    if answer not in candidates:
        raise DataError(f"{where}: the answer {answer!r} is none of the candidates {', '.join(candidates)}")
    return Question(before, sentence, tuple(candidates), candidates.index(answer), where)


TASKS = (_task("CN", "common nouns"), _task("NE", "names"))
