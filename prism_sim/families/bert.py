"""BERT (Devlin et al., 2019): post-norm, bidirectional, with padding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prism_sim.families.base import Affine, BlockParts, Dimensions, Family, Head, Layer, linear, norm
from prism_sim.families.configuration import activation, n_labels, optional, required


def pooler(sizes: Dimensions, batch: int, rows: int, n_tokens: int) -> tuple[Layer, ...]:
    return (linear("pooler", batch, sizes.width, sizes.width),) if sizes.pooler_width else ()


def _classifier(sizes: Dimensions, batch: int, rows: int, n_tokens: int) -> tuple[Layer, ...]:
    classifier = linear("classifier", batch, sizes.width, sizes.n_labels)
    return linear("pooler", batch, sizes.width, sizes.width), classifier


def masked_lm(sizes: Dimensions, batch: int, rows: int, n_tokens: int) -> tuple[Layer, ...]:
    matrix = sizes.vocabulary * sizes.width  # tied: and a bias; else and two of them
    tied, own = {"weights": sizes.vocabulary, "table": matrix}, {"weights": 2 * sizes.vocabulary, "own_table": matrix}
    return (
        linear("transform", batch * rows, sizes.width, sizes.width),
        norm("transform norm", batch * rows, sizes.width),
        Layer("decoder", batch * rows, sizes.width, sizes.vocabulary, **(tied if sizes.tied else own)),
    )


def _next_sentence(sizes: Dimensions, batch: int, rows: int, n_tokens: int) -> tuple[Layer, ...]:
    return linear("pooler", batch, sizes.width, sizes.width), linear("next sentence", batch, sizes.width, 2)


def every_row(sizes: Dimensions, batch: int, rows: int, n_tokens: int) -> tuple[Layer, ...]:
    return (linear("classifier", batch * rows, sizes.width, sizes.n_labels),)


def start_and_end(config: Mapping[str, Any], batch: int) -> str | None:
    """Question answering makes as many logits of a row as there are labels, and unpacks them into two."""
    if (found := n_labels(config)) == 2:
        return None
    return f"question answering needs 2 labels, start and end, but the configuration has {found} (num_labels)"


class Bert(Family):
    model_type = "bert"
    causal = False
    pre_norm = False
    trunk = "bert"
    layer_list = "encoder.layer"
    input_name = "input_ids"
    heads: tuple[Head, ...] = (
        Head("sequence_classification", "BertForSequenceClassification", "first", _classifier),
        Head("masked_lm", "BertForMaskedLM", "all", masked_lm),
        Head("token_classification", "BertForTokenClassification", "all", every_row),
        Head("question_answering", "BertForQuestionAnswering", "all", every_row, start_and_end),
        Head("next_sentence", "BertForNextSentencePrediction", "first", _next_sentence),
        Head("none", "BertModel", "all", pooler),
    )

    def dimensions(self, config: Mapping[str, Any]) -> Dimensions:
        width = required(config, "hidden_size")
        return Dimensions(
            family=self.model_type,
            n_blocks=required(config, "num_hidden_layers"),
            width=width,
            n_heads=required(config, "num_attention_heads"),
            feed_forward_width=required(config, "intermediate_size"),
            max_tokens=optional(config, "max_position_embeddings", 512),
            n_labels=n_labels(config),
            vocabulary=optional(config, "vocab_size", 30522),
            token_types=optional(config, "type_vocab_size", 2),
            activation=activation(config, "hidden_act", "gelu"),
            pooler_width=width,
            tied=bool(config.get("tie_word_embeddings", True)),
        )

    def refuse(self, config: Mapping[str, Any]) -> str | None:
        if config.get("is_decoder") or config.get("add_cross_attention"):
            what = f"a {self.model_type.upper()} decoder (is_decoder, add_cross_attention)"
            return f"{what} is not supported: only the encoder is"
        if (kind := config.get("position_embedding_type", "absolute")) != "absolute":
            return (
                f"position_embedding_type {kind!r} is not supported: give a {self.model_type} with absolute positions"
            )
        return super().refuse(config)

    def embedding(self, sizes: Dimensions, batch: int, tokens: range) -> tuple[Layer, ...]:
        table = sizes.vocabulary * sizes.width
        others = (sizes.max_tokens + sizes.spare_rows + sizes.token_types) * sizes.width
        rows = batch * len(tokens)
        return Layer("word, position and type", rows, 0, sizes.width, others, table), norm("norm", rows, sizes.width)

    def parts(self, layer: Any) -> BlockParts:
        attention, after = layer.attention.self, layer.attention.output
        return BlockParts(
            attention_norm=after.LayerNorm,
            feed_forward_norm=layer.output.LayerNorm,
            pre_norm=False,
            query=Affine(attention.query.weight, attention.query.bias),
            key=Affine(attention.key.weight, attention.key.bias),
            value=Affine(attention.value.weight, attention.value.bias),
            output=Affine(after.dense.weight, after.dense.bias),
            expand=Affine(layer.intermediate.dense.weight, layer.intermediate.dense.bias),
            activation=layer.intermediate.intermediate_act_fn,
            contract=Affine(layer.output.dense.weight, layer.output.dense.bias),
            head_width=attention.attention_head_size,
            scaling=attention.scaling,
            attention_dropout=attention.dropout.p,
            output_dropout=after.dropout,
            feed_forward_dropout=layer.output.dropout,
        )


FAMILY = Bert()
