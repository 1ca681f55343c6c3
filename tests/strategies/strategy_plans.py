"""Predicted Plans of one small BERT under any strategy: N tokens of width D, no torch."""

from __future__ import annotations

from prism_sim import families, strategies
from prism_sim.plan import Plan
from prism_sim.shapes.interpreter import predict
from prism_sim.shapes.job import Job
from prism_sim.strategies.base import Placement

N, D, BATCH, BLOCKS, ELEMENT_BYTES = 97, 48, 3, 8, 4
ROW_BYTES = BATCH * D * ELEMENT_BYTES  # one token's rows of all samples
NAMES = ("voltage", "prism", "tensor_parallel", "galaxy", "pipeline", "replicas")


def plan_of(
    name: str, n_ranks: int, n_tokens: int = N, padded: bool = False, batch: int = BATCH, **given: object
) -> Plan:
    placement = given.pop("placement", Placement())
    assert isinstance(placement, Placement)
    bert = families.find("bert")
    config = {
        "hidden_size": D,
        "num_hidden_layers": BLOCKS,
        "num_attention_heads": 8,
        "intermediate_size": 4 * D,
        "vocab_size": 100,
    }
    return predict(
        Job(
            sizes=bert.dimensions(config),
            head=bert.head(None),
            batch=batch,
            n_tokens=n_tokens,
            head_tokens=range(1),
            n_ranks=n_ranks,
            strategy=name,
            options=strategies.find(name).options(**given),
            placement=placement,
            padded=padded,
        )
    )
