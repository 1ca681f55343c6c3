"""The Children's Book Test (Hill et al., arXiv 1511.02301): 20 sentences, and a 21st with a gap and its candidates.

Answered as in the GPT-2 paper (Radford et al., 2019, section 3.2): each candidate is put into the gap, and the one that
makes the sentence most likely is chosen. Texts are taken as distributed, with blanks around punctuation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from prism_sim.tasks.base import DataError, DataSource, Splits, Task
from prism_sim.tasks.readers import parquet, texts
from prism_sim.tasks.readers.cloze import ClozeExamples, Question, Questions
from prism_sim.tasks.readers.files import Origin, digest, folder_with, located, reading, wrong_format
from prism_sim.tasks.scoring import cloze

GAP = "XXXXX"
SENTENCES = 20
ASKED = (
    "a question is asked with each of its 10 candidates, one sequence each; a latency is of workload.batch sequences"
)
TOKENS = 1024  # of GPT-2; what comes before the question seldom has more than half of it
NUMBERED = re.compile(r"(\d+) (.*)", re.DOTALL)
INNER = ("CBTest/data", "data")


@dataclass(frozen=True, slots=True)
class Layout:
    """One kind of missing word. kind: in the files' names, and the hub's name of it. words: what is missing."""

    kind: str
    words: str

    @property
    def validation(self) -> str:
        return f"cbtest_{self.kind}_valid_2000ex.txt"

    @property
    def test(self) -> str:
        return f"cbtest_{self.kind}_test_2500ex.txt"

    @property
    def origin(self) -> Origin:
        return Origin(
            name=f"CBT-{self.kind}",
            hub_id="cam-cst/cbt",
            patterns=(f"{self.kind}/*.parquet",),
            homepage="https://research.facebook.com/downloads/babi",
            formats=f"{self.test}, and {self.validation} to validate on, or test-*.parquet and validation-*.parquet",
        )


def task(name: str, layout: Layout) -> Task:
    """The catalogue's entry."""
    read = partial(splits, layout)
    return Task(
        name=name,
        summary=f"which of ten {layout.words} is missing in a children's book; 2,500 questions to test",
        source="Hill et al., The Goldilocks Principle, arXiv 1511.02301",
        family="gpt2",
        head="lm",
        metrics=("cloze_accuracy",),
        load=partial(read, DataSource()),
        score=cloze,
        read=read,
    )


def splits(layout: Layout, source: DataSource) -> Splits:
    """Nothing to train on: a language model answers as it is. Validation may be missing. Raises DataError."""
    place = located(source, layout.origin)
    validation, test = _find(layout, place)
    tokenizer = texts.tokenizer(source)
    length = texts.n_tokens(source, TOKENS, "n_positions")

    tokenizer("", add_special_tokens=False)  # as below: threads must not change how it cuts and fills up

    cut = f"sequences have {length} tokens: the text before a question of {layout.origin.name} is cut at its beginning"

    def examples(questions: list[Question]) -> ClozeExamples:
        right = np.array([question.right for question in questions], dtype=np.int64)
        filled = Questions(questions, tokenizer, length)
        return ClozeExamples({"input_ids": filled}, right, pad_to=length, pad_id=tokenizer.pad_token_id or 0)

    return Splits(
        train=examples([]),
        validation=examples([question for path in validation for question in _questions(path)]),
        test=examples([question for path in test for question in _questions(path)]),
        tokenizer=texts.described(tokenizer) if tokenizer.is_fast else None,
        stated_digest=digest((*validation, *test), place, texts.described(tokenizer), str(length)),
        notes=(ASKED, *(() if length >= TOKENS else (cut,))),
    )


def _find(layout: Layout, place: Path) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    folder = folder_with(place, INNER, [layout.test])
    if folder is not None:
        validation = folder / layout.validation
        return (validation,) if validation.is_file() else (), (folder / layout.test,)
    inner = place / layout.kind if (place / layout.kind).is_dir() else place
    if files := parquet.shards(inner, "test"):
        return parquet.shards(inner, "validation"), files
    raise wrong_format(place, layout.origin)


def _questions(path: Path) -> list[Question]:
    found = list(_of_parquet(path) if path.suffix == ".parquet" else _of_text(path))
    if not found:
        raise DataError(f"{path} holds no question; get it anew")
    return found


def _of_text(path: Path) -> Iterator[Question]:
    """Blocks of 21 numbered lines; the last is `21 QUESTION<tab>ANSWER<tab><tab>CANDIDATE|CANDIDATE...`."""
    before: list[str] = []
    number = 0
    with reading(path), path.open(encoding="utf-8-sig", newline="\n") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            matched = NUMBERED.fullmatch(line.rstrip("\r\n"))
            if matched is None or int(matched[1]) != len(before) + 1:
                raise DataError(
                    f"{path}:{number}: expected sentence {len(before) + 1}, but it is {line.strip()[:40]!r}"
                )
            if len(before) < SENTENCES:
                before.append(matched[2].strip())
                continue
            yield _question(path, number, before, matched[2])
            before = []
    if before:
        raise DataError(f"{path}:{number} is truncated: it ends after sentence {len(before)} of {SENTENCES + 1}")


def _question(path: Path, number: int, before: list[str], line: str) -> Question:
    fields = [field.strip() for field in line.split("\t") if field.strip()]
    if len(fields) != 3:
        raise DataError(
            f"{path}:{number}: has {len(fields)} fields, but a question has three: its sentence, the answer, candidates"
        )
    sentence, answer, candidates = fields
    return _checked(" ".join(before), sentence, answer, candidates.split("|"), f"{path}:{number}")


def _of_parquet(path: Path) -> Iterator[Question]:
    for number, row in enumerate(parquet.rows(path, ["sentences", "question", "answer", "options"])):
        where = f"{path}, row {number}"
        if not isinstance(row["sentences"], list) or not isinstance(row["options"], list):
            raise DataError(f"{where}: sentences and options must be lists of texts")
        yield _checked(" ".join(row["sentences"]), row["question"], row["answer"], row["options"], where)


def _checked(before: str, sentence: str, answer: str, candidates: list[str], where: str) -> Question:
    if GAP not in sentence:
        raise DataError(f"{where}: the question has no gap {GAP}")
    if answer not in candidates:
        raise DataError(f"{where}: the answer {answer!r} is none of the candidates {', '.join(candidates)}")
    return Question(before, sentence, GAP, tuple(candidates), candidates.index(answer), where)
