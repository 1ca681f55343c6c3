"""The strategy that CONTRIBUTING.md refers to is a real one: loaded as a plug-in, it keeps the laws."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import ViTConfig, ViTModel

from prism_sim import infer, load_plugin

ROOT = Path(__file__).parents[2]


@pytest.fixture
def rare(no_plugins: None) -> str:
    load_plugin(ROOT / "extensions" / "rare.py")
    return "rare"


@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_the_example_strategy_does_what_it_predicts(rare: str, ranks: int) -> None:
    sizes = {"hidden_size": 24, "num_hidden_layers": 4, "num_attention_heads": 3, "intermediate_size": 40}
    torch.manual_seed(0)
    model = ViTModel(ViTConfig(**sizes, image_size=32, patch_size=8)).double().eval()
    inputs = {"pixel_values": torch.randn(2, 3, 32, 32, dtype=torch.float64)}
    with torch.no_grad():
        observed = infer(model, inputs, ranks, rare, segments=2, every=2, observe=True)
        predicted = infer(model, inputs, ranks, rare, segments=2, every=2)
        often = infer(model, inputs, ranks, "prism", segments=2)
    assert observed.plan.observable() == predicted.plan.observable()
    if ranks > 1:
        n_exchanges = [sum(e.kind == "all_gather" for e in run.plan.exchanges) for run in (predicted, often)]
        assert n_exchanges == [2, 4]
