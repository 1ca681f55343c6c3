"""`prism_sim.infer`: the model stays the caller's, gradients reach it, and what is not understood is refused."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from small_models import (
    FAMILIES,
    LABELS,
    MODELS,
    VOCABULARY,
    build,
    every_variant,
    inputs_of,
    model_of,
    named,
    reference,
    relative_error,
    without_cache,
)
from torch import Tensor, nn
from transformers import (
    BertForMultipleChoice,
    BertLMHeadModel,
    GPT2Model,
    T5Config,
    T5Model,
)

import prism_sim
from prism_sim import families, infer, strategies
from prism_sim.plan import Plan
from prism_sim.strategies.base import Placement

TOLERANCE = 1e-10  # roundings of float64 through three blocks


def labels_of(head: str, batch: int, n_tokens: int) -> dict[str, Tensor]:
    """What a head is to say, under the names by which its forward takes it."""
    generator = torch.Generator().manual_seed(9)
    if head == "question_answering":
        names = ("start_positions", "end_positions")
        return {name: torch.randint(n_tokens, (batch,), generator=generator) for name in names}
    n_classes, of_rows = {
        "image_classification": (LABELS, False),
        "sequence_classification": (LABELS, False),
        "next_sentence": (2, False),
        "token_classification": (LABELS, True),
    }.get(head, (VOCABULARY, True))
    return {"labels": torch.randint(n_classes, (batch, n_tokens) if of_rows else (batch,), generator=generator)}


WITH_LOSS = [model for model in MODELS if model[1] != "none"]


# --- the model stays the caller's


def fingerprint(model: nn.Module) -> list[Any]:
    """All that a careless stand-in could leave behind."""
    found: list[Any] = []
    for name, module in model.named_modules():
        hooks = [len(value) for key, value in sorted(vars(module).items()) if key.endswith("hooks")]
        found.append((name, id(module), type(module), module.training, sorted(vars(module)), hooks))
        found.append(list(module._modules))
    return found


@pytest.mark.parametrize("observe", [False, True], ids=["predicted", "observed"])
@pytest.mark.parametrize(
    ("model", "name"),
    [(model, name) for model in MODELS for name in strategies.catalogue() if model[1] == "none" or name == "prism"],
    ids=named,
)
def test_the_model_is_left_as_it_was(model: tuple[str, str], name: str, observe: bool) -> None:
    built, inputs = build(*model), inputs_of(model[0])
    before, weights = fingerprint(built), copy.deepcopy(built.state_dict())
    kept_inputs = {key: value.clone() for key, value in inputs.items()}
    infer(built, inputs, ranks=2, strategy=name, segments=2, observe=observe)
    assert fingerprint(built) == before
    assert built.state_dict().keys() == weights.keys()
    assert all(torch.equal(value, weights[key]) for key, value in built.state_dict().items())
    assert all(parameter.grad is None for parameter in built.parameters())
    assert inputs.keys() == kept_inputs.keys()
    assert all(torch.equal(inputs[key], value) for key, value in kept_inputs.items())


def test_the_model_is_left_as_it_was_even_by_an_error() -> None:
    built = build("bert")
    before = fingerprint(built)
    with pytest.raises(ValueError, match="10 ranks cannot share 9 tokens"):
        infer(built, inputs_of("bert"), ranks=10)
    assert fingerprint(built) == before


def test_the_same_call_gives_the_same_bits() -> None:
    built, inputs = build("gpt2", "lm"), inputs_of("gpt2")
    first, second = (infer(built, inputs, ranks=3, segments=2) for _ in range(2))
    assert torch.equal(first.output, second.output)
    assert first.plan == second.plan


# --- gradients


def gradients(model: nn.Module, loss: Tensor) -> dict[str, Tensor]:
    model.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    return {name: parameter.grad.clone() for name, parameter in model.named_parameters() if parameter.grad is not None}


def weighted_sum(output: Tensor) -> Tensor:
    """Feels every element on its own: a plain sum is constant after a norm."""
    return (output * torch.linspace(-1, 1, output.numel(), dtype=output.dtype).view_as(output)).sum()


FIRST_WITH_LOSS = [next(model for model in WITH_LOSS if model[0] == family) for family in FAMILIES]
EXACT = [
    (name, options)
    for name, options in every_variant()
    if strategies.find(name).lossless(strategies.find(name).options(**options))
]


@pytest.mark.parametrize(
    ("model", "variant"),
    [(model, variant) for model in WITH_LOSS for variant in EXACT if not variant[1] or model in FIRST_WITH_LOSS],
    ids=named,
)
def test_loss_and_gradients_of_a_lossless_strategy_are_the_models_own(
    model: tuple[str, str], variant: tuple[str, dict[str, Any]]
) -> None:
    strategy, options = variant
    built = build(*model)
    inputs = {**inputs_of(model[0]), **labels_of(model[1], 2, 9)}
    outcome = infer(built, inputs, ranks=3, strategy=strategy, **options)
    own = built(**inputs, **without_cache(built))
    assert float(outcome.hf_output.loss.detach()) == pytest.approx(float(own.loss.detach()), rel=TOLERANCE)
    found, wanted = gradients(built, outcome.hf_output.loss), gradients(built, own.loss)
    assert found.keys() == wanted.keys()
    largest = max(float(gradient.abs().max()) for gradient in wanted.values())
    for name, gradient in wanted.items():  # softmax does not feel a key's bias: its gradient is rounding alone
        allowed = 1e-8 * float(gradient.abs().max()) + 1e-13 * largest
        assert float((found[name] - gradient).abs().max()) <= allowed, name


@pytest.mark.parametrize("variant", every_variant(), ids=named)
@pytest.mark.parametrize("family", FAMILIES)
def test_gradients_reach_every_parameter_of_every_block(family: str, variant: tuple[str, dict[str, Any]]) -> None:
    strategy, options = variant
    built = build(family)
    output = infer(built, inputs_of(family), ranks=2, segments=2, strategy=strategy, **options).output
    reached = gradients(built, weighted_sum(output))
    unfelt = ("key.bias", "k_proj.bias")  # softmax does not feel what all logits of a query share
    layers = families.find(family).layer_list
    for name, _ in built.get_submodule(layers).named_parameters(layers):
        assert name in reached
        assert name.endswith(unfelt) or reached[name].abs().max() > 0, name


@pytest.mark.parametrize("family", FAMILIES)
def test_a_gradient_through_prism_is_its_finite_difference(family: str) -> None:
    built, inputs = build(family), inputs_of(family)
    layer = built.get_submodule(families.find(family).layer_list)[0]
    parameter = next(parameter for parameter in layer.parameters() if parameter.dim() == 2)
    direction = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(2), dtype=parameter.dtype)

    def value() -> Tensor:
        return weighted_sum(infer(built, inputs, ranks=3, segments=2).output)

    (gradient,) = torch.autograd.grad(value(), parameter)
    slope = float((gradient * direction).sum())
    step = 1e-6  # truncation about step^2, rounding about 1e-16 / step
    with torch.no_grad():
        parameter += step * direction
        above = float(value())
        parameter -= 2 * step * direction
        below = float(value())
    assert slope == pytest.approx((above - below) / (2 * step), rel=1e-5)


@pytest.mark.parametrize("variant", every_variant(), ids=named)
@pytest.mark.parametrize("family", FAMILIES)
def test_dropout_acts_in_training_and_only_there(family: str, variant: tuple[str, dict[str, Any]]) -> None:
    strategy, options = variant
    rates = {
        "vit": ("hidden_dropout_prob", "attention_probs_dropout_prob"),
        "bert": ("hidden_dropout_prob", "attention_probs_dropout_prob"),
        "gpt2": ("resid_pdrop", "embd_pdrop", "attn_pdrop"),
        "llama": ("attention_dropout",),
    }[family]
    built, inputs = build(family, **dict.fromkeys(rates, 0.5)), inputs_of(family)
    torch.manual_seed(0)

    def outputs() -> list[Tensor]:
        return [infer(built, inputs, ranks=2, segments=2, strategy=strategy, **options).output for _ in range(2)]

    resting = outputs()
    built.train()
    training = outputs()
    assert torch.equal(*resting)
    assert not torch.equal(*training)
    assert all(output.isfinite().all() for output in training)


# --- what comes back


def test_output_is_logits_or_the_last_hidden_state() -> None:
    for family, head in MODELS:
        outcome = infer(model_of(family, head), inputs_of(family))
        if head == "question_answering":
            assert outcome.output.shape == (2, 2, 9)  # of each sample, where the answer starts and where it ends
            assert torch.equal(outcome.output[:, 0], outcome.hf_output.start_logits)
            assert torch.equal(outcome.output[:, 1], outcome.hf_output.end_logits)
            continue
        named_so = outcome.hf_output.last_hidden_state if head == "none" else outcome.hf_output.logits
        assert outcome.output is named_so


def test_poolers_run_as_ever() -> None:
    for family in ("vit", "bert"):
        found = infer(model_of(family), inputs_of(family), strategy="voltage").hf_output.pooler_output
        assert relative_error(found, model_of(family)(**inputs_of(family)).pooler_output) < TOLERANCE


def test_there_is_no_cache_and_no_pretence_of_one() -> None:
    outcome = infer(model_of("gpt2", "lm"), {**inputs_of("gpt2"), "use_cache": True})
    assert outcome.hf_output.past_key_values is None


def test_an_output_without_names_is_given_names() -> None:
    outcome = infer(model_of("bert", "masked_lm"), {**inputs_of("bert"), "return_dict": False}, strategy="voltage")
    assert relative_error(outcome.output, reference(model_of("bert", "masked_lm"), inputs_of("bert"))) < TOLERANCE


@pytest.mark.parametrize("kept", [1, 4, 99])
def test_only_the_last_logits_are_gathered_where_only_they_are_kept(kept: int) -> None:
    built, inputs = model_of("gpt2", "lm"), inputs_of("gpt2", 2, 9)
    outcome = infer(built, {**inputs, "logits_to_keep": kept}, ranks=3, strategy="voltage")
    assert relative_error(outcome.output, reference(built, inputs)[:, -kept:]) < TOLERANCE
    gathered = next(exchange for exchange in outcome.plan.exchanges if exchange.kind == "gather")
    assert sum(gathered.bytes_by_rank) == 2 * min(kept, 9) * 24 * 8  # batch, rows, width, float64


def test_chosen_logits_are_those_chosen() -> None:
    built, inputs, chosen = model_of("gpt2", "lm"), inputs_of("gpt2"), torch.tensor([1, 4])
    found = infer(built, {**inputs, "logits_to_keep": chosen}, strategy="voltage").output
    assert relative_error(found, reference(built, inputs)[:, chosen]) < TOLERANCE


@pytest.mark.parametrize("model", [("vit", "image_classification"), ("bert", "masked_lm"), ("gpt2", "none")], ids=named)
def test_keeping_logits_means_nothing_to_a_head_that_knows_nothing_of_it(model: tuple[str, str]) -> None:
    built, inputs = model_of(*model), inputs_of(model[0])
    found = infer(built, {**inputs, "logits_to_keep": 1}, strategy="voltage").output
    assert relative_error(found, reference(built, inputs)) < TOLERANCE


def test_the_rows_that_a_head_does_not_read_stay_where_they_are() -> None:
    plan = infer(model_of("vit", "image_classification"), inputs_of("vit"), ranks=3).plan
    gathered = next(exchange for exchange in plan.exchanges if exchange.kind == "gather")
    assert gathered.bytes_by_rank == (2 * 24 * 8, 0, 0, 0)  # the CLS row of each sample, and rank 0 owns it


def test_a_strategy_of_one_rank_runs_on_one() -> None:
    assert infer(model_of("bert"), inputs_of("bert"), ranks=3, strategy="single").plan.n_ranks == 1


def test_eager_attention_is_no_obstacle() -> None:
    for family in ("vit", "bert", "gpt2"):
        eager = build(family, attn_implementation="eager")
        with torch.no_grad():
            found = infer(eager, inputs_of(family), ranks=2, strategy="voltage").output
            # the model's own eager softmax of a ViT is in float32, so the reference is the model under sdpa
            assert relative_error(found, reference(model_of(family), inputs_of(family))) < TOLERANCE


def test_compression_rate_chooses_the_segments() -> None:
    inputs = inputs_of("bert", 2, 13)
    by_rate = infer(model_of("bert"), inputs, ranks=2, compression_rate=3.5)
    assert by_rate.plan == infer(model_of("bert"), inputs, ranks=2, segments=2).plan  # ceil(13/2) / 3.5


def test_observing_changes_no_number() -> None:
    built, inputs = model_of("gpt2", "lm"), inputs_of("gpt2")
    silent, observed = (infer(built, inputs, segments=2, observe=observe) for observe in (False, True))
    assert torch.equal(silent.output, observed.output)
    assert isinstance(observed.plan, Plan)


# --- what is refused

WRONG_OPTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "misspelt strategy": ({"strategy": "prsm"}, "strategy 'prsm' is unknown; did you mean 'prism'"),
    "strange strategy": ({"strategy": "zzz"}, "strategy 'zzz' is unknown; known: .*prism.*voltage"),
    "misspelt compressor": ({"compressor": "segment_mean"}, "did you mean 'segment_means'"),
    "misspelt option": ({"segmens": 3}, "prism does not know segmens; its options: .*segments"),
    "option of another": ({"strategy": "voltage", "compressor": "identity"}, "voltage does not know compressor"),
    "no segments": ({"segments": 0}, r"segments\(=0\) must be >= 1"),
    "no compression": ({"compression_rate": 0.5}, r"compression_rate\(=0.5\) must be >= 1"),
    "no number": ({"compression_rate": float("nan")}, r"compression_rate\(=nan\) must be >= 1"),
    "both": ({"segments": 3, "compression_rate": 2.0}, "segments and compression_rate|compression_rate and segments"),
    "no ranks": ({"ranks": 0}, r"n_ranks\(=0\) must be >= 1"),
    "too many ranks": ({"ranks": 10}, "10 ranks cannot share 9 tokens: each needs at least one"),
    "too many heads": ({"strategy": "tensor_parallel", "ranks": 4}, "4 ranks need at least 4 attention heads"),
    "too few shares": ({"shares": [0.5, 0.3, 0.2]}, "3 shares are given for 2 ranks"),
    "wrong shares": ({"shares": [0.5, 0.4]}, "sum to 0.9, but must sum to 1"),
    "no shares": ({"shares": []}, "0 shares are given for 2 ranks"),
}


@pytest.mark.parametrize("case", WRONG_OPTIONS)
def test_options_that_make_no_sense_are_refused_with_value_and_rule(case: str) -> None:
    how, message = WRONG_OPTIONS[case]
    with pytest.raises(ValueError, match=message):
        infer(model_of("bert"), inputs_of("bert"), **how)


IDS = inputs_of("bert")["input_ids"]
WRONG_INPUTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "hidden states": ("bert", {"output_hidden_states": True}, "output_hidden_states is not supported"),
    "attentions": ("gpt2", {"output_attentions": True}, "output_attentions is not supported"),
    "a cache": ("gpt2", {"past_key_values": object()}, "past_key_values is not supported"),
    "an encoder": ("bert", {"encoder_hidden_states": torch.zeros(2, 9, 24)}, "encoder_hidden_states is not supported"),
    "embeddings": ("bert", {"input_ids": None, "inputs_embeds": torch.zeros(2, 9, 24)}, "inputs_embeds is not supp"),
    "nothing": ("bert", {"input_ids": None}, "inputs need 'input_ids'"),
    "a 3-D mask": ("bert", {"attention_mask": torch.ones(2, 9, 9)}, r"must be \(batch, tokens\).*\(2, 9, 9\)"),
    "a 4-D mask": ("gpt2", {"attention_mask": torch.ones(2, 1, 9, 9)}, r"must be \(batch, tokens\)"),
    "too many tokens": ("bert", {"input_ids": IDS[:1, :1].expand(1, 49)}, "49 tokens exceed the model's 48"),
    "packed sequences": ("gpt2", {"position_ids": torch.arange(9)[None] % 4}, "need an attention_mask"),
}


@pytest.mark.parametrize("case", WRONG_INPUTS)
def test_inputs_that_would_be_misunderstood_are_refused(case: str) -> None:
    family, more, message = WRONG_INPUTS[case]
    with pytest.raises(ValueError, match=message):
        infer(model_of(family), {**inputs_of(family), **more})


@pytest.mark.parametrize("asked", ["output_hidden_states", "output_attentions"])
def test_a_configuration_may_not_ask_for_them_either(asked: str) -> None:
    built = build("bert", attn_implementation="eager")
    setattr(built.config, asked, True)
    with pytest.raises(ValueError, match=f"{asked} is not supported"):
        infer(built, inputs_of("bert"))
    assert infer(built, {**inputs_of("bert"), asked: False}).output.shape == (2, 9, 24)


def decoder() -> nn.Module:
    return BertLMHeadModel(build("bert", is_decoder=True).config)


WRONG_MODELS: dict[str, tuple[Callable[[], Any], str]] = {
    "a BERT decoder": (decoder, "a BERT decoder .* is not supported"),
    "cross-attention": (
        lambda: GPT2Model(build("gpt2", add_cross_attention=True).config),
        "a GPT-2 with cross-attention is not supported",
    ),
    "an unknown head": (
        lambda: BertForMultipleChoice(build("bert").config),
        "BertForMultipleChoice is not supported; of this family: .*BertForMaskedLM",
    ),
    "an unknown family": (
        lambda: T5Model(T5Config(vocab_size=9, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2)),
        "model family 't5' is unknown; known: bert, .*gpt2, llama, .*vit",
    ),
    "no Hugging Face model": (lambda: nn.Linear(2, 2), "Linear is no Hugging Face model"),
}


@pytest.mark.parametrize("case", WRONG_MODELS)
def test_models_that_would_be_misunderstood_are_refused(case: str) -> None:
    make, message = WRONG_MODELS[case]
    with pytest.raises(ValueError, match=message):
        infer(make(), inputs_of("bert"))


def test_a_picture_of_another_size_is_refused() -> None:
    built = build("vit", image_size=(12, 12))
    larger = {"pixel_values": torch.zeros(2, 3, 16, 16).double(), "interpolate_pos_encoding": True}
    with pytest.raises(ValueError, match=r"the inputs make \(2, 17\) samples and tokens, not 2 x 10"):
        infer(built, larger)


def test_interpolated_positions_need_the_input_at_the_terminal() -> None:
    built = build("vit", image_size=(12, 12))
    inputs = {"pixel_values": torch.ones(2, 3, 12, 12).double(), "interpolate_pos_encoding": True}
    assert relative_error(infer(built, inputs, strategy="voltage").output, reference(built, inputs)) < TOLERANCE
    with pytest.raises(ValueError, match="need the input at the terminal"):
        infer(built, inputs, placement=Placement(input="replicated"))


def test_the_package_offers_it_at_the_door() -> None:
    assert prism_sim.infer is infer
