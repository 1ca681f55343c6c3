"""GLUE's nine tasks, of MNLI both development sets."""

from __future__ import annotations

from prism_sim.tasks.readers.glue import GlueLayout, task

PAIR = ("sentence1", "sentence2")
PREMISE = ("premise", "hypothesis")
FOLLOWS = ("entailment", "not_entailment")
COLA = ("source", "label", "mark", "sentence")  # columns of a file without header
THREE_WAYS = ("entailment", "neutral", "contradiction")

TASKS = (
    task(
        "is a sentence grammatical",
        GlueLayout("CoLA", ("sentence",), ("unacceptable", "acceptable"), header=COLA),
        ("matthews", "accuracy"),
    ),
    task(
        "does a sentence follow from another, of genres as trained on",
        GlueLayout("MNLI", PAIR, THREE_WAYS, "gold_label", PREMISE, part="_matched"),
    ),
    task(
        "does a sentence follow from another, of other genres than trained on",
        GlueLayout("MNLI-mm", PAIR, THREE_WAYS, "gold_label", PREMISE, part="_mismatched"),
    ),
    task(
        "do two sentences of news say the same",
        GlueLayout("MRPC", ("#1 String", "#2 String"), ("not_equivalent", "equivalent"), "Quality", PAIR),
        ("f1", "accuracy"),
    ),
    task("does a sentence answer a question", GlueLayout("QNLI", ("question", "sentence"), FOLLOWS)),
    task(
        "do two questions ask the same",
        GlueLayout("QQP", ("question1", "question2"), ("not_duplicate", "duplicate"), "is_duplicate", broken=True),
        ("f1", "accuracy"),
    ),
    task("does a sentence follow from another", GlueLayout("RTE", PAIR, FOLLOWS)),
    task("is a sentence of a film review positive", GlueLayout("SST-2", ("sentence",), ("negative", "positive"))),
    task(
        "how much two sentences say the same, from 0 to 5",
        GlueLayout("STS-B", PAIR, (), "score"),
        ("spearman", "pearson"),
    ),
    task("does a sentence with its pronoun filled in follow", GlueLayout("WNLI", PAIR, FOLLOWS[::-1])),
)
