"""Laws of the Plan that sizes alone predict: bytes and FLOPs in closed form, memory, and the papers' tables."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_sim import families, strategies
from prism_sim.families import Dimensions
from prism_sim.partition import even_split
from prism_sim.plan import Plan
from prism_sim.shapes.interpreter import predict
from prism_sim.shapes.job import Job
from prism_sim.strategies.base import Placement

VIT_B = families.find("vit").dimensions(
    {
        "hidden_size": 768,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "image_size": 224,
        "patch_size": 16,
    }
)
BERT_B = families.find("bert").dimensions(
    {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}
)
SMALL = Dimensions("bert", n_blocks=16, width=128, n_heads=16, feed_forward_width=128, max_tokens=4096, vocabulary=9)

# arXiv 2605.25682, Table 3 (N = 197): strategy, ranks, options, GFLOPs per device, computation cut and
# communication cut in percent
VIT_TABLE: list[tuple[str, int, dict[str, Any], float, float | None, float | None]] = [
    ("single", 1, {}, 35.15, None, None),
    ("voltage", 2, {}, 20.37, 42.05, None),
    ("prism", 2, {"segments": 10}, 17.54, 50.11, 89.90),
    ("prism", 2, {"segments": 20}, 17.86, 49.20, 79.80),
    ("prism", 2, {"segments": 30}, 18.18, 48.29, 69.70),
]
# arXiv 2507.12145, abstract: BERT-base, 256 tokens, 2 devices, compression rate 128
BERT_CUT, BERT_COMMUNICATION_CUT = 51.24, 99.2
SPREAD = [name for name, found in strategies.catalogue().items() if not found.one_rank]
# tokens, ranks, compression rate asked for, segments that it takes
RATES = [
    (197, 2, 9.9, 10),
    (197, 2, 4.95, 20),
    (197, 2, 3.3, 30),
    (256, 2, 128.0, 1),
    (256, 4, 1000.0, 1),
    (10, 2, 1.0, 5),
]
GFLOPS_TOLERANCE = 2e-3  # the papers' counter adds LayerNorm, softmax and GELU
POINTS = 0.02  # of a percentage with two decimals, from GFLOPs with two


def job(sizes: Dimensions, n_tokens: int, strategy: str = "prism", n_ranks: int = 2, **how: Any) -> Job:
    kind = strategies.find(strategy).options
    options = {name: how.pop(name) for name in list(how) if name in kind.__dataclass_fields__}
    head = families.find(sizes.family).head("none")
    fields = {"batch": 1, "n_ranks": n_ranks, "head_tokens": head.tokens(n_tokens), **how}
    return Job(sizes, head, n_tokens=n_tokens, strategy=strategy, options=kind(**options), **fields)


def block_flops(plan: Plan, rank: int) -> int:
    return sum(step.flops for step in plan.computes(rank) if step.label.startswith("block"))


def gflops_per_device(plan: Plan) -> float:
    """The papers': the mean over the ranks of the blocks' FLOPs, plus the patch embedding over the ranks."""
    blocks = sum(block_flops(plan, rank) for rank in range(plan.n_ranks))
    embedding = sum(step.flops for step in plan.computes(plan.terminal) if step.label == "embedding")
    return (blocks + embedding) / plan.n_ranks / 1e9


def gathered_bytes(plan: Plan) -> list[tuple[int, ...]]:
    return [exchange.bytes_by_rank for exchange in plan.exchanges if exchange.kind == "all_gather"]


@pytest.mark.parametrize(("strategy", "ranks", "options", "gflops", "cut", "saved"), VIT_TABLE)
def test_vit_on_two_boards_computes_what_the_paper_says(
    strategy: str, ranks: int, options: dict[str, Any], gflops: float, cut: float | None, saved: float | None
) -> None:
    plan = predict(job(VIT_B, 197, strategy, ranks, **options))
    assert gflops_per_device(plan) == pytest.approx(gflops, rel=GFLOPS_TOLERANCE)
    if cut is not None:
        single = gflops_per_device(predict(job(VIT_B, 197, "single", 1)))
        assert 100 * (1 - gflops_per_device(plan) / single) == pytest.approx(cut, abs=POINTS)
    if saved is not None:
        everything = gathered_bytes(predict(job(VIT_B, 197, "voltage", ranks)))[0][0]
        assert 100 * (1 - gathered_bytes(plan)[0][0] / everything) == pytest.approx(saved, abs=POINTS)


def test_bert_on_two_devices_computes_what_the_paper_says() -> None:
    prism, single = predict(job(BERT_B, 256, segments=1)), predict(job(BERT_B, 256, "single", 1))
    assert 100 * (1 - gflops_per_device(prism) / gflops_per_device(single)) == pytest.approx(BERT_CUT, abs=POINTS)
    everything = gathered_bytes(predict(job(BERT_B, 256, "voltage")))[0][0]
    assert 100 * (1 - gathered_bytes(prism)[0][0] / everything) == pytest.approx(BERT_COMMUNICATION_CUT, abs=0.05)
    assert predict(job(BERT_B, 256, compression_rate=128.0)) == prism


@given(st.integers(1, 6), st.data())
def test_a_block_costs_its_four_kinds_of_products(n_ranks: int, data: st.DataObject) -> None:
    """Per block 2 (2 Np D^2 + 2 Nk D^2 + 2 Np D F + 2 Np Nk D), with Nk = Np + the summaries of all others."""
    n_tokens, segments = data.draw(st.integers(n_ranks, 60)), data.draw(st.integers(1, 20))
    sizes = Dimensions("bert", n_blocks=2, width=12, n_heads=3, feed_forward_width=35, max_tokens=64, vocabulary=9)
    plan = predict(job(sizes, n_tokens, n_ranks=n_ranks, segments=segments))
    own = even_split(n_tokens, n_ranks)
    sent = [min(segments, size) for size in own]
    for rank, np_ in enumerate(own):
        nk, d, f = np_ + sum(sent) - sent[rank], 12, 35
        assert block_flops(plan, rank) == 2 * 2 * (
            2 * np_ * d * d + 2 * nk * d * d + 2 * np_ * d * f + 2 * np_ * nk * d
        )


@given(st.integers(2, 6), st.integers(1, 3), st.data())
def test_prism_sends_its_summaries_and_voltage_its_rows_before_every_block(
    n_ranks: int, batch: int, data: st.DataObject
) -> None:
    n_tokens, segments = data.draw(st.integers(n_ranks, 60)), data.draw(st.integers(1, 20))
    sizes = Dimensions("bert", n_blocks=3, width=12, n_heads=3, feed_forward_width=35, max_tokens=64, vocabulary=9)
    row = batch * 12 * 2  # float16
    rows = even_split(n_tokens, n_ranks)
    how = {"n_ranks": n_ranks, "batch": batch, "dtype": "float16"}
    voltage, prism = (
        predict(job(sizes, n_tokens, "voltage", **how)),
        predict(job(sizes, n_tokens, segments=segments, **how)),
    )
    assert gathered_bytes(voltage) == [tuple(size * row for size in rows)] * 3
    assert gathered_bytes(prism) == [tuple(min(segments, size) * row for size in rows)] * 3


@pytest.mark.parametrize(
    ("n_tokens", "n_ranks", "rate", "segments"),
    [
        (197, 2, 9.9, 10),
        (197, 2, 4.95, 20),
        (197, 2, 3.3, 30),
        (256, 2, 128.0, 1),
        (256, 4, 1000.0, 1),
        (10, 2, 1.0, 5),
    ],
)
def test_a_compression_rate_asks_for_its_segments(n_tokens: int, n_ranks: int, rate: float, segments: int) -> None:
    """L = max(1, round(ceil(N/P) / CR))."""
    sizes = dataclasses.replace(SMALL, n_blocks=1)
    by_rate, by_segments = (
        predict(job(sizes, n_tokens, n_ranks=n_ranks, **asked))
        for asked in ({"compression_rate": rate}, {"segments": segments})
    )
    assert by_rate == by_segments
    assert segments == max(1, round(math.ceil(n_tokens / n_ranks) / rate))


def test_each_block_may_have_segments_of_its_own() -> None:
    sizes = dataclasses.replace(SMALL, n_blocks=4)
    listed = predict(job(sizes, 13, n_ranks=2, segments=(3, 1, 9, 3)))  # partitions of 7 and 6 tokens
    row = 128 * 4
    assert gathered_bytes(listed) == [(size * row,) * 2 for size in (3, 1)] + [(7 * row, 6 * row), (3 * row,) * 2]
    assert predict(job(sizes, 13, n_ranks=2, segments=(3,) * 4)) == predict(job(sizes, 13, n_ranks=2, segments=3))


@pytest.mark.parametrize("n_listed", [1, 3, 5])
def test_a_list_of_segments_has_one_for_each_block(n_listed: int) -> None:
    with pytest.raises(ValueError, match=f"segments lists {n_listed} numbers, but the model has 4 blocks"):
        predict(job(dataclasses.replace(SMALL, n_blocks=4), 13, segments=(2,) * n_listed))


def test_the_same_job_is_predicted_once() -> None:
    assert predict(job(VIT_B, 197, segments=7)) is predict(job(VIT_B, 197, segments=7))


@pytest.mark.parametrize("name", strategies.catalogue())
def test_a_prediction_forgets_nothing_and_remembers_nothing(name: str) -> None:
    """Computed afresh, it is the same: no state is left from one job to the next."""
    asked = job(SMALL, 64, name, 1 if strategies.find(name).one_rank else 4)
    first = predict(asked)
    predict.cache_clear()
    assert predict(asked) == first
    assert predict(asked) is not first


@pytest.mark.parametrize("name", SPREAD)
def test_sixteen_ranks_all_have_work(name: str) -> None:
    plan = predict(job(SMALL, 64, name, 16, batch=16))  # of samples, which some strategies split, too
    assert all(block_flops(plan, rank) > 0 for rank in range(16))


@pytest.mark.parametrize("name", ["prism", "voltage"])
def test_sixty_four_ranks_each_exchange_once_a_block(name: str) -> None:
    plan = predict(job(SMALL, 197, name, 64, segments=2) if name == "prism" else job(SMALL, 197, name, 64))
    assert [exchange.kind for exchange in plan.exchanges].count("all_gather") == SMALL.n_blocks
    assert all(block_flops(plan, rank) > 0 for rank in range(64))


@pytest.mark.parametrize("name", strategies.catalogue())
def test_a_plan_is_in_proportion_to_its_batch(name: str) -> None:
    ranks = 1 if strategies.find(name).one_rank else 3
    one, four = (predict(job(SMALL, 12, name, ranks, batch=batch)) for batch in (3, 12))  # three for three ranks
    assert four.weight_bytes == one.weight_bytes
    for single, several in zip(one.exchanges, four.exchanges, strict=True):
        assert several.bytes_by_rank == tuple(4 * size for size in single.bytes_by_rank)
    for participant in range(ranks + 1):
        flops = [step.flops for step in one.computes(participant)]
        assert [step.flops for step in four.computes(participant)] == [4 * count for count in flops]
        assert four.activation_bytes[participant] == 4 * one.activation_bytes[participant]


def test_replicas_that_have_the_pictures_embed_their_own_only() -> None:
    """197 tokens, of which 196 are patches of 3 x 16 x 16 values; 8 pictures over 3 ranks: 3, 3 and 2."""
    plan = predict(job(VIT_B, 197, "replicas", 3, batch=8, placement=Placement(input="replicated")))
    a_picture = 2 * 196 * 768 * 768
    embedded = [sum(step.flops for step in plan.computes(rank) if step.label == "embedding") for rank in range(3)]
    assert embedded == [3 * a_picture, 3 * a_picture, 2 * a_picture]


@pytest.mark.parametrize("name", strategies.catalogue())
def test_half_the_element_is_half_the_bytes_and_the_same_flops(name: str) -> None:
    ranks = 1 if strategies.find(name).one_rank else 3
    full, half = (predict(job(SMALL, 12, name, ranks, dtype=dtype)) for dtype in ("float32", "float16"))
    assert full.weight_bytes == tuple(2 * size for size in half.weight_bytes)
    assert full.activation_bytes == tuple(2 * size for size in half.activation_bytes)
    for wide, narrow in zip(full.exchanges, half.exchanges, strict=True):
        assert wide.bytes_by_rank == tuple(2 * size for size in narrow.bytes_by_rank)
    assert [block_flops(full, rank) for rank in range(ranks)] == [block_flops(half, rank) for rank in range(ranks)]


@pytest.mark.parametrize("name", strategies.catalogue())
def test_everyone_holds_at_least_what_it_works_on(name: str) -> None:
    """Activations at their peak are no less than the largest message that is handed in or arrives."""
    ranks = 1 if strategies.find(name).one_rank else 3
    plan = predict(job(SMALL, 12, name, ranks))
    for exchange in plan.exchanges:
        for member, size in zip(exchange.group, exchange.bytes_by_rank, strict=True):
            assert plan.activation_bytes[member] >= size


@pytest.mark.parametrize("name", SPREAD)
def test_a_split_needs_no_more_memory_a_rank_than_one_device_does(name: str) -> None:
    single, spread = predict(job(SMALL, 256, "single", 1)), predict(job(SMALL, 256, name, 4))
    assert max(spread.weight_bytes[:-1]) <= single.weight_bytes[0]
    assert max(spread.activation_bytes[:-1]) <= single.activation_bytes[0]


@pytest.mark.parametrize("name", strategies.catalogue())
def test_input_on_every_rank_and_output_in_place_leave_the_terminal_nothing(name: str) -> None:
    ranks = 1 if strategies.find(name).one_rank else 3
    plan = predict(job(SMALL, 12, name, ranks, placement=Placement("replicated", "in_place")))
    assert plan.programs[plan.terminal] == ()
    assert not any(plan.terminal in exchange.group for exchange in plan.exchanges)
    assert plan.weight_bytes[plan.terminal] == plan.activation_bytes[plan.terminal] == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch": 0}, r"batch\(=0\) must be >= 1"),
        ({"n_ranks": 0}, r"n_ranks\(=0\) must be >= 1"),
        ({"n_tokens": 0}, r"n_tokens\(=0\) must be >= 1"),
        ({"n_tokens": 5000}, "5000 tokens exceed the model's 4096 positions"),
    ],
    ids=str,
)
def test_sizes_that_do_not_fit_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        job(SMALL, **{"n_tokens": 12, **changes})


def test_a_vit_serves_only_its_own_pictures() -> None:
    with pytest.raises(ValueError, match="196 tokens do not fit the model: its images give 197"):
        job(VIT_B, 196)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_heads": 7}, "width 128 is not a multiple of the 7 attention heads"),
        ({"width": 0}, r"width\(=0\) must be >= 1"),
    ],
    ids=str,
)
def test_dimensions_that_make_no_model_are_refused(changes: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(SMALL, **changes)
