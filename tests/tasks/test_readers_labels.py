"""Classes keep their meaning, however a model numbers them."""

from __future__ import annotations

import numpy as np
import pytest

from prism_sim.tasks import DataError
from prism_sim.tasks.readers.labels import order

CLASSES = ("entailment", "neutral", "contradiction")


def config(*names: str) -> dict[str, object]:
    return {"id2label": {str(number): name for number, name in enumerate(names)}}


def test_names_decide_whatever_their_case_and_punctuation() -> None:
    found = order(CLASSES, config("CONTRADICTION", "Entailment", "neutral"), "MNLI")
    assert found.mapped(np.array([0, 0, 1, 2])).tolist() == [1, 1, 2, 0]
    assert found.classes == ("CONTRADICTION", "Entailment", "neutral")
    assert found.notes == ()
    assert order(("not_entailment", "entailment"), config("Entailment", "not-entailment"), "WNLI").index == (1, 0)


def test_the_same_order_needs_no_note_even_with_names_that_occur_twice() -> None:
    found = order(("crane", "dog", "crane"), config("crane", "dog", "crane"), "birds and machines")
    assert found.index == (0, 1, 2)
    assert found.notes == ()


@pytest.mark.parametrize(
    "names", [("LABEL_0", "LABEL_1", "LABEL_2"), ("0", "1", "2"), ("class 0", "class 1", "class 2")]
)
def test_without_real_names_the_datas_order_is_taken_and_said(names: tuple[str, ...]) -> None:
    found = order(CLASSES, config(*names), "MNLI")
    assert found.index == (0, 1, 2)
    assert found.classes == CLASSES
    assert "taken in the order of MNLI: entailment, neutral, contradiction" in found.notes[0]


def test_names_that_match_none_are_said() -> None:
    found = order(CLASSES, config("yes", "perhaps", "no"), "MNLI")
    assert found.index == (0, 1, 2)
    assert "(yes, perhaps, no) cannot be matched to those of MNLI" in found.notes[0]


def test_some_names_in_their_places_are_taken_and_said() -> None:
    found = order(CLASSES, config("entailment", "neutral", "no"), "MNLI")
    assert found.index == (0, 1, 2)
    assert len(found.notes) == 1


def test_some_names_in_other_places_are_refused() -> None:
    with pytest.raises(DataError, match="'entailment' stands elsewhere"):
        order(CLASSES, config("contra", "entailment", "neutral"), "MNLI")


@pytest.mark.parametrize("given", [config("a", "b"), {"num_labels": 2}])
def test_another_number_of_classes_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(DataError, match="the model tells 2 classes apart, but MNLI has 3"):
        order(CLASSES, given, "MNLI")


def test_gaps_in_the_models_numbers_are_refused() -> None:
    with pytest.raises(DataError, match="must number from 0 on"):
        order(CLASSES, {"id2label": {"0": "a", "2": "b", "3": "c"}}, "MNLI")


def test_without_a_model_the_datas_order_is_taken_silently() -> None:
    assert order(CLASSES, {}, "MNLI").notes == ()
