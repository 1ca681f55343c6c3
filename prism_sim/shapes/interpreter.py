"""Runs a strategy's programs on shapes alone: the predicted Plan, in milliseconds and without torch."""

from __future__ import annotations

from functools import lru_cache

from prism_sim import driver
from prism_sim.plan import Exchange, Plan
from prism_sim.shapes.job import Job
from prism_sim.shapes.ledger import Ledger
from prism_sim.shapes.model import ShapeModel


@lru_cache(maxsize=4096)
def predict(job: Job) -> Plan:
    """The Plan of a job. Raises ValueError where the strategy cannot serve it (more ranks than tokens, say)."""
    ledgers = [Ledger(job.element_bytes) for _ in range(job.n_ranks + 1)]
    done = driver.run(job.programs([ShapeModel(job, ledger) for ledger in ledgers]), ledgers)
    return Plan(
        n_ranks=job.n_ranks,
        programs=done.programs,
        exchanges=done.exchanges,
        weight_bytes=tuple(ledger.weight_bytes for ledger in ledgers),
        activation_bytes=tuple(
            ledger.peak_bytes + _largest_arrival(done.exchanges, participant)
            for participant, ledger in enumerate(ledgers)
        ),
    )


def _largest_arrival(exchanges: tuple[Exchange, ...], participant: int) -> int:
    """Bytes of the buffers that the largest exchange fills at this participant."""
    return max((_arriving_bytes(e, participant) for e in exchanges if participant in e.group), default=0)


def _arriving_bytes(exchange: Exchange, participant: int) -> int:
    own = exchange.bytes_by_rank[exchange.group.index(participant)]
    match exchange.kind:
        case "all_gather":
            return sum(exchange.bytes_by_rank) - own
        case "gather":
            return sum(exchange.bytes_by_rank) if participant == exchange.root else 0
        case "scatter":
            return 0 if participant == exchange.root else own
        case "broadcast" | "send":
            return 0 if participant == exchange.root else max(exchange.bytes_by_rank)
        case _:
            return own
