"""Vision Transformer (Dosovitskiy et al., 2021): pre-norm, bidirectional, one CLS token before the patches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prism_sim.families.base import Affine, BlockParts, Dimensions, Family, Head, Layer, linear, norm
from prism_sim.families.configuration import activation, n_labels, optional, required


def classifier(sizes: Dimensions, batch: int, rows: int, n_tokens: int) -> tuple[Layer, ...]:
    final = norm("final norm", batch * n_tokens, sizes.width)
    return (final, linear("classifier", batch, sizes.width, sizes.n_labels)) if sizes.n_labels else (final,)


def bare(sizes: Dimensions, batch: int, rows: int, n_tokens: int) -> tuple[Layer, ...]:
    final = norm("final norm", batch * n_tokens, sizes.width)
    return (final, linear("pooler", batch, sizes.width, sizes.pooler_width)) if sizes.pooler_width else (final,)


class ViT(Family):
    model_type = "vit"
    causal = False
    pre_norm = True
    trunk = "vit"
    layer_list = "layers"
    input_name = "pixel_values"
    first_tokens: tuple[str, ...] = ("cls_token",)  # before the patches, as the embedding calls them
    default_patch = 16
    heads: tuple[Head, ...] = (
        Head("image_classification", "ViTForImageClassification", "first", classifier),
        Head("none", "ViTModel", "all", bare),
    )

    def dimensions(self, config: Mapping[str, Any]) -> Dimensions:
        height, width = pair(config.get("image_size", 224))
        patch_height, patch_width = pair(config.get("patch_size", self.default_patch))
        if not (0 < patch_height <= height and 0 < patch_width <= width):
            sides = f"patch_size {config.get('patch_size')} does not fit image_size {config.get('image_size')}"
            raise ValueError(sides)
        model_width = required(config, "hidden_size")
        return Dimensions(
            family=self.model_type,
            n_blocks=required(config, "num_hidden_layers"),
            width=model_width,
            n_heads=required(config, "num_attention_heads"),
            feed_forward_width=self.feed_forward_width(config),
            max_tokens=(height // patch_height) * (width // patch_width) + len(self.first_tokens),
            qkv_bias=bool(config.get("qkv_bias", True)),
            n_labels=n_labels(config),
            patch_elements=optional(config, "num_channels", 3) * patch_height * patch_width,
            activation=activation(config, "hidden_act", "gelu"),
            pooler_width=int(config.get("pooler_output_size") or model_width),
        )

    def feed_forward_width(self, config: Mapping[str, Any]) -> int:
        return required(config, "intermediate_size")

    def fixed_tokens(self, sizes: Dimensions) -> int:
        return sizes.max_tokens

    def embedding(self, sizes: Dimensions, batch: int, tokens: range) -> tuple[Layer, ...]:
        n_first = len(self.first_tokens)
        patches = len(range(max(tokens.start, n_first), tokens.stop))
        tables = (sizes.max_tokens + n_first + sizes.spare_rows) * sizes.width
        positions = Layer("CLS and positions", batch * len(tokens), 0, sizes.width, tables)
        return linear("patch embedding", batch * patches, sizes.patch_elements, sizes.width), positions

    def embed(self, trunk: Any, inputs: Mapping[str, Any], embedded: Any, tokens: range) -> Any:
        if inputs.get("bool_masked_pos") is not None or inputs.get("interpolate_pos_encoding"):
            raise ValueError("bool_masked_pos and interpolate_pos_encoding need the input at the terminal")
        module = trunk.embeddings
        projection = module.patch_embeddings.projection
        pixels = inputs["pixel_values"].to(projection.weight.dtype)
        (height, width), batch = projection.kernel_size, len(pixels)
        patches = pixels.unfold(2, height, height).unfold(3, width, width)  # (B, C, rows, columns, h, w)
        patches = patches.permute(0, 2, 3, 1, 4, 5).flatten(1, 2)  # (B, patches, C, h, w)
        n_first = len(self.first_tokens)
        wanted = patches[:, max(tokens.start, n_first) - n_first : max(tokens.stop, n_first) - n_first]
        first = self.first_tokens[tokens.start : tokens.stop]
        rows = pixels.new_empty(batch, len(tokens), projection.out_channels)
        for row, name in enumerate(first):
            rows[:, row : row + 1] = getattr(module, name)
        rows[:, len(first) :] = projection(wanted.flatten(0, 1)).view(batch, wanted.shape[1], projection.out_channels)
        return module.dropout(rows + module.position_embeddings[:, tokens.start : tokens.stop])

    def parts(self, layer: Any) -> BlockParts:
        attention, mlp = layer.attention, layer.mlp
        return BlockParts(
            attention_norm=layer.layernorm_before,
            feed_forward_norm=layer.layernorm_after,
            pre_norm=True,
            query=Affine(attention.q_proj.weight, attention.q_proj.bias),
            key=Affine(attention.k_proj.weight, attention.k_proj.bias),
            value=Affine(attention.v_proj.weight, attention.v_proj.bias),
            output=Affine(attention.o_proj.weight, attention.o_proj.bias),
            expand=Affine(mlp.fc1.weight, mlp.fc1.bias),
            activation=mlp.activation_fn,
            contract=Affine(mlp.fc2.weight, mlp.fc2.bias),
            head_width=attention.head_dim,
            scaling=attention.scaling,
            attention_dropout=attention.attention_dropout,
            output_dropout=layer.dropout,
            feed_forward_dropout=layer.dropout,
        )


def pair(value: Any) -> tuple[int, int]:
    """Height and width of a side given as one number or as two."""
    height, width = value if isinstance(value, (list, tuple)) else (value, value)
    return int(height), int(width)


FAMILY = ViT()
