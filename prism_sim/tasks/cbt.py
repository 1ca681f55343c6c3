"""The Children's Book Test (Hill et al., arXiv 1511.02301): 20 sentences, and a 21st with a gap and its candidates.

Answered as in the GPT-2 paper (Radford et al., 2019, section 3.2): each candidate is put into the gap, and the one that
makes the sentence most likely is chosen. Texts are taken as distributed, with blanks around punctuation.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from prism_sim.tasks.base import DataError, DataSource, Splits, Task
from prism_sim.tasks.readers import tables, texts
from prism_sim.tasks.readers.cloze import ClozeExamples, Question, Questions
from prism_sim.tasks.readers.files import DataOrigin, digest, located, wrong_format
from prism_sim.tasks.scoring import cloze

GAP = "XXXXX"
ASKED = (
    "a question is asked with each of its 10 candidates, one sequence each; a latency is of workload.batch sequences"
)
TOKENS = 1024  # of GPT-2; what comes before the question seldom has more than half of it


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
    return Question(before, sentence, GAP, tuple(candidates), candidates.index(answer), where)


TASKS = (_task("CN", "common nouns"), _task("NE", "names"))
