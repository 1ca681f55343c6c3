"""DistilBERT (Sanh et al., 2019): a BERT of half the depth, without token types and without a pooler."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prism_sim.families.base import Affine, BlockParts, Dimensions, Head, Layer, as_it_is, linear, norm
from prism_sim.families.bert import Bert, every_row, start_and_end
from prism_sim.families.configuration import activation, n_labels, optional, required

# Hugging Face's other names, which win where both are given (DistilBertConfig.attribute_map)
ALIASES = {"hidden_size": "dim", "num_attention_heads": "n_heads", "num_hidden_layers": "n_layers"}


def _masked_lm(sizes: Dimensions, batch: int, rows: int, n_tokens: int) -> tuple[Layer, ...]:
    matrix, bias = sizes.vocabulary * sizes.width, sizes.vocabulary
    held = {"table": matrix} if sizes.tied else {"own_table": matrix}
    return (
        linear("transform", batch * rows, sizes.width, sizes.width),
        norm("transform norm", batch * rows, sizes.width),
        Layer("projector", batch * rows, sizes.width, sizes.vocabulary, bias, **held),
    )


def _sequence(sizes: Dimensions, batch: int, rows: int, n_tokens: int) -> tuple[Layer, ...]:
    classifier = linear("classifier", batch, sizes.width, sizes.n_labels)
    return linear("pre-classifier", batch, sizes.width, sizes.width), classifier


def _nothing(sizes: Dimensions, batch: int, rows: int, n_tokens: int) -> tuple[Layer, ...]:
    return ()


class DistilBert(Bert):
    model_type = "distilbert"
    trunk = "distilbert"
    layer_list = "transformer.layer"
    more_keys = frozenset({"attention_dropout", "dropout", "qa_dropout", "seq_classif_dropout", "sinusoidal_pos_embds"})
    heads = (
        Head("sequence_classification", "DistilBertForSequenceClassification", "first", _sequence),
        Head("masked_lm", "DistilBertForMaskedLM", "all", _masked_lm),
        Head("token_classification", "DistilBertForTokenClassification", "all", every_row),
        Head("question_answering", "DistilBertForQuestionAnswering", "all", every_row, start_and_end),
        Head("none", "DistilBertModel", "all", _nothing),
    )

    def dimensions(self, config: Mapping[str, Any]) -> Dimensions:
        config = {**config, **{own: config[alias] for alias, own in ALIASES.items() if alias in config}}
        return Dimensions(
            family=self.model_type,
            n_blocks=required(config, "n_layers"),
            width=required(config, "dim"),
            n_heads=required(config, "n_heads"),
            feed_forward_width=required(config, "hidden_dim"),
            max_tokens=optional(config, "max_position_embeddings", 512),
            n_labels=n_labels(config),
            vocabulary=optional(config, "vocab_size", 30522),
            activation=activation(config, "activation", "gelu"),
            tied=bool(config.get("tie_word_embeddings", True)),
        )

    def parts(self, layer: Any) -> BlockParts:
        attention, ffn = layer.attention, layer.ffn
        return BlockParts(
            attention_norm=layer.sa_layer_norm,
            feed_forward_norm=layer.output_layer_norm,
            pre_norm=False,
            query=Affine(attention.q_lin.weight, attention.q_lin.bias),
            key=Affine(attention.k_lin.weight, attention.k_lin.bias),
            value=Affine(attention.v_lin.weight, attention.v_lin.bias),
            output=Affine(attention.out_lin.weight, attention.out_lin.bias),
            expand=Affine(ffn.lin1.weight, ffn.lin1.bias),
            activation=ffn.activation,
            contract=Affine(ffn.lin2.weight, ffn.lin2.bias),
            head_width=attention.attention_head_size,
            scaling=attention.scaling,
            attention_dropout=attention.dropout.p,
            output_dropout=as_it_is,
            feed_forward_dropout=ffn.dropout,
        )


FAMILY = DistilBert()
