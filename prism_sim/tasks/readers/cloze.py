"""Examples that are several sequences each: a question with every candidate put into its gap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from prism_sim.tasks.base import DataError
from prism_sim.tasks.examples import Batch, Examples


@dataclass(frozen=True, slots=True)
class Question:
    """before: the text that a candidate is judged by. sentence: with `gap` where candidates go; right: one's index.

    where: its place in the data, for error messages.
    """

    before: str
    sentence: str
    gap: str
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
        sentences = [self._ids(f" {question.sentence.replace(question.gap, word)}") for word in question.candidates]
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
