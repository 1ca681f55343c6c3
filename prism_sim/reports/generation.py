"""How fast text comes, and what the time to the first token and that of each later one is made of."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console

from prism_sim.generation.generation import Generation
from prism_sim.reports.tables import new_table
from prism_sim.timing.storage import storage_apart
from prism_sim.units_text import bytes_text, seconds_text


def show_generation(found: Generation, console: Console) -> None:
    of_prompt = storage_apart(found.prompt_breakdown_s, found.prompt_storage_s)
    of_step = storage_apart(found.step_breakdown_s or {}, found.step_storage_s or 0.0)
    parts = [part for part in of_prompt | of_step if of_prompt.get(part) or of_step.get(part)]
    table = new_table("", "", *parts, title="Where the time goes (critical path)")
    row = [seconds_text(of_prompt.get(part, 0.0)) for part in parts]
    table.add_row("to the first token (TTFT)", seconds_text(found.ttft_s), *row)
    if found.tpot_s is not None:
        row = [seconds_text(of_step.get(part, 0.0)) for part in parts]
        table.add_row("each later one (TPOT)", seconds_text(found.tpot_s), *row)
    console.print(table)
    console.print()
    for line in lines_of(found):
        console.print(line, highlight=False)


def lines_of(found: Generation) -> Iterator[str]:
    """Tokens a second, what each costs the network, and the largest cache."""
    if found.tokens_per_s is not None:
        yield f"{found.tokens_per_s:.3g} tokens/s after the first of {found.new_tokens}"
    if found.step_bytes is not None:
        yield f"{bytes_text(round(found.step_bytes))} between devices a step"
    yield f"{bytes_text(max(found.cache_bytes))} of keys and values at the end, where most"
