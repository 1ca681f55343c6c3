"""Blocks that are alike are predicted once: the Plan of few, with more of the same, is that which asks every block."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from prism_sim import families, plugins, strategies
from prism_sim.families.base import Dimensions
from prism_sim.plan import Plan
from prism_sim.shapes import interpreter
from prism_sim.shapes.job import Job
from prism_sim.shapes.repetition import of_few, repeated
from prism_sim.strategies.alike import AlikeBlocks
from prism_sim.strategies.base import Placement

BLOCKS, TOKENS = 12, 65
RARE = Path(__file__).parents[2] / "extensions" / "rare.py"
MODELS: dict[str, dict[str, Any]] = {
    "bert": {"hidden_size": 48, "num_hidden_layers": BLOCKS, "num_attention_heads": 12, "intermediate_size": 192},
    "gpt2": {"n_embd": 48, "n_layer": BLOCKS, "n_head": 12, "n_inner": 192},
    "vit": {
        "hidden_size": 48,
        "num_hidden_layers": BLOCKS,
        "num_attention_heads": 12,
        "intermediate_size": 192,
        "image_size": 64,
        "patch_size": 8,
    },
    "qwen3_moe": {
        "hidden_size": 64,
        "num_hidden_layers": BLOCKS,
        "num_attention_heads": 12,
        "num_key_value_heads": 4,
        "head_dim": 8,
        "intermediate_size": 192,
        "moe_intermediate_size": 48,
        "num_experts": 8,
        "num_experts_per_tok": 2,
    },
}
SHARES = (0.5, 0.25, 0.25)
# of three ranks; the second: whether blocks are alike
CASES: list[tuple[str, dict[str, Any], bool]] = [
    ("single", {}, True),
    ("prism", {}, True),
    ("prism", {"overlap": True, "shares": SHARES, "compression_rate": 4.0}, True),
    ("prism", {"compressor": "segment_means+int8"}, True),
    ("prism", {"compressor": "vector_quantisation"}, True),
    ("prism", {"compressor": "cluster_means"}, True),
    ("prism", {"segments": tuple(range(1, BLOCKS + 1))}, False),
    ("voltage", {"shares": SHARES}, True),
    ("voltage", {"cache": "whole"}, True),
    ("tensor_parallel", {"shares": SHARES}, True),
    ("galaxy", {}, True),
    ("replicas", {"shares": (0.0, 0.4, 0.6)}, True),
    ("pipeline", {"micro_batches": 2}, False),
]


def job_of(family: str, strategy: str, n_ranks: int = 3, **given: Any) -> Job:
    found = families.find(family)
    sizes: Dimensions = found.dimensions(
        {**MODELS[family], "model_type": family, "vocab_size": 100, "max_position_embeddings": 256}
    )
    head = found.head("lm" if found.causal else None)
    n_tokens = found.fixed_tokens(sizes) or TOKENS
    of_job = {name: given.pop(name) for name in ("placement", "padded", "weight_dtype", "wire_dtype") if name in given}
    return Job(
        sizes=sizes,
        head=head,
        batch=3,
        n_tokens=n_tokens,
        head_tokens=head.tokens(n_tokens),
        n_ranks=1 if strategies.find(strategy).one_rank else n_ranks,
        strategy=strategy,
        options=strategies.find(strategy).options(**given),
        **of_job,
    )


def from_few(job: Job) -> Plan | None:
    few = of_few(job)
    return None if few is None else repeated(few, job.sizes.n_blocks, interpreter.caches_before(few))


@pytest.mark.parametrize("family", MODELS)
@pytest.mark.parametrize(("strategy", "options", "alike"), CASES)
def test_few_blocks_tell_what_many_do(family: str, strategy: str, options: dict[str, Any], alike: bool) -> None:
    job = job_of(family, strategy, padded=family == "bert", wire_dtype="float16", **options)
    assert from_few(job) == (interpreter.block_by_block(job) if alike else None)
    assert interpreter.predict(job) == interpreter.block_by_block(job)


def test_every_strategy_is_among_the_cases() -> None:
    assert {strategy for strategy, *_ in CASES} == set(strategies.catalogue())


@pytest.mark.parametrize("strategy", ["single", "prism", "voltage", "tensor_parallel", "galaxy", "replicas"])
@pytest.mark.parametrize("weight_dtype", [None, "int8"])
def test_few_blocks_tell_what_many_do_when_text_is_generated(strategy: str, weight_dtype: str | None) -> None:
    prompt = job_of("gpt2", strategy, weight_dtype=weight_dtype).prompt(new_tokens=8)
    for job in (prompt, prompt.step(TOKENS), prompt.step(TOKENS + 5), prompt.step(TOKENS + 5, n_tokens=2)):
        assert from_few(job) == interpreter.block_by_block(job)


@pytest.mark.parametrize(
    ("strategy", "n_ranks"), [("prism", 5), ("tensor_parallel", 5), ("galaxy", 4), ("galaxy", 5), ("galaxy", 6)]
)
@pytest.mark.parametrize("placement", [Placement(), Placement("replicated", "in_place")])
def test_few_blocks_tell_what_many_do_whoever_runs_ahead(strategy: str, n_ranks: int, placement: Placement) -> None:
    """Round a ring of P ranks memory repeats with the rank that runs ahead, every P / gcd(P, 4) blocks."""
    job = job_of("bert", strategy, n_ranks, placement=placement)
    job = replace(job, sizes=replace(job.sizes, n_blocks=15))
    assert from_few(job) == interpreter.block_by_block(job)


def test_a_plan_of_many_blocks_asks_few(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(interpreter, "block_by_block", lambda job: asked.append(job.sizes.n_blocks))
    job = job_of("bert", "prism", segments=7)
    few = of_few(replace(job, sizes=replace(job.sizes, n_blocks=48)))
    assert few is not None
    assert few.sizes.n_blocks == 5  # two first, two to compare, the last
    assert interpreter.predict(job).exchanges
    assert asked == []


@pytest.fixture
def rare(no_plugins: None) -> None:
    """A strategy that exchanges before every k-th block only."""
    plugins.load_plugin(RARE)


def test_a_strategy_that_says_nothing_of_its_blocks_is_asked_about_each(rare: None) -> None:
    assert of_few(job_of("bert", "rare")) is None


def test_a_strategy_that_says_so_wrongly_is_seen(rare: None, monkeypatch: pytest.MonkeyPatch) -> None:
    honest, job = interpreter.block_by_block(job_of("bert", "rare")), job_of("bert", "rare")
    own = strategies.find("rare")
    known = dict(strategies.catalogue())
    known["rare"] = replace(own, rank=AlikeBlocks(own.rank))
    monkeypatch.setattr(strategies, "find", known.__getitem__)
    few = of_few(job)
    assert few is not None  # what it says is believed so far
    assert from_few(job) is None
    assert interpreter.predict.__wrapped__(job) == honest
