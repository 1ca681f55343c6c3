"""Qwen3 (Yang et al., 2025): a Llama whose queries and keys are normalised, head by head."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from prism_sim.families.base import Dimensions
from prism_sim.families.configuration import optional
from prism_sim.families.llama import decoder_heads
from prism_sim.families.qwen2 import Qwen2


class Qwen3(Qwen2):
    model_type = "qwen3"
    heads = decoder_heads("Qwen3ForCausalLM", "Qwen3Model")
    more_keys = Qwen2.more_keys | {"attention_bias"}

    def dimensions(self, config: Mapping[str, Any]) -> Dimensions:
        return replace(super().dimensions(config), head_norms=True)

    def biases(self, config: Mapping[str, Any]) -> tuple[bool, bool, bool]:
        attention = bool(config.get("attention_bias", False))
        return attention, attention, False

    def head_elements(self, config: Mapping[str, Any]) -> int:
        return optional(config, "head_dim", 128)


FAMILY = Qwen3()
