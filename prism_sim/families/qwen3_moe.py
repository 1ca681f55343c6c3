"""Qwen3-MoE (Yang et al., 2025): a Qwen3 whose feed-forward layers are mixtures of experts, a few of many a token.

Every block has a router and experts: configurations whose `decoder_sparse_step` or `mlp_only_layers` make some blocks
dense are refused, since all blocks must be alike. Hugging Face keeps the experts of a block in two parameters,
`gate_up_proj` (experts, 2 x expert width, width), gates first, and `down_proj` (experts, width, expert width).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from prism_sim.families.base import Affine, BlockParts, Dimensions
from prism_sim.families.configuration import optional, required
from prism_sim.families.llama import Llama, decoder_heads


class Qwen3Moe(Llama):
    model_type = "qwen3_moe"
    heads = decoder_heads("Qwen3MoeForCausalLM", "Qwen3MoeModel")
    default_positions = 32768
    default_vocabulary = 151936
    default_key_heads = 4
    more_keys = Llama.more_keys - {"mlp_bias", "pretraining_tp"} | {
        *("decoder_sparse_step", "mlp_only_layers", "norm_topk_prob", "num_experts", "num_local_experts"),
        *("intermediate_size", "output_router_logits", "router_aux_loss_coef", "sliding_window", "use_sliding_window"),
    }

    def dimensions(self, config: Mapping[str, Any]) -> Dimensions:
        # transformers writes num_local_experts where the hub's files have num_experts
        experts = "num_local_experts" if "num_local_experts" in config else "num_experts"
        return replace(
            super().dimensions(config),
            head_norms=True,
            n_experts=optional(config, experts, 128),
            experts_per_token=optional(config, "num_experts_per_tok", 8),
        )

    def biases(self, config: Mapping[str, Any]) -> tuple[bool, bool, bool]:
        attention = bool(config.get("attention_bias", False))
        return attention, attention, False

    def feed_forward_width(self, config: Mapping[str, Any]) -> int:
        """Of an expert; `intermediate_size` is that of dense blocks, which there are none of."""
        return optional(config, "moe_intermediate_size", 768)

    def window(self, config: Mapping[str, Any]) -> int:
        if not config.get("use_sliding_window") or ("sliding_window" in config and config["sliding_window"] is None):
            return 0
        return optional(config, "sliding_window", 4096)

    def refuse(self, config: Mapping[str, Any]) -> str | None:
        alike = "is not supported: all blocks must be alike, each a mixture of experts"
        if (step := config.get("decoder_sparse_step", 1)) != 1:
            return f"decoder_sparse_step {step!r} {alike}; write 1, or a qwen3 for a model without experts"
        if dense := [block for block in config.get("mlp_only_layers") or () if block in self._blocks(config)]:
            return f"mlp_only_layers {dense} {alike}; write [], or a qwen3 for a model without experts"
        if config.get("output_router_logits"):
            return "output_router_logits True is not supported: blocks run apart, on several ranks; write false"
        return super().refuse(config)

    def _blocks(self, config: Mapping[str, Any]) -> range:
        return range(required(config, "num_hidden_layers"))

    def parts(self, layer: Any) -> BlockParts:
        experts, router = layer.mlp.experts, layer.mlp.gate
        width = experts.down_proj.shape[-1]
        return self.with_feed_forward(
            layer,
            gate=Affine(experts.gate_up_proj[:, :width], None),
            expand=Affine(experts.gate_up_proj[:, width:], None),
            activation=experts.act_fn,
            contract=Affine(experts.down_proj, None),
            route=lambda rows: router(rows)[1:],
        )


FAMILY = Qwen3Moe()
