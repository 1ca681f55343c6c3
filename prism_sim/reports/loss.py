"""What `prism-sim loss` shows in the terminal."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from prism_sim import strategies
from prism_sim.loss.loss import Loss
from prism_sim.numeric.deviation import Deviation
from prism_sim.outputs.model_inputs import described
from prism_sim.reports.tables import NarrowName, bar, new_table

LITTLE = 0.1  # of the error: differences that nobody need care about


def show_loss(found: Loss, console: Console) -> None:
    """Errors by block, by rank and by distance to the border, then what they say."""
    job = found.simulation.job
    rate = found.simulation.compression[1]
    compression = "" if rate is None else f", CR {rate:.3g}"
    console.print(f"\n[bold]{escape(found.scenario.name)}[/bold]")
    console.print(
        f"{escape(found.scenario.model.label)}, {described(found.scenario, job)}: {job.strategy}{compression} over "
        f"{job.n_ranks} rank(s); errors of the residual stream, relative to the undistributed model's",
        style="dim",
        highlight=False,
    )
    console.print(_by_block(found))
    console.print(_by_rank(found))
    if found.distances:
        console.print(_by_distance(found))
    output = found.residuals.output
    kl = "" if output.kl is None else f", KL {output.kl:.3g} nat"
    console.print(f"\noutputs against the undistributed model: cosine {output.cosine:.6f}{kl}")
    if found.random_weights:
        console.print("random weights: trained ones may lose elsewhere", style="yellow")
    console.print(f"\n[bold]{escape(' '.join(sentences(found)))}[/bold]\n", highlight=False)


def _by_block(found: Loss) -> Table:
    table = new_table("block", "adds", "accumulated", "cosine", "", title="By block", left=[4])
    most = max(one.added for one in found.blocks)
    for block, one in enumerate(found.blocks):
        adds = bar(one.added / most if most else 0)
        table.add_row(str(block), _number(one.added), _number(one.error), f"{one.cosine:.6f}", adds)
    return table


def _by_rank(found: Loss) -> Table:
    table = new_table("rank", "device", "adds a block", "accumulated", "cosine", title="By rank", names=1)
    for rank in found.ranks:
        of_blocks = list(found.of_rank(rank).values())
        table.add_row(str(rank), NarrowName(found.device(rank)), *_cells(of_blocks))
    return table


def _by_distance(found: Loss) -> Table:
    title = "By distance to the next rank's tokens"
    table = new_table("tokens", "adds a block", "accumulated", "cosine", title=title)
    for (nearest, furthest), of_blocks in found.distances.items():
        table.add_row(str(nearest) if nearest == furthest else f"{nearest}-{furthest}", *_cells(of_blocks))
    return table


def _cells(of_blocks: Sequence[Deviation]) -> tuple[str, str, str]:
    """What a block adds in the (root square) mean, and what has accumulated after the last."""
    last = of_blocks[-1]
    return _number(_mean_added(of_blocks)), _number(last.error), f"{last.cosine:.6f}"


def _mean_added(of_blocks: Iterable[Deviation]) -> float:
    squares = [one.added**2 for one in of_blocks]
    return math.sqrt(math.fsum(squares) / len(squares))


def _number(error: float) -> str:
    return f"{error:.3g}" if error else "0"


def sentences(found: Loss) -> Iterator[str]:
    """Where the loss arises, in words."""
    job = found.simulation.job
    if strategies.find(job.strategy).lossless(job.options) or job.n_ranks == 1:
        yield f"{job.strategy} loses nothing: what is left is rounding."
        return
    blocks, worst = found.blocks, found.worst_block
    total = math.fsum(one.added**2 for one in blocks)
    if total == 0:
        yield "Nothing is lost."
        return
    share = f"{100 * blocks[worst].added ** 2 / total:.0f} %"
    of_all = f"{share} of the squares of all {len(blocks)} blocks"
    accumulated = f"after the last, {_number(blocks[-1].error)} has accumulated"
    yield f"Block {worst} adds most, {_number(blocks[worst].added)} ({of_all}); {accumulated}."
    yield from _about_ranks(found)
    if len(found.distances) > 1:
        bins = list(found.distances)
        near, far = (_mean_added(found.distances[one]) for one in (bins[0], bins[-1]))
        if abs(near - far) <= LITTLE * max(near, far):
            yield "The distance to the border hardly matters."
        else:
            more, times = ("more", near / far) if near > far else ("less", far / near)
            yield f"Tokens at the border lose {more} than those furthest from it, {times:.2g} times."


def _about_ranks(found: Loss) -> Iterator[str]:
    errors = {rank: list(found.of_rank(rank).values())[-1].error for rank in found.ranks}
    worst = max(errors, key=lambda rank: (errors[rank], -rank))
    if min(errors.values()) < (1 - LITTLE) * errors[worst]:
        yield f"Rank {worst} ends with the largest error, {_number(errors[worst])}."
