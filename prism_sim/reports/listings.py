"""What `prism-sim list` shows: the names that a scenario can use, with their main figures and sources."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.markup import escape
from rich.table import Table

from prism_sim import compressors, families, figures, strategies, tasks
from prism_sim.ready import examples, lessons
from prism_sim.syntax import presets


def listing(what: str, book: presets.PresetBook = presets.READY) -> Table:
    """A table of models, devices, networks, strategies, compressors, tasks or plots. book: presets of one's own."""
    match what:
        case "models":
            return _models((*presets.models(), *book.models.values()))
        case "devices":
            return _hardware("device", (*presets.devices(), *book.devices.values()))
        case "networks":
            return _hardware("network", (*presets.networks(), *book.networks.values()))
        case "strategies":
            entries = strategies.nameable().values()
            return _sourced("strategy", [(entry.name, entry.summary, entry.source) for entry in entries])
        case "compressors":
            known = [(entry.name, entry.summary, entry.source) for entry in compressors.catalogue().values()]
            example = next(name for name in compressors.names() if compressors.CHAIN in name)
            summary = f"the rows that the first leaves, packed by the second, as {example}"
            return _sourced("compressor", [*known, (f"two, with a {compressors.CHAIN}", summary, "")])
        case "tasks":
            return _tasks()
        case _:
            plots = figures.catalogue().values()
            return _sourced("plot", [(plot.name, plot.summary, plot.written_by) for plot in plots], "drawn by")


def examples_listing() -> Table:
    """The ready scenarios, each with the question that it asks."""
    table = _table("example", "what it asks")
    for known in examples.catalogue().values():
        table.add_row(known.name, escape(known.question))
    return table


def lessons_listing() -> Table:
    """The lessons, in their order."""
    table = _table("lesson", "what it is about", "time")
    for known in lessons.catalogue().values():
        table.add_row(f"{known.number:2} {known.name}", escape(known.title), escape(known.duration))
    return table


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for number, column in enumerate(columns):
        table.add_column(column, overflow="fold", no_wrap=number == 0)
    return table


def _models(known: Sequence[presets.ModelPreset]) -> Table:
    table = _table("model", "blocks", "width", "heads", "tokens", "on the hub by")
    for preset in known:
        family = families.find(preset.config["model_type"])
        sizes = family.dimensions(preset.config)
        tokens = str(sizes.max_tokens) if family.fixed_tokens(sizes) else f"up to {sizes.most_tokens}"
        shape = (sizes.n_blocks, sizes.width, sizes.n_heads)
        owner = preset.hub_id.removesuffix(f"/{preset.name}")  # the whole id where the hub's name is another
        table.add_row(preset.name, *map(str, shape), tokens, owner)
    return table


def _tasks() -> Table:
    table = _table("task", "what is to be told", "model", "metrics", "source")
    for task in tasks.catalogue().values():
        own = "its own, small" if task.reference else "to be given"
        names = ", ".join(name.replace("_", " ") for name in task.metrics)
        table.add_row(*map(escape, (task.name, task.summary, f"{task.family}, {own}", names, task.source)))
    return table


def _hardware(kind: str, found: Sequence[presets.HardwarePreset]) -> Table:
    """Every number of a preset on a line of its own, with its source; after those of all runtimes, each one's own."""
    table = _table(kind, "", "value", "source")
    for preset in found:
        table.add_row(f"[bold]{preset.name}[/bold]", "", "", escape(preset.summary))
        for setting, value in preset.settings:
            table.add_row("", setting, value, "")
        _add_figures(table, preset.figures)
        for runtime, figures_of_it in preset.by_runtime.items():
            usual = " (default)" if runtime == preset.runtime else ""
            table.add_row("", "[bold]runtime[/bold]", f"[bold]{escape(runtime)}[/bold]{usual}", "")
            _add_figures(table, figures_of_it)
        table.add_section()
    return table


def _add_figures(table: Table, found: Sequence[presets.Figure]) -> None:
    """With the interval of a fit below its value."""
    for figure in found:
        interval = "" if figure.interval is None else "\n[dim]{} to {}[/dim]".format(*figure.interval)
        table.add_row("", figure.field, f"{figure.text}{interval}", f"[dim]{escape(figure.source)}[/dim]")


def _sourced(kind: str, rows: Sequence[tuple[str, str, str]], third: str = "source") -> Table:
    table = _table(kind, "what it does", third)
    for row in rows:
        table.add_row(*map(escape, row))
    return table
