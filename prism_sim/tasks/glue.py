"""GLUE's nine tasks, of MNLI both development sets."""

from __future__ import annotations

from prism_sim.tasks.readers.glue import GlueLayout, task

PAIR = ("sentence1", "sentence2")
PREMISE = ("premise", "hypothesis")
FOLLOWS = ("entailment", "not_entailment")
THREE_WAYS = ("entailment", "neutral", "contradiction")

TASKS = (
    task(
        "is a sentence grammatical",
        ("matthews", "accuracy"),
        GlueLayout(
            "CoLA",
            ("sentence",),
            ("unacceptable", "acceptable"),
            header=("source", "label", "mark", "sentence"),
        ),
    ),
    task(
        "does a sentence follow from another, of genres as trained on",
        ("accuracy",),
        GlueLayout("MNLI", PAIR, THREE_WAYS, "gold_label", PREMISE, part="_matched"),
    ),
    task(
        "does a sentence follow from another, of other genres than trained on",
        ("accuracy",),
        GlueLayout("MNLI-mm", PAIR, THREE_WAYS, "gold_label", PREMISE, part="_mismatched"),
    ),
    task(
        "do two sentences of news say the same",
        ("f1", "accuracy"),
        GlueLayout("MRPC", ("#1 String", "#2 String"), ("not_equivalent", "equivalent"), "Quality", PAIR),
    ),
    task(
        "does a sentence answer a question",
        ("accuracy",),
        GlueLayout("QNLI", ("question", "sentence"), FOLLOWS),
    ),
    task(
        "do two questions ask the same",
        ("f1", "accuracy"),
        GlueLayout("QQP", ("question1", "question2"), ("not_duplicate", "duplicate"), "is_duplicate", broken=True),
    ),
    task("does a sentence follow from another", ("accuracy",), GlueLayout("RTE", PAIR, FOLLOWS)),
    task(
        "is a sentence of a film review positive",
        ("accuracy",),
        GlueLayout("SST-2", ("sentence",), ("negative", "positive")),
    ),
    task(
        "how much two sentences say the same, from 0 to 5",
        ("spearman", "pearson"),
        GlueLayout("STS-B", PAIR, (), "score"),
    ),
    task(
        "does a sentence with its pronoun filled in follow",
        ("accuracy",),
        GlueLayout("WNLI", PAIR, FOLLOWS[::-1]),
    ),
)
