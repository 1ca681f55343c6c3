"""Generated text on docs/accuracy.md: the places that means are tried at, the split, and how tables read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import generated_text_page as page_of
import generated_text_real as real
import numpy as np
import pytest
import torch
import transformers
from generated_text_places import PLACES, standing
from generated_text_study import FINE_TUNED, NEW, PROMPT, SHARES, ZERO_SHOT, GeneratedText, Judged, PlacedMeans, Speed

from prism_sim import infer
from prism_sim.partition import Keys, shared_split
from prism_sim.reports.page import check_places
from prism_sim.tasks import python_docs
from prism_sim.tasks.intervals import Interval
from prism_sim.tasks.python_tasks import RUN_SHARES

ROOT = Path(__file__).parents[2]
ALONE = Speed("single", None, None, 0, 0.004, 0.002)
EVERY_ROW = Speed("prism", None, 1.0, 2_000, 0.009, 0.003)
COMPRESSED = Speed("prism", 8, 4.0, 1_000, 0.008, 0.0025)
NOTHING = Interval(0.0, 0.0, 0.0)


def judged(checkpoint: str, bits: float, lost: Interval) -> list[Judged]:
    value = Interval(bits, bits, bits)
    return [Judged(checkpoint, ALONE, value, NOTHING), Judged(checkpoint, COMPRESSED, value, lost)]


def measured() -> GeneratedText:
    lost = Interval(0.0125, 0.01, 0.015)
    ways = (*judged(ZERO_SHOT, 2.5, lost), *judged(FINE_TUNED, 2.25, NOTHING))
    placed = (PlacedMeans("mean", 8, lost, NOTHING), PlacedMeans("last", 8, lost, Interval(-0.001, -0.002, 0.0)))
    return GeneratedText("python-text-llama", "bits_per_character", 3, 5, ways, placed, 2)


@pytest.mark.parametrize(("place", "wanted"), [("mean", [5, 7.5, 9.5]), ("first", [4, 7, 9]), ("last", [6, 8, 10])])
def test_a_mean_stands_in_the_middle_of_its_tokens_or_at_one_end(place, wanted):
    keys = Keys(range(4, 11), 3)  # of tokens 4 5 6, 7 8 and 9 10
    assert PLACES[place](keys, torch.arange(12)[None], None).tolist() == [wanted]


def test_the_last_rank_of_a_whole_text_owns_what_follows_the_prompt():
    assert shared_split(PROMPT + NEW, SHARES) == (32, 32, 32, 32 + NEW)


def test_where_means_stand_matters_only_to_means_and_only_for_the_time_it_is_asked_for():
    sizes = {"vocab_size": 20, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2}
    heads = {
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 16,
        "initializer_range": 0.5,
    }
    torch.manual_seed(0)
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**sizes, **heads)).eval()
    ids = {"input_ids": torch.arange(12)[None]}

    def through(segments: int, place: str | None = None) -> torch.Tensor:
        if place is None:
            return infer(model, ids, 2, "prism", segments).output
        with standing(place):
            return through(segments)

    for place in ("first", "last"):
        assert torch.equal(through(6, place), through(6))  # each mean is a row: its place is the only one
        assert not torch.allclose(through(2, place), through(2), rtol=1e-3)
    assert torch.equal(through(2, "mean"), through(2))


def test_a_table_has_a_row_a_way_and_both_checkpoints_in_it():
    written = page_of.contents([measured()], [EVERY_ROW])
    assert written["generated-text"].splitlines()[0] == "**small Llama** (`python-text-llama`), 3 test texts:"
    assert written["generated-text"].splitlines()[-1] == (
        "| prism | 8 | 4 | 1.00 kB | 8.00 ms | 2.50 ms | 2.500 | +0.0125 (+0.0100 to +0.0150) "
        "| 2.250 | +0.0000 (+0.0000 to +0.0000) |"
    )
    assert written["generated-speed"].splitlines()[-1] == "| prism, every row |  | 1 | 2.00 kB | 9.00 ms | 3.00 ms |"
    row = "| 8 | 4 | +0.0125 (+0.0100 to +0.0150) | -0.0010 (-0.0020 to +0.0000) |"
    assert written["generated-places"].splitlines()[2] == row


def test_the_page_has_a_place_for_all_of_it():
    written = page_of.contents([measured()], [EVERY_ROW])
    check_places((ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8"), "accuracy", [*written, page_of.RUN])


def test_a_page_without_a_place_is_refused_before_anything_is_trained(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("nothing\n")
    command = [
        sys.executable,
        str(ROOT / "plots" / "generated_text.py"),
        "--page",
        str(page),
        "--images",
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("no place for generated-text: add the lines <!-- accuracy: generated-text -->")


def test_a_model_that_others_trained_has_a_row_a_way():
    judged_alone = GeneratedText(
        "smollm2-135m", "bits_per_character", 3, 0, tuple(judged(ZERO_SHOT, 1.5, NOTHING)), (), 0
    )
    *_, last = page_of.real_loss(judged_alone).splitlines()
    assert last == "| prism | 8 | 4 | 1.00 kB | 8.00 ms | 2.50 ms | 1.500 | +0.0000 (+0.0000 to +0.0000) |"


def test_runs_of_a_real_tokenizer_are_whole_and_from_all_over():
    class Bytes:
        eos_token_id = 256

        def encode(self, text: str, add_special_tokens: bool) -> list[int]:
            assert not add_special_tokens
            return list(text.encode())

    ids = real._runs(Bytes(), 5).inputs["input_ids"]
    assert ids.shape == (5, PROMPT + NEW)
    first, *_ = python_docs.split((*python_docs.topics(), *python_docs.documents()), RUN_SHARES)["test"]
    assert bytes(ids[0][: len(first.text.encode())].tolist()[: PROMPT + NEW]).startswith(first.text.encode()[:100])
    assert len(np.unique(ids, axis=0)) == 5
