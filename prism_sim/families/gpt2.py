"""GPT-2 (Radford et al., 2019): pre-norm, causal; one fused projection for queries, keys and values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prism_sim.families.base import Affine, BlockParts, Dimensions, Family, Head, Layer, VocabularyPath, linear, norm
from prism_sim.families.configuration import activation, n_labels, optional, required

# Hugging Face's other names, which win where both are given (GPT2Config.attribute_map)
ALIASES = {
    "hidden_size": "n_embd",
    "max_position_embeddings": "n_positions",
    "num_attention_heads": "n_head",
    "num_hidden_layers": "n_layer",
}
AFTER_BLOCKS = VocabularyPath(norm="transformer.ln_f", product="lm_head")


def _language_model(sizes: Dimensions, batch: int, rows: int, n_tokens: int) -> tuple[Layer, ...]:
    matrix = sizes.width * sizes.vocabulary
    held = {"table": matrix} if sizes.tied else {"own_table": matrix}
    lm_head = Layer("lm head", batch * rows, sizes.width, sizes.vocabulary, 0, **held)
    return *_bare(sizes, batch, rows, n_tokens), lm_head


def _bare(sizes: Dimensions, batch: int, rows: int, n_tokens: int) -> tuple[Layer, ...]:
    return (norm("final norm", batch * n_tokens, sizes.width),)


def _sequence(sizes: Dimensions, batch: int, rows: int, n_tokens: int) -> tuple[Layer, ...]:
    score = linear(
        "score", batch * n_tokens, sizes.width, sizes.n_labels, bias=False
    )  # of all rows; then one is chosen
    return *_bare(sizes, batch, rows, n_tokens), score


def _tokens(sizes: Dimensions, batch: int, rows: int, n_tokens: int) -> tuple[Layer, ...]:
    return *_bare(sizes, batch, rows, n_tokens), linear("classifier", batch * rows, sizes.width, sizes.n_labels)


def _answer(sizes: Dimensions, batch: int, rows: int, n_tokens: int) -> tuple[Layer, ...]:
    return *_bare(sizes, batch, rows, n_tokens), linear("start and end", batch * rows, sizes.width, 2)


def _last_of_each(config: Mapping[str, Any], batch: int) -> str | None:
    """GPT2ForSequenceClassification looks for the last token of each sample that is no padding."""
    if batch == 1 or config.get("pad_token_id") is not None:
        return None
    return f"GPT2ForSequenceClassification cannot take a batch of {batch} without pad_token_id in config.json; add it"


class GPT2(Family):
    model_type = "gpt2"
    causal = True
    pre_norm = True
    trunk = "transformer"
    layer_list = "h"
    input_name = "input_ids"
    old_buffers = ("attn.bias", "attn.masked_bias")
    heads = (
        Head("lm", "GPT2LMHeadModel", "last", _language_model, vocabulary=AFTER_BLOCKS),
        Head("sequence_classification", "GPT2ForSequenceClassification", "all", _sequence, _last_of_each),
        Head("token_classification", "GPT2ForTokenClassification", "all", _tokens),
        Head("question_answering", "GPT2ForQuestionAnswering", "all", _answer),
        Head("none", "GPT2Model", "all", _bare),
    )

    def dimensions(self, config: Mapping[str, Any]) -> Dimensions:
        config = {**config, **{own: config[alias] for alias, own in ALIASES.items() if alias in config}}
        width = required(config, "n_embd")
        return Dimensions(
            family=self.model_type,
            n_blocks=required(config, "n_layer"),
            width=width,
            n_heads=required(config, "n_head"),
            feed_forward_width=4 * width if config.get("n_inner") is None else required(config, "n_inner"),
            max_tokens=optional(config, "n_positions", 1024),
            n_labels=n_labels(config),
            vocabulary=optional(config, "vocab_size", 50257),
            activation=activation(config, "activation_function", "gelu_new"),
            tied=bool(config.get("tie_word_embeddings", True)),
        )

    def refuse(self, config: Mapping[str, Any]) -> str | None:
        if config.get("add_cross_attention"):
            return "a GPT-2 with cross-attention is not supported"
        return super().refuse(config)

    def embedding(self, sizes: Dimensions, batch: int, tokens: range) -> tuple[Layer, ...]:
        positions, table = sizes.max_tokens * sizes.width, sizes.vocabulary * sizes.width
        return (Layer("token and position", batch * len(tokens), 0, sizes.width, positions, table),)

    def parts(self, layer: Any) -> BlockParts:
        attention, mlp = layer.attn, layer.mlp
        weights = attention.c_attn.weight.t().chunk(3)  # Conv1D keeps (in, out), here queries, keys, values
        biases = attention.c_attn.bias.chunk(3)
        query, key, value = map(Affine, weights, biases)
        return BlockParts(
            attention_norm=layer.ln_1,
            feed_forward_norm=layer.ln_2,
            pre_norm=True,
            query=query,
            key=key,
            value=value,
            output=Affine(attention.c_proj.weight.t(), attention.c_proj.bias),
            expand=Affine(mlp.c_fc.weight.t(), mlp.c_fc.bias),
            activation=mlp.act,
            contract=Affine(mlp.c_proj.weight.t(), mlp.c_proj.bias),
            head_width=attention.head_dim,
            scaling=attention.scaling,
            attention_dropout=attention.attn_dropout.p,
            output_dropout=attention.resid_dropout,
            feed_forward_dropout=mlp.dropout,
        )


FAMILY = GPT2()
