"""What each strategy sends, computes and holds, in closed form (N tokens, width D, P ranks, b bytes an element)."""

from __future__ import annotations

from itertools import pairwise

import pytest
from strategy_plans import BATCH, BLOCKS, ELEMENT_BYTES, NAMES, ROW_BYTES, D, N, plan_of

from prism_sim.partition import even_split
from prism_sim.plan import Compute, Plan, Start, Wait
from prism_sim.strategies.base import Placement

RANKS = (2, 3, 4, 8)


def sent_between_ranks(plan: Plan, rank: int) -> int:
    """Bytes of the Sends from this rank to another rank."""
    sends = [exchange for exchange in plan.exchanges if exchange.kind == "send"]
    return sum(send.bytes_by_rank[0] for send in sends if send.group[0] == rank and send.group[1] != plan.terminal)


def block_flops(plan: Plan) -> list[int]:
    return [sum(work.flops for work in plan.computes(rank)) for rank in range(plan.n_ranks)]


def between(plan: Plan, kind: str) -> list[tuple[int, ...]]:
    return [exchange.bytes_by_rank for exchange in plan.exchanges if exchange.kind == kind]


@pytest.mark.parametrize("n_ranks", RANKS)
@pytest.mark.parametrize("overlap", [False, True])
def test_voltage_gathers_each_rank_s_own_rows_once_a_block(n_ranks: int, overlap: bool) -> None:
    own_rows = tuple(size * ROW_BYTES for size in even_split(N, n_ranks))
    assert between(plan_of("voltage", n_ranks, overlap=overlap), "all_gather") == [own_rows] * BLOCKS


@pytest.mark.parametrize("n_ranks", RANKS)
@pytest.mark.parametrize("overlap", [False, True])
@pytest.mark.parametrize("segments", [1, 5])
def test_prism_gathers_l_means_of_each_rank_once_a_block(n_ranks: int, overlap: bool, segments: int) -> None:
    plan = plan_of("prism", n_ranks, segments=segments, overlap=overlap)
    assert between(plan, "all_gather") == [(segments * ROW_BYTES,) * n_ranks] * BLOCKS


@pytest.mark.parametrize("n_ranks", RANKS)
def test_tensor_parallel_reduces_all_rows_twice_a_block(n_ranks: int) -> None:
    assert between(plan_of("tensor_parallel", n_ranks), "all_reduce") == [(N * ROW_BYTES,) * n_ranks] * (2 * BLOCKS)


@pytest.mark.parametrize("n_ranks", RANKS)
def test_galaxy_sends_all_tiles_but_one_in_each_of_its_four_rings_a_block(n_ranks: int) -> None:
    plan, tiles = plan_of("galaxy", n_ranks), even_split(N, n_ranks)
    for rank in range(n_ranks):
        gathered = N - tiles[(rank + 1) % n_ranks]  # the next rank has its own tile already
        reduced = N - tiles[rank]  # the own tile ends here
        assert sent_between_ranks(plan, rank) == BLOCKS * 2 * (gathered + reduced) * ROW_BYTES
    assert {exchange.kind for exchange in plan.exchanges} == {"scatter", "gather", "send"}
    assert sum(sent_between_ranks(plan, rank) for rank in range(n_ranks)) == BLOCKS * 4 * (n_ranks - 1) * N * ROW_BYTES


@pytest.mark.parametrize("n_ranks", RANKS)
def test_galaxy_sends_four_times_what_voltage_sends(n_ranks: int) -> None:
    even = 96  # tokens that every P divides
    galaxy, voltage = (plan_of(name, n_ranks, n_tokens=even) for name in ("galaxy", "voltage"))
    by_voltage = (n_ranks - 1) * sum(own[0] for own in between(voltage, "all_gather"))
    assert {sent_between_ranks(galaxy, rank) for rank in range(n_ranks)} == {4 * by_voltage}


@pytest.mark.parametrize("n_ranks", RANKS)
@pytest.mark.parametrize("micro_batches", [1, 2, 3])
def test_a_pipeline_sends_all_rows_once_over_each_boundary(n_ranks: int, micro_batches: int) -> None:
    plan = plan_of("pipeline", n_ranks, micro_batches=micro_batches)
    samples = even_split(BATCH, micro_batches)
    for rank in range(n_ranks - 1):
        crossing = [e.bytes_by_rank for e in plan.exchanges if e.kind == "send" and e.group == (rank, rank + 1)]
        assert crossing == [(n * N * D * ELEMENT_BYTES, 0) for n in samples]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("where", ["terminal", "replicated"])
def test_a_padding_mask_travels_with_the_input_only(name: str, where: str) -> None:
    """One byte a token: to each rank that receives the input, or its samples; a pipeline's stages hand it on."""
    placement = Placement(input=where)  # type: ignore[arg-type]
    plain, padded = (plan_of(name, 4, padded=mask, placement=placement).exchanges for mask in (False, True))
    mask_bytes = [sum(p.bytes_by_rank) - sum(q.bytes_by_rank) for p, q in zip(padded, plain, strict=True)]
    times = {"terminal": {"tensor_parallel": 1, "replicas": 1}.get(name, 4), "replicated": 0}[where]
    assert sum(mask_bytes) == times * BATCH * N


@pytest.mark.parametrize("name", ["tensor_parallel", "galaxy", "pipeline", "replicas"])
@pytest.mark.parametrize("n_ranks", RANKS)
def test_splitting_model_or_batch_computes_nothing_twice(name: str, n_ranks: int) -> None:
    assert sum(block_flops(plan_of(name, n_ranks))) == sum(block_flops(plan_of("single", 1)))


@pytest.mark.parametrize("name", ["tensor_parallel", "galaxy"])
@pytest.mark.parametrize("n_ranks", RANKS)
def test_tensor_parallel_ranks_hold_norms_and_output_biases_in_common_and_a_part_of_the_rest(
    name: str, n_ranks: int
) -> None:
    common = BLOCKS * (2 * 2 * D + 2 * D) * ELEMENT_BYTES
    whole = plan_of("single", 1).weight_bytes[0]
    assert sum(held - common for held in plan_of(name, n_ranks).weight_bytes[:-1]) == whole - common


@pytest.mark.parametrize("n_ranks", RANKS)
def test_stages_hold_the_weights_of_their_own_blocks(n_ranks: int) -> None:
    whole = plan_of("single", 1).weight_bytes[0]
    held = plan_of("pipeline", n_ranks).weight_bytes[:-1]
    assert held == tuple(whole * blocks // BLOCKS for blocks in even_split(BLOCKS, n_ranks))


@pytest.mark.parametrize("n_ranks", RANKS)
def test_replicas_exchange_nothing_but_samples_and_the_rows_that_the_head_reads(n_ranks: int) -> None:
    """Of twelve samples in parts as even as can be: all tokens' rows come, the row of the first one goes."""
    scattered, gathered = plan_of("replicas", n_ranks, batch=12).exchanges
    samples = even_split(12, n_ranks)
    assert scattered.bytes_by_rank == (*(n * N * D * ELEMENT_BYTES for n in samples), 0)
    assert gathered.bytes_by_rank == (*(n * D * ELEMENT_BYTES for n in samples), 0)
    assert plan_of("replicas", n_ranks, placement=Placement("replicated", "in_place")).exchanges == ()


def test_replicas_without_samples_neither_compute_nor_meet_the_others() -> None:
    plan = plan_of("replicas", 8)  # for three samples
    assert [bool(program) for program in plan.programs] == [True] * 3 + [False] * 5 + [True]
    assert {exchange.group for exchange in plan.exchanges} == {(0, 1, 2, plan.terminal)}


@pytest.mark.parametrize("where", ["terminal", "replicated"])
def test_replicas_hold_the_whole_model_and_the_activations_of_their_samples(where: str) -> None:
    placement = Placement(input=where)  # type: ignore[arg-type]
    single, replicas = (plan_of(*of, placement=placement) for of in (("single", 1), ("replicas", 3)))
    assert replicas.weight_bytes[:-1] == (single.weight_bytes[0],) * 3
    assert [3 * held for held in replicas.activation_bytes[:-1]] == [single.activation_bytes[0]] * 3


@pytest.mark.parametrize(("shares", "samples"), [((0.75, 0.25), (6, 2)), ((0.95, 0.05), (8,)), ((0.0, 1.0), (8,))])
def test_shares_weigh_the_samples_of_replicas_down_to_none(shares: tuple[float, ...], samples: tuple[int, ...]) -> None:
    """Of eight, by largest remainder: 7.6 and 0.4 are 8 and 0."""
    scattered = plan_of("replicas", 2, batch=8, shares=shares).exchanges[0]
    assert scattered.bytes_by_rank == (*(n * N * D * ELEMENT_BYTES for n in samples), 0)


@pytest.mark.parametrize("name", ["tensor_parallel", "galaxy", "pipeline"])
def test_shares_weigh_what_a_rank_computes(name: str) -> None:
    flops = block_flops(plan_of(name, 2, shares=(0.75, 0.25)))
    assert flops[0] == 3 * flops[1]


@pytest.mark.parametrize("name", ["voltage", "prism"])
@pytest.mark.parametrize("overlap", [False, True])
def test_only_with_overlap_is_there_work_between_the_start_of_an_exchange_and_the_wait(
    name: str, overlap: bool
) -> None:
    plan = plan_of(name, 2, overlap=overlap)
    for rank in range(2):
        steps = plan.programs[rank]
        first = {(type(step), step.exchange): i for i, step in enumerate(steps) if not isinstance(step, Compute)}
        for number, exchange in enumerate(plan.exchanges):
            if exchange.kind == "all_gather":
                meanwhile = steps[first[Start, number] + 1 : first[Wait, number]]
                assert any(isinstance(step, Compute) and step.flops for step in meanwhile) == overlap


def test_galaxy_computes_on_a_tile_while_the_next_one_travels() -> None:
    """No tile is waited for right after the one before it: a product always lies between."""
    plan = plan_of("galaxy", 4)
    rings = {number for number, exchange in enumerate(plan.exchanges) if exchange.kind == "send"}
    for rank in range(4):
        arrivals = [
            place
            for place, step in enumerate(plan.programs[rank])
            if isinstance(step, Wait) and step.exchange in rings and plan.exchanges[step.exchange].group[1] == rank
        ]
        for earlier, later in pairwise(arrivals):
            assert any(isinstance(step, Compute) and step.flops for step in plan.programs[rank][earlier:later])


def test_a_stage_works_on_one_micro_batch_while_the_next_stage_works_on_the_one_before() -> None:
    """Nothing that a stage waits for depends on a later stage: it waits for arrivals from the stage before only."""
    plan = plan_of("pipeline", 4, micro_batches=3)
    for rank in range(4):
        awaited = [plan.exchanges[step.exchange].group for step in plan.programs[rank] if isinstance(step, Wait)]
        arriving = [group for group in awaited if group[1] == rank]
        assert arriving == [(rank - 1 if rank else plan.terminal, rank)] * 3


@pytest.mark.parametrize("name", ["tensor_parallel", "galaxy"])
def test_more_ranks_than_heads_are_refused_with_what_is_needed_and_what_there_is(name: str) -> None:
    with pytest.raises(ValueError, match="9 ranks need at least 9 attention heads, but the model has 8"):
        plan_of(name, 9)


def test_more_stages_than_blocks_are_refused() -> None:
    with pytest.raises(ValueError, match="9 ranks need at least 9 blocks, but the model has 8"):
        plan_of("pipeline", 9)


@pytest.mark.parametrize("micro_batches", [0, BATCH + 1])
def test_micro_batches_must_be_no_more_than_the_batch(micro_batches: int) -> None:
    with pytest.raises(ValueError, match=f"micro_batches\\(={micro_batches}\\) must be between 1 and the batch of 3"):
        plan_of("pipeline", 2, micro_batches=micro_batches)


@pytest.mark.parametrize("name", NAMES)
def test_shares_must_be_as_many_as_ranks(name: str) -> None:
    with pytest.raises(ValueError, match="2 shares are given for 3 ranks"):
        plan_of(name, 3, shares=(0.5, 0.5))
