"""Qwen2 and Qwen2.5 (Yang et al., 2024): Llamas with biases of queries, keys and values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prism_sim.families.configuration import optional, required
from prism_sim.families.llama import Llama, decoder_heads

FULL, SLIDING = "full_attention", "sliding_attention"


class Qwen2(Llama):
    model_type = "qwen2"
    heads = decoder_heads("Qwen2ForCausalLM", "Qwen2Model")
    default_positions = 32768
    default_vocabulary = 151936
    default_key_heads = 32
    more_keys = Llama.more_keys - {"attention_bias", "mlp_bias", "pretraining_tp"} | {
        *("layer_types", "max_window_layers", "sliding_window", "use_sliding_window")
    }

    def biases(self, config: Mapping[str, Any]) -> tuple[bool, bool, bool]:
        return True, False, False

    def window(self, config: Mapping[str, Any]) -> int:
        """Of the blocks that have one; in the others a token sees all before it."""
        if not config.get("use_sliding_window") or ("sliding_window" in config and config["sliding_window"] is None):
            return 0
        if (types := config.get("layer_types")) is None:
            n_whole = config.get("max_window_layers", 28)
            types = [SLIDING if block >= n_whole else FULL for block in range(required(config, "num_hidden_layers"))]
        return optional(config, "sliding_window", 4096) if SLIDING in types else 0

    def refuse(self, config: Mapping[str, Any]) -> str | None:
        types = config.get("layer_types") or ()
        if strange := sorted({str(one) for one in types} - {FULL, SLIDING}):
            return f"layer_types {', '.join(strange)} is not supported; supported: {FULL}, {SLIDING}"
        if SLIDING in types and not self.window(config):
            return f"layer_types has {SLIDING}, which needs use_sliding_window and a sliding_window"
        return super().refuse(config)


FAMILY = Qwen2()
