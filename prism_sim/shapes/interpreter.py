"""Runs a strategy's programs on shapes alone: the predicted Plan, in milliseconds and without torch."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from prism_sim import driver
from prism_sim.effects import Program
from prism_sim.plan import Plan
from prism_sim.shapes.job import Job
from prism_sim.shapes.ledger import Ledger
from prism_sim.shapes.model import ShapeModel


@lru_cache(maxsize=4096)
def predict(job: Job) -> Plan:
    """The Plan of a job. Raises ValueError where the strategy cannot serve it (more ranks than tokens, say)."""
    ledgers = [Ledger(job.element_bytes) for _ in range(job.n_ranks + 1)]
    programs = job.programs([ShapeModel(job, ledger) for ledger in ledgers])
    done = driver.run([_into(ledger, program) for ledger, program in zip(ledgers, programs, strict=True)], ledgers)
    return Plan(
        n_ranks=job.n_ranks,
        programs=done.programs,
        exchanges=done.exchanges,
        weight_bytes=tuple(ledger.weight_bytes for ledger in ledgers),
        activation_bytes=tuple(ledger.peak_bytes for ledger in ledgers),
    )


def _into(ledger: Ledger, program: Program) -> Program:
    """The same program; what it receives lies in its participant's memory from then on.

    What it hands in stays in its memory until the last receiver has it, as in the buffer of a send under way.
    """
    received: Any = None
    while True:
        try:
            effect = program.send(received)
        except StopIteration as stop:
            return stop.value
        received = yield effect
        del effect
        received = ledger.receive(received)
