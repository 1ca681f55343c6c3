"""What a config.json asks for is obeyed, to Hugging Face's own output, or refused; never read as something else.

Everything is computed in float64: three blocks round to a few parts in 1e15.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from small_models import CONFIGS, EVERY_MODEL, PICTURES, inputs_of, model_of, named, relative_error
from torch import nn

from prism_sim import families, infer, strategies
from prism_sim.numeric.infer import job_for, main_output
from prism_sim.numeric.inputs import InputSource, make_inputs
from prism_sim.numeric.loading import LoadError, ModelSource, load
from prism_sim.shapes.interpreter import predict
from prism_sim.strategies.base import Placement

TOLERANCE = 1e-10
ELEMENT_BYTES = 8  # of float64
SQUARE = {"image_size": 12}


def asked(family: str, changes: dict[str, Any]) -> dict[str, Any]:
    return {"model_type": family, **CONFIGS[family], **(SQUARE if family in PICTURES else {}), **changes}


def loaded(config: dict[str, Any], head: str) -> nn.Module:
    """By the loading that commands use, and then with parameters none of which is zero or one."""
    model = load(ModelSource(config, None, head, "float64", 0))
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype) * 0.3)
    return model


def weights_alone(model: nn.Module, inputs: dict[str, Any]) -> int:
    """Elements that one device is predicted to hold, its own terminal included."""
    plan = predict(job_for(model, inputs, 1, "single", strategies.find("single").options(), Placement()))
    return sum(plan.weight_bytes) // ELEMENT_BYTES


def n_parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize("model", EVERY_MODEL, ids=named)
def test_one_device_holds_just_the_models_parameters(model: tuple[str, str]) -> None:
    assert weights_alone(model_of(*model), inputs_of(model[0])) == n_parameters(model_of(*model))


LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 100.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 24,
}
# keys that change sizes or mathematics, and keys that must change nothing
OBEYED: list[tuple[str, str, dict[str, Any]]] = [
    ("bert", "masked_lm", {"tie_word_embeddings": False}),
    ("bert", "masked_lm", {"hidden_act": "relu"}),
    ("bert", "sequence_classification", {"layer_norm_eps": 0.1}),
    ("bert", "sequence_classification", {"id2label": {"0": "a", "1": "b", "2": "c"}}),
    ("bert", "token_classification", {"id2label": {"0": "a", "1": "b", "2": "c"}}),
    ("bert", "none", {"type_vocab_size": 1}),
    ("bert", "none", {"chunk_size_feed_forward": 4}),
    ("bert", "none", {"return_dict": False}),
    ("bert", "none", {"output_hidden_states": True}),
    ("bert", "none", {"output_attentions": True}),
    ("bert", "none", {"is_encoder_decoder": True}),
    ("bert", "none", {"hidden_act": "linear"}),
    ("gpt2", "lm", {"tie_word_embeddings": False}),
    ("gpt2", "lm", {"n_inner": None}),
    ("gpt2", "none", {"scale_attn_weights": False}),
    ("gpt2", "none", {"scale_attn_by_inverse_layer_idx": True}),
    ("gpt2", "none", {"reorder_and_upcast_attn": True}),
    ("gpt2", "none", {"layer_norm_epsilon": 0.1}),
    ("gpt2", "none", {"activation_function": "gelu_python"}),
    ("gpt2", "none", {"max_position_embeddings": 20}),  # Hugging Face's other name of n_positions
    ("gpt2", "none", {"hidden_size": 30}),  # and of n_embd
    ("gpt2", "token_classification", {"num_labels": 4}),
    ("gpt2", "sequence_classification", {"num_labels": 1}),
    ("vit", "image_classification", {"qkv_bias": False}),
    ("vit", "image_classification", {"num_labels": 0}),
    ("vit", "none", {"pooler_output_size": 7}),
    ("vit", "none", {"pooler_act": "relu"}),
    ("vit", "none", {"patch_size": [4, 2]}),
    ("vit", "none", {"num_channels": 1}),
    ("vit", "none", {"hidden_act": "quick_gelu"}),
    ("llama", "lm", {"tie_word_embeddings": True}),
    ("llama", "none", {"num_key_value_heads": None, "head_dim": None, "mlp_bias": False}),
    ("llama", "none", {"attention_bias": False, "hidden_act": "gelu_new", "rms_norm_eps": 0.1}),
    ("llama", "none", {"rope_scaling": {"type": "linear", "factor": 3.0}, "rope_theta": 50.0}),
    ("llama", "none", {"rope_parameters": LLAMA3}),
    ("llama", "none", {"pretraining_tp": 2}),
    ("mistral", "none", {"sliding_window": 9}),  # as many as there are tokens
    ("mistral", "none", {"sliding_window": None}),
    ("qwen2", "lm", {"use_sliding_window": True, "sliding_window": 9, "max_window_layers": 1}),
    ("qwen2", "none", {"use_sliding_window": True, "sliding_window": 3, "max_window_layers": 3}),  # of no block
    ("qwen2", "none", {"head_dim": 4}),
    ("qwen3", "none", {"attention_bias": True}),
    ("qwen3_moe", "none", {"norm_topk_prob": False, "attention_bias": True, "hidden_act": "gelu_new"}),
    ("qwen3_moe", "lm", {"num_local_experts": 3, "num_experts_per_tok": 3, "moe_intermediate_size": 4}),
    ("qwen3_moe", "none", {"mlp_only_layers": [3], "intermediate_size": 77}),  # of blocks that are not there
    ("qwen3_moe", "none", {"use_sliding_window": True, "sliding_window": 9}),
    ("roberta", "none", {"pad_token_id": 5}),
    ("roberta", "masked_lm", {"tie_word_embeddings": False}),
    ("distilbert", "none", {"hidden_size": 30, "sinusoidal_pos_embds": True}),
    ("distilbert", "masked_lm", {"tie_word_embeddings": False, "activation": "relu"}),
    ("deit", "image_classification_with_teacher", {"num_labels": 0}),
    ("deit", "none", {"pooler_output_size": 7, "qkv_bias": False}),
    ("dinov2", "none", {"use_swiglu_ffn": True, "use_mask_token": False}),
    ("dinov2", "image_classification", {"layerscale_value": 0.1, "drop_path_rate": 0.3}),
]


@pytest.mark.parametrize(("family", "head", "changes"), OBEYED, ids=named)
def test_what_a_configuration_asks_for_is_computed_predicted_and_held(
    family: str, head: str, changes: dict[str, Any]
) -> None:
    config = asked(family, changes)
    model, sizes = loaded(config, head), families.find(family).dimensions(config)
    tokens = families.find(family).fixed_tokens(sizes) or 9
    inputs = dict(make_inputs(model, InputSource(2, tokens, None, None, seed=3)))
    with torch.no_grad():
        own = main_output(model(**inputs))
        found = infer(model, inputs, ranks=3, strategy="voltage", observe=True)
    assert relative_error(found.output, own) < TOLERANCE
    options = strategies.find("voltage").options()
    assert found.plan.observable() == predict(job_for(model, inputs, 3, "voltage", options, Placement())).observable()
    assert weights_alone(model, inputs) == n_parameters(model)


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("bert", {"is_decoder": True}, "is_decoder"),
    ("bert", {"add_cross_attention": True}, "add_cross_attention"),
    ("bert", {"position_embedding_type": "relative_key"}, "position_embedding_type 'relative_key'"),
    ("bert", {"is_causal": True}, "is_causal True .* a bert is not causal"),
    ("vit", {"is_causal": True}, "is_causal True .* a vit is not causal"),
    ("gpt2", {"is_causal": False}, "is_causal False .* a gpt2 is causal"),
    ("gpt2", {"add_cross_attention": True}, "cross-attention"),
    ("bert", {"pruned_heads": {"0": [1]}}, r"pruned_heads {'0': \[1\]}"),
    ("gpt2", {"per_layer_config": {"0": {"n_inner": 7}}}, "per_layer_config"),
    ("bert", {"quantization_config": {"quant_method": "gptq", "bits": 4}}, r"\(gptq\).*weight_dtype: int8"),
    ("llama", {"rope_scaling": {"type": "dynamic", "factor": 2.0}}, "'dynamic' .* supported: default, linear, llama3"),
    ("qwen2", {"rope_parameters": {"rope_type": "yarn", "factor": 4.0}}, "'yarn' is not supported"),
    ("llama", {"rope_scaling": {"rope_type": "longrope"}}, "'longrope' is not supported"),
    ("llama", {"partial_rotary_factor": 0.5, "rope_theta": 1.0}, "partial_rotary_factor 0.5"),
    ("qwen3", {"rope_parameters": {"full_attention": {"rope_type": "default"}}}, "one mapping with rope_type"),
    ("qwen2", {"layer_types": ["chunked_attention"] * 3}, "chunked_attention is not supported"),
    ("qwen2", {"layer_types": ["sliding_attention"] * 3}, "needs use_sliding_window"),
    ("qwen3_moe", {"decoder_sparse_step": 2}, "decoder_sparse_step 2 is not supported: all blocks must be alike"),
    ("qwen3_moe", {"mlp_only_layers": [2, 0]}, r"mlp_only_layers \[2, 0\] is not supported: all blocks must be alike"),
    ("qwen3_moe", {"output_router_logits": True}, "output_router_logits True is not supported"),
    ("llama", {"is_causal": False}, "a llama is causal"),
    ("roberta", {"is_decoder": True}, "a ROBERTA decoder"),
    ("vit", {"quantization_config": {"load_in_8bit": True, "quant_method": "bitsandbytes"}}, r"\(bitsandbytes\)"),
]


@pytest.mark.parametrize(("family", "changes", "message"), REFUSED, ids=named)
def test_what_would_be_another_model_is_refused(family: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(LoadError, match=message):
        load(ModelSource(asked(family, changes), None, None, "float32", 0))


WRONG_SIZES: list[tuple[str, dict[str, Any], str]] = [
    ("bert", {"hidden_act": "gleu"}, "hidden_act 'gleu' is no activation that is known; did you mean 'gelu'"),
    ("bert", {"hidden_act": "prelu"}, "'prelu' has parameters of its own"),
    ("bert", {"vocab_size": "many"}, "'vocab_size' as a whole number, but has 'many'"),
    ("bert", {"num_labels": 2.5}, "'num_labels' as a whole number"),
    ("gpt2", {"n_inner": 0}, "'n_inner' is 0"),
    ("gpt2", {"n_positions": None}, "'n_positions' as a whole number, but has None"),
    ("vit", {"num_channels": 0}, "'num_channels' is 0"),
    ("llama", {"num_key_value_heads": 4}, "6 attention heads cannot share 4 key/value heads"),
    ("llama", {"num_key_value_heads": 0}, "'num_key_value_heads' is 0"),
    ("qwen3_moe", {"num_experts": 0}, "'num_experts' is 0"),
    ("qwen3_moe", {"num_experts_per_tok": 6}, "a token cannot go through 6 of 5 experts"),
    ("qwen3_moe", {"moe_intermediate_size": None}, "'moe_intermediate_size' as a whole number, but has None"),
    ("llama", {"head_dim": 5}, "head width of 5 .* must be even"),
    ("roberta", {"pad_token_id": None}, "pad_token_id None must be a whole number"),
    ("dinov2", {"image_size": [12, 16]}, "12 x 16 .* needs a square"),
]


@pytest.mark.parametrize(("family", "changes", "message"), WRONG_SIZES, ids=named)
def test_sizes_that_make_no_model_are_refused(family: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        families.find(family).dimensions(asked(family, changes))


@pytest.mark.parametrize(("family", "empty"), [("bert", {"pruned_heads": {}}), ("gpt2", {"quantization_config": None})])
def test_an_empty_wish_is_none(family: str, empty: dict[str, Any]) -> None:
    assert families.find(family).refuse(asked(family, empty)) is None


def test_an_answer_has_a_start_and_an_end() -> None:
    head = families.find("bert").head("question_answering")
    assert "needs 2 labels" in str(head.refuse(asked("bert", {"num_labels": 3}), 1))
    assert head.refuse(asked("bert", {"num_labels": 2}), 1) is None


def test_the_last_token_of_several_samples_needs_the_padding_to_be_known() -> None:
    unpadded = asked("gpt2", {"pad_token_id": None})
    model = loaded(unpadded, "sequence_classification")
    inputs = dict(make_inputs(model, InputSource(1, 9, None, None, seed=3)))
    assert relative_error(infer(model, inputs, strategy="voltage").output, main_output(model(**inputs))) < TOLERANCE
    several = {"input_ids": inputs["input_ids"].expand(2, 9)}
    with pytest.raises(ValueError, match="batch of 2 without pad_token_id"):
        infer(model, several, strategy="voltage")


@pytest.mark.parametrize("family", ["mistral", "qwen2", "qwen3_moe"])
def test_tokens_beyond_a_sliding_window_are_refused(family: str) -> None:
    config = asked(family, {"sliding_window": 8, "use_sliding_window": True, "max_window_layers": 0})
    model = loaded(config, "none")
    inputs = dict(make_inputs(model, InputSource(1, 9, None, None, seed=3)))
    with pytest.raises(ValueError, match="9 tokens exceed the model's sliding attention window of 8"):
        infer(model, inputs, strategy="voltage")


def test_positions_that_differ_between_samples_are_refused_where_every_block_needs_them() -> None:
    inputs = {**inputs_of("llama"), "attention_mask": torch.ones(2, 9), "position_ids": torch.arange(18).view(2, 9)}
    with pytest.raises(ValueError, match="position_ids that differ between samples"):
        infer(model_of("llama"), inputs)
