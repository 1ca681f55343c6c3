"""What `prism-sim budget` shows in the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from prism_sim.loss.budget import Budget, sent_bytes
from prism_sim.outputs.model_inputs import described
from prism_sim.reports.tables import bar, new_table
from prism_sim.units_text import bytes_text, seconds_text

MEASURES = {"kl": "KL divergence of the outputs, in nats", "residual": "relative error after the last block"}


def show_budget(found: Budget, console: Console) -> None:
    """Segments by block, both ways side by side, then the answer in words and the list ready to paste."""
    job, spent = found.found.job, found.spent
    console.print(f"\n[bold]{escape(found.scenario.name)}[/bold]")
    console.print(
        f"{escape(found.scenario.model.label)}, {described(found.scenario, job)}: {job.strategy} over "
        f"{job.n_ranks} rank(s), {bytes_text(found.budget_bytes)} to send; least {MEASURES[spent.measure]}, of "
        f"{spent.tried} lists that were computed",
        style="dim",
        highlight=False,
    )
    console.print(_blocks(found))
    console.print(_both(found))
    if found.scenario.model.weights == "random":
        console.print("\nrandom weights: trained ones may lose in other blocks", style="yellow")
    console.print(f"\n[bold]{escape(' '.join(sentences(found)))}[/bold]", highlight=False)
    if spent.found != spent.uniform:
        console.print(f"  segments: {list(spent.found)}", markup=False, highlight=False, soft_wrap=True)
    console.print()


def _blocks(found: Budget) -> Table:
    spent = found.spent
    title = "Segments, and what a block adds with equal ones"
    table = new_table("block", "adds", "equal", "found", "", title=title, left=[4])
    most = max(spent.found)
    for block, (added, equal, own) in enumerate(zip(spent.added, spent.uniform, spent.found, strict=True)):
        table.add_row(str(block), f"{added:.3g}", str(equal), str(own), bar(own / most))
    return table


def _both(found: Budget) -> Table:
    spent = found.spent
    table = new_table("segments", "loss", "sent", "latency", title="What comes of it")
    for name, simulation, loss in (
        ("equal", found.uniform, spent.uniform_loss),
        ("found", found.found, spent.found_loss),
    ):
        table.add_row(name, f"{loss:.4g}", bytes_text(sent_bytes(simulation)), seconds_text(simulation.latency_s))
    return table


def sentences(found: Budget) -> Iterator[str]:
    """Whether it pays to give blocks different numbers of segments."""
    spent = found.spent
    if spent.found == spent.uniform:
        yield f"Nothing better than {spent.uniform[0]} segments in every block was found."
        return
    saved = f"{100 * spent.gain:.3g} % less loss than {spent.uniform[0]} segments in every block"
    gain = spent.gain_elsewhere
    if gain is None:
        yield f"{saved}, on the scenario's one input; whether that holds on others is not known."
        return
    elsewhere = f"{100 * gain[0]:.3g} ± {100 * gain[1]:.2g} % on {len(spent.elsewhere)} other inputs"
    if spent.holds:
        yield f"{saved} on the input of the search, and {elsewhere}."
    else:
        yield f"Equal segments are as good within the noise: {saved} on the input of the search, but {elsewhere}."
