"""Llama (Touvron et al., 2023) and its kin: pre-norm, causal, gated, turned by positions, shared keys and values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prism_sim.families.base import Affine, BlockParts, Dimensions, Family, Head, Layer, VocabularyPath, as_it_is
from prism_sim.families.configuration import RMS_NORM, activation, optional, required

# What the positions' angles may be scaled by; others depend on the input's length, or scale the attention itself
ROPE_TYPES = ("default", "linear", "llama3")
AFTER_BLOCKS = VocabularyPath(norm="model.norm", product="lm_head")


def _language_model(sizes: Dimensions, batch: int, rows: int, n_tokens: int) -> tuple[Layer, ...]:
    matrix = sizes.width * sizes.vocabulary
    held = {"table": matrix} if sizes.tied else {"own_table": matrix}
    lm_head = Layer("lm head", batch * rows, sizes.width, sizes.vocabulary, 0, **held)
    return *_bare(sizes, batch, rows, n_tokens), lm_head


def _bare(sizes: Dimensions, batch: int, rows: int, n_tokens: int) -> tuple[Layer, ...]:
    return (Layer("final norm", batch * n_tokens, 0, sizes.width, sizes.norm_weights * sizes.width),)


def decoder_heads(lm: str, bare: str) -> tuple[Head, ...]:
    """What may follow the blocks, under Hugging Face's names of its classes."""
    return Head("lm", lm, "last", _language_model, vocabulary=AFTER_BLOCKS), Head("none", bare, "all", _bare)


class Llama(Family):
    model_type = "llama"
    causal = True
    pre_norm = True
    trunk = "model"
    layer_list = "layers"
    input_name = "input_ids"
    old_buffers = ("rotary_emb.inv_freq",)
    heads = decoder_heads("LlamaForCausalLM", "LlamaModel")
    default_positions = 2048
    default_vocabulary = 32000
    default_key_heads: int | None = None  # where the configuration has no such key; None: one for each head
    more_keys = frozenset(
        {"attention_bias", "attention_dropout", "head_dim", "mlp_bias", "num_key_value_heads", "pretraining_tp"}
        | {"rms_norm_eps", "rope_parameters", "rope_scaling", "rope_theta"}
    )

    def dimensions(self, config: Mapping[str, Any]) -> Dimensions:
        qkv_bias, output_bias, feed_forward_bias = self.biases(config)
        n_heads, key_heads = required(config, "num_attention_heads"), config.get("num_key_value_heads")
        if "num_key_value_heads" not in config:
            key_heads = self.default_key_heads
        return Dimensions(
            family=self.model_type,
            n_blocks=required(config, "num_hidden_layers"),
            width=required(config, "hidden_size"),
            n_heads=n_heads,
            feed_forward_width=self.feed_forward_width(config),
            max_tokens=optional(config, "max_position_embeddings", self.default_positions),
            qkv_bias=qkv_bias,
            vocabulary=optional(config, "vocab_size", self.default_vocabulary),
            activation=activation(config, "hidden_act", "silu"),
            tied=bool(config.get("tie_word_embeddings", False)),
            n_key_heads=n_heads
            if key_heads is None
            else required({"num_key_value_heads": key_heads}, "num_key_value_heads"),
            head_elements=self.head_elements(config),
            output_bias=output_bias,
            feed_forward_bias=feed_forward_bias,
            norm=RMS_NORM,
            norm_weights=1,
            gated=True,
            head_norms=False,
            rotary=True,
            window=self.window(config),
        )

    def biases(self, config: Mapping[str, Any]) -> tuple[bool, bool, bool]:
        """Whether queries, keys and values have one; the attention's output; the feed-forward layer."""
        attention = bool(config.get("attention_bias", False))
        return attention, attention, bool(config.get("mlp_bias", False))

    def head_elements(self, config: Mapping[str, Any]) -> int:
        return 0 if config.get("head_dim") is None else required(config, "head_dim")

    def feed_forward_width(self, config: Mapping[str, Any]) -> int:
        return required(config, "intermediate_size")

    def window(self, config: Mapping[str, Any]) -> int:
        """Tokens that a token sees, itself included; 0: all before it."""
        return 0

    def refuse(self, config: Mapping[str, Any]) -> str | None:
        for key in ("rope_parameters", "rope_scaling"):
            stated = config.get(key) or {}
            if not isinstance(stated, Mapping) or any(isinstance(value, Mapping) for value in stated.values()):
                return f"{key} {stated!r} is not supported: give one mapping with rope_type, for all blocks"
            kind = stated.get("rope_type", stated.get("type", "default"))
            if kind not in ROPE_TYPES:
                return f"{key} of rope_type {kind!r} is not supported; supported: {', '.join(ROPE_TYPES)}"
            if (part := stated.get("partial_rotary_factor", config.get("partial_rotary_factor"))) not in (None, 1):
                return f"partial_rotary_factor {part!r} is not supported: a head must be turned as a whole"
        return super().refuse(config)

    def embedding(self, sizes: Dimensions, batch: int, tokens: range) -> tuple[Layer, ...]:
        return (Layer("token", batch * len(tokens), 0, sizes.width, 0, sizes.vocabulary * sizes.width),)

    def rotation(self, trunk: Any, x: Any, positions: Any) -> Any:
        return trunk.rotary_emb(x, positions)

    def parts(self, layer: Any) -> BlockParts:
        mlp = layer.mlp
        return self.with_feed_forward(
            layer,
            gate=Affine(mlp.gate_proj.weight, mlp.gate_proj.bias),
            expand=Affine(mlp.up_proj.weight, mlp.up_proj.bias),
            activation=mlp.act_fn,
            contract=Affine(mlp.down_proj.weight, mlp.down_proj.bias),
        )

    def with_feed_forward(self, layer: Any, **parts: Any) -> BlockParts:
        """A layer taken apart, of whose feed-forward layer these are the parts."""
        attention = layer.self_attn
        return BlockParts(
            attention_norm=layer.input_layernorm,
            feed_forward_norm=layer.post_attention_layernorm,
            pre_norm=True,
            query=Affine(attention.q_proj.weight, attention.q_proj.bias),
            key=Affine(attention.k_proj.weight, attention.k_proj.bias),
            value=Affine(attention.v_proj.weight, attention.v_proj.bias),
            output=Affine(attention.o_proj.weight, attention.o_proj.bias),
            head_width=attention.head_dim,
            scaling=attention.scaling,
            attention_dropout=attention.attention_dropout,
            output_dropout=as_it_is,
            feed_forward_dropout=as_it_is,
            query_norm=getattr(attention, "q_norm", None),
            key_norm=getattr(attention, "k_norm", None),
            rotary=True,
            **parts,
        )


FAMILY = Llama()
