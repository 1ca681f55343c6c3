"""DINOv2 (Oquab et al., 2023): a ViT that scales what attention and feed-forward add, column by column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from prism_sim.families.base import Affine, BlockParts, Dimensions, Head, Layer, linear, norm
from prism_sim.families.configuration import ACTIVATIONS, optional, required
from prism_sim.families.vit import ViT, pair


def _bare(sizes: Dimensions, batch: int, rows: int, n_tokens: int) -> tuple[Layer, ...]:
    return (norm("final norm", batch * n_tokens, sizes.width),)


def _classifier(sizes: Dimensions, batch: int, rows: int, n_tokens: int) -> tuple[Layer, ...]:
    """Of CLS beside the mean of all patches."""
    head = linear("classifier", batch, 2 * sizes.width, sizes.n_labels)
    return (*_bare(sizes, batch, rows, n_tokens), head) if sizes.n_labels else _bare(sizes, batch, rows, n_tokens)


class Dinov2(ViT):
    model_type = "dinov2"
    trunk = "dinov2"
    layer_list = "encoder.layer"
    default_patch = 14
    more_keys = frozenset(
        {"apply_layernorm", "drop_path_rate", "layerscale_value", "out_features", "out_indices"}
        | {"reshape_hidden_states", "stage_names", "use_mask_token", "use_swiglu_ffn"}
    )
    heads = (
        Head("image_classification", "Dinov2ForImageClassification", "all", _classifier),
        Head("none", "Dinov2Model", "all", _bare),
    )

    def dimensions(self, config: Mapping[str, Any]) -> Dimensions:
        height, width = pair(config.get("image_size", 224))
        if height != width:  # then Hugging Face stretches the positions, as if those of a square picture were meant
            raise ValueError(f"image_size {height} x {width} is not supported: a dinov2 needs a square")
        sizes = super().dimensions(config)
        gated = bool(config.get("use_swiglu_ffn", False))
        return replace(
            sizes,
            activation=ACTIVATIONS["silu"] if gated else sizes.activation,
            gated=gated,
            layer_scale=True,
            pooler_width=0,
            spare_rows=int(bool(config.get("use_mask_token", True))),
        )

    def feed_forward_width(self, config: Mapping[str, Any]) -> int:
        found = required(config, "hidden_size") * optional(config, "mlp_ratio", 4)
        # Dinov2SwiGLUFFN: two products in place of one, so two thirds of the columns, in eights
        return -(-int(found * 2 / 3) // 8) * 8 if config.get("use_swiglu_ffn") else found

    def parts(self, layer: Any) -> BlockParts:
        attention, mlp = layer.attention, layer.mlp
        gated = hasattr(mlp, "gate_proj")
        expand, contract = (mlp.up_proj, mlp.down_proj) if gated else (mlp.fc1, mlp.fc2)
        return BlockParts(
            attention_norm=layer.norm1,
            feed_forward_norm=layer.norm2,
            pre_norm=True,
            query=Affine(attention.q_proj.weight, attention.q_proj.bias),
            key=Affine(attention.k_proj.weight, attention.k_proj.bias),
            value=Affine(attention.v_proj.weight, attention.v_proj.bias),
            output=Affine(attention.o_proj.weight, attention.o_proj.bias),
            gate=Affine(mlp.gate_proj.weight, mlp.gate_proj.bias) if gated else None,
            expand=Affine(expand.weight, expand.bias),
            activation=mlp.act_fn if gated else mlp.activation_fn,
            contract=Affine(contract.weight, contract.bias),
            head_width=attention.head_dim,
            scaling=attention.scaling,
            attention_dropout=attention.attention_dropout,
            output_dropout=lambda rows: layer.drop_path(layer.layer_scale1(rows)),
            feed_forward_dropout=lambda rows: layer.drop_path(layer.layer_scale2(rows)),
        )


FAMILY = Dinov2()
