"""Every compressor in real models: the Plan that sizes predict, causality, padding, wire types, an exact oracle."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch
from small_models import build, inputs_of, model_of, reference, relative_error
from torch import Tensor, nn

from prism_sim import compressors, families, infer
from prism_sim.compressors.cluster_means import clusters
from prism_sim.compressors.groups import group_means
from prism_sim.compressors.token_merging import merged
from prism_sim.numeric.infer import job_for
from prism_sim.numeric.interpreter import execute
from prism_sim.partition import split
from prism_sim.shapes.interpreter import predict
from prism_sim.shapes.job import Job
from prism_sim.strategies.base import Placement
from prism_sim.strategies.prism import Options

NAMES = compressors.names()
CHAINS = [name for name in NAMES if "+" in name]
SMALL_CODEBOOK = {"codebook_size": 16, "codebook_groups": 5}


def job_of(model: nn.Module, inputs: dict[str, Any], name: str, ranks: int = 3, **how: Any) -> Job:
    more = {key: how.pop(key) for key in ("wire_dtype",) if key in how}
    options = Options(compressor=name, **{"segments": 2, **SMALL_CODEBOOK, **how})
    return dataclasses.replace(job_for(model, inputs, ranks, "prism", options, Placement()), **more)


def assert_as_predicted(model: nn.Module, inputs: dict[str, Any], job: Job) -> None:
    plan = execute(model, inputs, job, observe=True).plan
    assert plan is not None
    assert plan.observable() == predict(job).observable()


@pytest.mark.parametrize(("family", "padding"), [("vit", "none"), ("bert", "holes"), ("gpt2", "left")])
@pytest.mark.parametrize("name", CHAINS)
def test_bytes_and_flops_of_a_chain_are_those_predicted(name: str, family: str, padding: str) -> None:
    model, inputs = model_of(family, n_tokens=11), inputs_of(family, 2, 11, padding=padding)
    assert_as_predicted(model, inputs, job_of(model, inputs, name, segments=(1, 2, 9)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("wire", [None, "float16"])
@pytest.mark.parametrize("name", NAMES)
def test_in_every_precision_of_model_and_wire(name: str, wire: str | None, dtype: torch.dtype) -> None:
    model, inputs = build("bert").to(dtype), inputs_of("bert", 2, 11)
    job = job_of(model, inputs, name, shares=(0.5, 0.2, 0.3), wire_dtype=wire, overlap=True)
    assert_as_predicted(model, inputs, job)


@pytest.mark.parametrize("name", NAMES)
def test_a_narrower_wire_narrows_rows_and_leaves_packed_bytes(name: str) -> None:
    model, inputs = model_of("bert"), inputs_of("bert", 2, 11)
    wide, narrow = (
        next(
            e.bytes_by_rank
            for e in predict(job_of(model, inputs, name, wire_dtype=wire)).exchanges
            if "block" in e.label
        )
        for wire in (None, "float32")
    )
    counts = 2 if compressors.create(name, {"segments": 2}).keys(range(4)).by_content else 0  # a byte a sample
    packed = compressors.create(name, {"segments": 2}).quantiser is not None
    assert narrow == (wide if packed else tuple((size - counts) // 2 + counts for size in wide))


@pytest.mark.parametrize("name", NAMES)
def test_codebooks_are_weights_of_every_rank(name: str) -> None:
    model, inputs = model_of("bert"), inputs_of("bert", 2, 11)
    means, found = (predict(job_of(model, inputs, one)).weight_bytes for one in ("segment_means", name))
    tables = 3 * 16 * 24 * 8 if "vector" in name else 0  # blocks, codes, width, float64
    assert [a - b for a, b in zip(found, means, strict=True)] == [tables] * 3 + [0]


@pytest.mark.parametrize("name", CHAINS)
def test_no_token_moves_an_earlier_one_through_a_chain(name: str) -> None:
    model, inputs = model_of("gpt2"), inputs_of("gpt2", 1, 11)
    embedded: list[Tensor] = []
    hook = model.get_input_embeddings().register_forward_hook(lambda module, args, output: embedded.append(output))
    try:
        output = infer(model, inputs, ranks=3, segments=2, compressor=name, **SMALL_CODEBOOK).output
    finally:
        hook.remove()
    weights = torch.linspace(-1, 1, output.shape[-1], dtype=output.dtype)
    for row in range(11):
        felt = (output[:, row] * weights).sum()
        (gradient,) = torch.autograd.grad(felt, embedded[-1], retain_graph=True)
        assert gradient[:, row + 1 :].eq(0).all()
        assert gradient[:, : row + 1].abs().amax(2).gt(0).all()


def test_outputs_do_not_feel_later_tokens_at_all() -> None:
    """Not by gradient alone: assignments, ranges and codes have none."""
    ids = inputs_of("gpt2", 1, 12)["input_ids"]
    other = ids.clone()
    other[:, 8:] = (other[:, 8:] + 7) % 37  # all of the last rank's tokens
    for name in NAMES:
        how = {"ranks": 3, "segments": 2, "compressor": name, **SMALL_CODEBOOK}
        with torch.no_grad():
            before, after = (infer(model_of("gpt2"), {"input_ids": given}, **how).output for given in (ids, other))
        assert torch.equal(before[:, :8], after[:, :8]), name


@pytest.mark.parametrize("ranks", [1, 2, 3])
@pytest.mark.parametrize(
    "name", [name for name in NAMES if compressors.create(name, {"segments": 1}).quantiser is None]
)
def test_a_reducer_of_a_row_a_token_gives_the_models_own_output(name: str, ranks: int) -> None:
    for family, padding in (("vit", "none"), ("bert", "right"), ("gpt2", "holes")):
        model, inputs = model_of(family, n_tokens=11), inputs_of(family, 2, 11, padding=padding)
        real = inputs.get("attention_mask", torch.ones(2, 11)).bool()
        with torch.no_grad():
            found = infer(model, inputs, ranks=ranks, segments=11, compressor=name).output
        assert relative_error(found[real], reference(model, inputs)[real]) < 1e-10


@pytest.mark.parametrize("name", NAMES)
def test_one_rank_compresses_nothing(name: str) -> None:
    model, inputs = model_of("bert"), inputs_of("bert")
    with torch.no_grad():
        found = infer(model, inputs, ranks=1, segments=1, compressor=name).output
    assert relative_error(found, reference(model, inputs)) < 1e-10


@pytest.mark.parametrize("name", NAMES)
def test_a_step_of_training_through_a_compressor_lowers_the_loss(name: str) -> None:
    model = build("bert", "sequence_classification")
    inputs = {**inputs_of("bert", 4, 9), "labels": torch.tensor([0, 1, 2, 3])}
    losses = []
    for _ in range(2):
        loss = infer(model, inputs, ranks=2, segments=2, compressor=name, **SMALL_CODEBOOK).hf_output.loss
        losses.append(float(loss.detach()))
        model.zero_grad()
        loss.backward()
        gradients = [one.grad for one in model.parameters() if one.grad is not None]
        assert all(one.isfinite().all() for one in gradients)
        with torch.no_grad():
            scale = 1e-3 / max(float(one.norm()) for one in gradients)
            for parameter in model.parameters():
                if parameter.grad is not None:
                    parameter -= scale * parameter.grad
    assert losses[1] < losses[0]


# --- the whole

Assign = Callable[[Tensor, int, Tensor], Tensor]


class ReplacedByContent(nn.Module):
    """A Hugging Face layer run once a rank, on all rows, every token of the others replaced by its group's mean."""

    def __init__(self, layer: nn.Module, parts: tuple[range, ...], assign: Assign, real: Tensor) -> None:
        super().__init__()
        self.layer, self.parts, self.assign, self.real = layer, parts, assign, real

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        outputs = []
        for own in self.parts:
            rows = torch.cat([x[:, part] if part == own else self.replaced(x, part) for part in self.parts], 1)
            outputs.append(self.layer(rows, *args, **kwargs)[:, own.start : own.stop])
        return torch.cat(outputs, 1)

    def replaced(self, x: Tensor, part: range) -> Tensor:
        own, real = x[:, part], self.real[:, part]
        group_of = self.assign(own, 3, real)
        means, _ = group_means(own, group_of, 3, real)
        return means.gather(1, group_of[..., None].expand_as(own))


@pytest.mark.parametrize(("name", "assign"), [("cluster_means", clusters), ("token_merging", merged)])
@pytest.mark.parametrize(
    ("family", "padding"), [("vit", "none"), ("bert", "none"), ("bert", "holes"), ("gpt2", "none"), ("gpt2", "right")]
)
def test_a_content_compressor_is_the_model_with_the_others_rows_replaced_by_their_means(
    family: str, padding: str, name: str, assign: Assign
) -> None:
    """Each mean once for every token that it stands for: no counts, no log-count bias, no mask of keys."""
    n_tokens = 13
    built, inputs = model_of(family, n_tokens=n_tokens), inputs_of(family, 2, n_tokens, padding=padding)
    real = inputs.get("attention_mask", torch.ones(2, n_tokens)).bool()
    oracle = copy.deepcopy(built)
    layers = oracle.get_submodule(families.find(family).layer_list)
    for index, layer in enumerate(layers):
        layers[index] = ReplacedByContent(layer, split(n_tokens, 2), assign, real)
    with torch.no_grad():
        found, wanted = infer(built, inputs, ranks=2, segments=3, compressor=name).output, reference(oracle, inputs)
    assert relative_error(found[real], wanted[real]) < 1e-10  # some hundred roundings, three blocks
