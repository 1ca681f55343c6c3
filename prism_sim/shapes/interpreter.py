"""Runs a strategy's programs on shapes alone: the predicted Plan, in milliseconds and without torch."""

from __future__ import annotations

from prism_sim import driver
from prism_sim.plan import Plan
from prism_sim.plugins import remembered
from prism_sim.shapes.job import Job
from prism_sim.shapes.ledger import KnownKernels, Ledger
from prism_sim.shapes.model import ShapeModel
from prism_sim.wire import at_the_border


@remembered(maxsize=512)
def predict(job: Job) -> Plan:
    """The Plan of a job. Raises ValueError where the strategy cannot serve it (more ranks than tokens, say)."""
    sizes, known = (job.element_bytes, job.weight_type, job.wire_type), KnownKernels()
    ledgers = [Ledger(*sizes, known) for _ in range(job.n_ranks + 1)]
    programs = job.programs([ShapeModel(job, ledger) for ledger in ledgers])
    # what a program hands in stays in its memory until the last receiver has it, as in the buffer of a send under way
    own = [at_the_border(program, me.send, me.receive) for program, me in zip(programs, ledgers, strict=True)]
    done = driver.run(own, ledgers)
    return Plan(
        n_ranks=job.n_ranks,
        programs=done.programs,
        exchanges=done.exchanges,
        weight_bytes=tuple(ledger.weight_bytes for ledger in ledgers),
        activation_bytes=tuple(ledger.peak_bytes for ledger in ledgers),
    )
