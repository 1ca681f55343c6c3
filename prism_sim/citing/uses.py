"""What a scenario uses that somebody published, its sweep included: each with the sources that it states itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from prism_sim import compressors, strategies, tasks
from prism_sim.boards.rows import board_rows
from prism_sim.citing.publications import Publication, publications_in
from prism_sim.scenario import Scenario, sweep_groups
from prism_sim.strategies import AUTO
from prism_sim.syntax.presets import Figure, HardwarePreset
from prism_sim.syntax.sweep import UNSET, Group

HUB = "https://huggingface.co/"
ROWS = "boards.csv"  # what a fitted number's source names; the rows have sources of their own
NAMING = ("compressor", "devices", "hf", "model", "name", "network", "preset", "runtime", "strategy", "task")


@dataclass(frozen=True, slots=True)
class Use:
    """what: in words. source: as the thing itself states it.

    measured: it is where somebody's measurement stands, in whatever form, and no assumption.
    """

    what: str
    source: str
    measured: bool = False

    def publications(self) -> tuple[Publication, ...]:
        """Those that the source names; of a measurement at least its own words."""
        found = publications_in(self.source)
        return found or ((Publication(self.source),) if self.measured else ())


def uses_of(scenario: Scenario) -> list[Use]:
    """All, each once: of the scenario as it stands and of every name that its sweep puts into it."""
    variants = [scenario, *(scenario.with_overrides(point) for point in _named_points(scenario))]
    return list(dict.fromkeys(use for variant in variants for use in _of_one(variant)))


def strategy_uses(name: str) -> Iterator[Use]:
    """Of `auto`, all that it chooses among."""
    among = strategies.catalogue() if name == AUTO.name else {name: strategies.find(name)}
    for strategy in among.values():
        yield Use(f"strategy {strategy.name}", strategy.source)


def _named_points(scenario: Scenario) -> Iterator[dict[str, Any]]:
    """Every combination of those swept values that name things, with what varies together with them."""
    steps = [_steps(group) for group in sweep_groups(scenario)]
    for combination in product(*filter(None, steps)) if any(steps) else ():
        yield {field: value for step in combination for field, value in step.items() if value is not UNSET}


def _steps(group: Group) -> list[dict[str, Any]]:
    """Of a group of fields that name things; the first step of each name."""
    naming = [axis for axis in group if axis.field.rpartition(".")[2].partition("[")[0] in NAMING]
    firsts: dict[str, dict[str, Any]] = {}
    for number in range(len(group[0].values)) if naming else ():
        step = {axis.field: axis.values[number] for axis in group}
        firsts.setdefault(repr([step[axis.field] for axis in naming]), step)
    return list(firsts.values())


def _of_one(scenario: Scenario) -> Iterator[Use]:
    tree = scenario.written.source.tree
    yield from strategy_uses(scenario.strategy.name)
    compressor = getattr(scenario.strategy.options, "compressor", None)
    for entry in () if compressor is None else compressors.parts(compressor):
        yield Use(f"compressor {entry.name}", entry.source)
    if scenario.task is not None:
        yield Use(f"task {scenario.task.name}", tasks.find(scenario.task.name).source)
    yield from _of_model(scenario)
    book = scenario.written.source.presets
    for section in tree["devices"]:
        if "preset" in section:
            yield from _of_device(book.device(section["preset"]), section)
    if (name := scenario.network.preset) is not None:
        figures = book.network(name).figures
        yield from (Use(f"network {name}", one.source) for one in figures if one.field not in tree["network"])


def _of_model(scenario: Scenario) -> Iterator[Use]:
    """A preset's source; the hub's page where weights are taken from there, or where the hub alone knows it."""
    hub_id = scenario.model.hub_id
    if hub_id is None:
        return
    preset = scenario.written.source.presets.model_of_hub(hub_id)
    what = f"model {hub_id if preset is None else preset.name}"
    if preset is not None:
        yield Use(what, preset.source)
    if preset is None or scenario.model.weights == "pretrained" or "the hub's" in preset.source:
        yield Use(what, f"{HUB}{hub_id}")


def _of_device(preset: HardwarePreset, section: dict[str, Any]) -> Iterator[Use]:
    """Of the numbers that the scenario does not state itself; of those fitted to rows, the rows' sources."""
    runtime = section.get("runtime", preset.runtime)
    what = f"device {preset.name}" + (f" under {runtime}" if runtime else "")
    used = [figure for figure in preset.figures_under(runtime) if figure.field not in section]
    yield from (Use(what, figure.source) for figure in used)
    if any(map(_is_fitted_to_rows, used)):
        rows = (row for row in board_rows() if (row.device, row.runtime) == (preset.name, runtime))
        yield from (Use(what, row.source.partition(";")[0], True) for row in rows if row.left_out is None)


def _is_fitted_to_rows(figure: Figure) -> bool:
    return f"rows of {ROWS}" in figure.source or f"row of {ROWS}" in figure.source
