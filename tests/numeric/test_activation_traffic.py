"""What an activation moves, against every kernel that torch really runs for it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from transformers.activations import ACT2FN

from prism_sim.families.configuration import ACTIVATIONS, LEARNT_ACTIVATIONS


class Traffic(TorchDispatchMode):
    """Elements that each kernel reads and writes, scalars left out."""

    def __init__(self) -> None:
        super().__init__()
        self.moved: list[int] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        self.moved.append(sum(value.numel() for value in (*args, result) if isinstance(value, Tensor) and value.dim()))
        return result


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_moves_what_the_kernels_that_torch_runs_for_it_move(name: str):
    x = torch.randn(7, 5)
    with Traffic() as traffic:
        ACT2FN[name](x)
    assert tuple(moved / x.numel() for moved in traffic.moved) == ACTIVATIONS[name]


def test_all_activations_of_transformers_are_known_or_have_parameters() -> None:
    others = ACT2FN.keys() - ACTIVATIONS.keys()
    assert others == set(LEARNT_ACTIVATIONS)
    assert all(list(ACT2FN[name].parameters()) for name in others)
