"""How an answer reads on the page: the verdict, its figures, and tables as the terminal has them."""

from __future__ import annotations

from collections.abc import Iterator

from prism_sim import families, strategies
from prism_sim.choice.result import RunResult
from prism_sim.choice.verdict import verdict
from prism_sim.exploring.answers import Shown
from prism_sim.exploring.markup import figures, meaning, paragraph, section, table
from prism_sim.exploring.meanings import MEANINGS
from prism_sim.reports.fit_samples import range_cell
from prism_sim.reports.run import storage_lines
from prism_sim.reports.run_cells import compared, compared_cells, memory_cell, parts_s
from prism_sim.simulation.simulate import Simulation
from prism_sim.units_text import bytes_text, flops_text, joules_text, per_second_text, seconds_text, speedup_text


def problem_text(shown: Shown) -> str:
    """Beside the controls; empty where there is none."""
    if shown.problem is None:
        return section("Message", kind="quiet")
    kept = "Below is the last answer that could be given." if shown.result is not None else "There is no answer yet."
    return section("Message", paragraph(shown.problem, role="alert"), paragraph(kept), kind="problem")


def answer_text(shown: Shown) -> str:
    """The whole answer, marked where it is an earlier one."""
    result = shown.result
    if result is None:
        return section("Answer", kind="quiet")
    marked = []
    if shown.problem is not None:
        asked = ", ".join(shown.overrides) or "the scenario as it is"
        marked = [paragraph(f"Last good answer, for: {asked}", "earlier")]
    return section(
        "Answer",
        *marked,
        paragraph(question(result), "question"),
        paragraph(verdict(result), "verdict", role="status"),
        figures(_figures(result)),
        meaning(MEANINGS["figures"]),
        _parts(result),
        meaning(MEANINGS["parts"]),
        _compared(result),
        _devices(result),
        meaning(MEANINGS["devices"]),
        *(paragraph(note, "note") for note in _notes(result)),
        kind="answer earlier-answer" if shown.problem is not None else "answer",
    )


def question(result: RunResult) -> str:
    job = result.simulation.job
    then = f", then {job.new_tokens} new" if job.new_tokens else ""
    prompt = " (prefill)" if families.find(job.sizes.family).causal else ""
    what = f"one forward pass{prompt} of {job.batch} x {job.n_tokens} tokens{then}"
    return f"{result.scenario.model.label}, {job.dtype}: {what}, {job.strategy} over {job.n_ranks} device(s)"


def outputs_text(simulation: Simulation) -> str:
    job = simulation.job
    return "exact" if strategies.find(job.strategy).lossless(job.options) else "lossy"


def _figures(result: RunResult) -> Iterator[tuple[str, str]]:
    simulation = result.simulation
    yield "Latency", seconds_text(result.latency_s)
    if result.samples is not None:
        yield "Its range", range_cell(result.samples, simulation)
    if (text := simulation.generation) is not None:
        yield "First token", seconds_text(text.ttft_s)
        yield "Each later token", seconds_text(text.tpot_s) if text.tpot_s is not None else "none"
    if result.speedup is not None:
        yield "Against one device", speedup_text(result.speedup)
    yield "Outputs", outputs_text(simulation)
    segments, rate = simulation.compression
    if rate is not None:
        yield "Compression", f"CR {rate:.3g}" if segments is None else f"L = {segments}, CR {rate:.3g}"
    yield "Sent between devices", bytes_text(sum(simulation.sent_bytes))
    yield "Requests back to back", f"{per_second_text(simulation.throughput_per_s)} /s"
    if (joules := simulation.total_energy_j) is not None:
        yield "Energy", joules_text(joules)


def _parts(result: RunResult) -> str:
    parts, whole = parts_s(result.simulation), result.latency_s
    rows = [(name, seconds_text(part_s), f"{100 * part_s / whole:.1f} %") for name, part_s in parts.items()]
    shares = [part_s / whole for part_s in parts.values()]
    return table("Where the latency goes (critical path)", ("part", "time", "share"), rows, shares)


def _compared(result: RunResult) -> str:
    headings = ("", "latency", "speed-up", "per device", "sent")
    rows = [
        (name if one.fits else f"{name} (does not fit)", *compared_cells(one, result)) for name, one in compared(result)
    ]
    return table("How fast", headings, rows)


def _devices(result: RunResult) -> str:
    simulation, plan = result.simulation, result.simulation.plan
    rows = []
    for one, device in zip(plan.participants, simulation.device_of, strict=True):
        have = simulation.devices[device].memory_bytes
        rows.append(
            (
                f"{'terminal' if one == plan.terminal else f'rank {one}'}: {result.scenario.devices[device].name}",
                flops_text(simulation.block_flops(one)),
                seconds_text(simulation.busy_s[one]),
                seconds_text(simulation.wait_s[one]),
                bytes_text(simulation.sent_bytes[one]),
                memory_cell(simulation, one, f" of {bytes_text(have)}" if have else ""),
            )
        )
    return table("Who does what", ("", "blocks", "busy", "waits", "sent", "memory"), rows)


def _notes(result: RunResult) -> Iterator[str]:
    if unused := result.scenario.written.unused_fields:
        yield f"Not used by {result.simulation.job.strategy}: {', '.join(unused)}"
    yield from storage_lines(result)
