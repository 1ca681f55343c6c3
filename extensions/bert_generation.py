"""The encoder of BERT2BERT (Rothe et al., 2020, arXiv 1907.12461): BERT without token types and without a pooler."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from prism_sim.families.base import Dimensions, Head, Layer
from prism_sim.families.bert import Bert


def _no_layers(sizes: Dimensions, batch: int, rows: int, n_tokens: int) -> tuple[Layer, ...]:
    return ()


class BertGeneration(Bert):
    model_type = "bert-generation"
    heads = (Head("none", "BertGenerationEncoder", "all", _no_layers),)

    def dimensions(self, config: Mapping[str, Any]) -> Dimensions:
        return replace(super().dimensions({"vocab_size": 50358, **config}), token_types=0, pooler_width=0)


FAMILY = BertGeneration()
