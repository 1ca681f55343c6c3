"""Mistral (Jiang et al., 2023): a Llama whose tokens see no further back than a window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prism_sim.families.configuration import optional
from prism_sim.families.llama import Llama, decoder_heads


class Mistral(Llama):
    model_type = "mistral"
    heads = decoder_heads("MistralForCausalLM", "MistralModel")
    default_positions = 131072
    default_key_heads = 8
    more_keys = Llama.more_keys - {"attention_bias", "mlp_bias", "pretraining_tp"} | {"sliding_window"}

    def biases(self, config: Mapping[str, Any]) -> tuple[bool, bool, bool]:
        return False, False, False

    def window(self, config: Mapping[str, Any]) -> int:
        if "sliding_window" in config and config["sliding_window"] is None:
            return 0
        return optional(config, "sliding_window", 4096)


FAMILY = Mistral()
