"""The model as it is: its output and its residual stream, which every distributed run is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from prism_sim import families
from prism_sim.numeric.infer import has_logits, main_output
from prism_sim.numeric.interpreter import padding_mask
from prism_sim.numeric.threads import fixed_threads


@dataclass(frozen=True)
class Undistributed:
    """A model on an input, not distributed. stream: (batch, tokens, width) after each block. output: as `main_output`.

    real: (batch, tokens), true at real tokens; None: no padding. logits: whether the output is such.
    """

    model: nn.Module
    inputs: Mapping[str, Any]
    stream: tuple[Tensor, ...]
    output: Tensor
    logits: bool
    real: Tensor | None


@fixed_threads()
@torch.no_grad()
def undistributed(model: nn.Module, inputs: Mapping[str, Any]) -> Undistributed:
    """Runs the model's own forward, and listens to its layers meanwhile.

    Raises ValueError if a row that it gives is not finite.
    """
    stream: list[Tensor] = []

    def listen(layer: nn.Module, given: Any, output: Any) -> None:
        stream.append(output[0] if isinstance(output, tuple) else output)

    layers = families.find(str(model.config.model_type)).layers(model)  # type: ignore[union-attr]
    ears = [layer.register_forward_hook(listen) for layer in layers]
    try:
        output: Any = model(**inputs)
    finally:
        for ear in ears:
            ear.remove()
    if not all(bool(rows.isfinite().all()) for rows in stream):
        dtype = str(stream[0].dtype).removeprefix("torch.")
        raise ValueError(f"the undistributed model's rows are not finite in {dtype}; try float32, or other weights")
    return Undistributed(model, inputs, tuple(stream), main_output(output), has_logits(output), padding_mask(inputs))
