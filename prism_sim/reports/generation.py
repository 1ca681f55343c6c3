"""How fast text comes, and what the time to the first token and that of each later one is made of."""

from __future__ import annotations

from rich.console import Console

from prism_sim.reports.tables import new_table
from prism_sim.simulation.simulate import Generation
from prism_sim.units_text import bytes_text, seconds_text


def show_generation(found: Generation, console: Console) -> None:
    parts = [
        part for part, seconds in found.prompt_breakdown_s.items() if seconds or (found.step_breakdown_s or {})[part]
    ]
    table = new_table("", "", *parts, title="Where the time goes (critical path)")
    row = [seconds_text(found.prompt_breakdown_s[part]) for part in parts]
    table.add_row("to the first token (TTFT)", seconds_text(found.ttft_s), *row)
    if found.tpot_s is not None and found.step_breakdown_s is not None:
        row = [seconds_text(found.step_breakdown_s[part]) for part in parts]
        table.add_row("each later one (TPOT)", seconds_text(found.tpot_s), *row)
    console.print(table)
    console.print(f"\n{text_of(found)}", highlight=False)


def text_of(found: Generation) -> str:
    """One line: tokens a second, and what each costs the network."""
    largest = bytes_text(max(found.cache_bytes))
    if found.tokens_per_s is None or found.step_bytes is None:
        return f"one token, no step; keys and values: {largest} on the rank with most"
    rate = f"{found.tokens_per_s:.3g} tokens/s after the first of {found.new_tokens}"
    crossing = (
        f"{bytes_text(round(found.step_bytes))} between devices a step"
        if found.step_bytes
        else "no byte between devices"
    )
    return f"{rate}; {crossing}; keys and values at the end: {largest} on the rank with most"
