"""`presets/devices.yaml`, written from what is known of each board and from what its rows say.

    python -m prism_sim.boards

Every number says where it comes from: fitted to rows, which it names, with their interval; expected of such a board by
a source; or an assumption.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from prism_sim.boards.facts import FED_OP_OVERHEAD_S, FIELDS, Board, boards, rate_class, unit_of
from prism_sim.boards.fit import BoardFit, Key, fit_board
from prism_sim.boards.rows import board_rows
from prism_sim.syntax import units
from prism_sim.why.varied import quantity_text

PRESETS = Path(str(resources.files("prism_sim.syntax").joinpath("presets", "devices.yaml")))
HEADER = """\
# Devices. Written by python -m prism_sim.boards from the rows and facts in prism_sim/boards/data: change those.
#
# One entry a device: a summary, and for each number its value and its source with year ("assumption" where there is
# none; "as of 2026": a page without a date of its own, as it stood then). range: the fit's 90 % interval.
#
# runtime: the one of a scenario that names none. Numbers under `runtimes` hold for programs of that runtime only: they
# differ by more than boards do. compute is the float32 rate that matrix products reach, not the peak; compute_TYPE that
# of products in float16, or with weights in int8, q8_0 or q4_0. memory_bandwidth is the rate of memory-bound steps.
#
# dispatch, dispatch_restart, handling_bandwidth: how the host feeds an accelerator (prism_sim/timing/dispatch.py).
# staging_bandwidth is reached after staging_ramp, so short copies are slower.
"""
MOVED = 0.02  # relative; what a fit moves less is as it was expected
NAMED = 4  # models whose rows a number was fitted to; of more, how many
ASSUMED = {
    "launch": "assumption: what handing a kernel over costs such a program",
    "attention": "assumption: a third, about as where rows tell it",
}


def fits() -> dict[str, BoardFit]:
    """Of all boards that have rows, by name."""
    rows = board_rows()
    return {
        name: fit_board(board, [row for row in rows if row.device == name])
        for name, board in boards().items()
        if board.fitted_runtimes
    }


def text() -> str:
    """The whole file."""
    found = fits()
    return "\n".join([HEADER, *("\n".join(_entry(board, found.get(name))) + "\n" for name, board in boards().items())])


def presets_file(fit: BoardFit, name: str) -> str:
    """The fitted board as a presets file of one's own, under this name."""
    entry = _entry(replace(fit.board, name=name), fit)
    return "\n".join(["devices:", *(f"  {line}" for line in entry), ""])


def _entry(board: Board, fit: BoardFit | None) -> Iterator[str]:
    yield f"{board.name}:"
    yield f"  summary: {_quoted(board.entry['summary'])}"
    for name in FIELDS:
        if name in board.entry:
            yield f"  {name}: {_figure(board.entry[name])}"
    if not board.runtimes:
        return
    yield f"  runtime: {board.entry['runtime']}"
    yield "  runtimes:"
    for runtime, stated in board.runtimes.items():
        yield f"    {runtime}:"
        fitted = {} if fit is None or runtime not in board.fitted_runtimes else _fitted(fit, runtime)
        own = {name: value for name, value in stated.items() if isinstance(value, dict)}
        for name, figure in {**fitted, **own}.items():
            yield f"      {name}: {_figure(figure)}"


def _fitted(fit: BoardFit, runtime: str) -> dict[str, dict[str, Any]]:
    """A runtime's numbers as a preset states them."""
    fed = fit.board.is_fed(runtime)
    names = {"float32": "compute"} | {one: f"compute_{one}" for one in fit.board.rate_types if _says(fit, runtime, one)}
    names |= {"attention": "attention_efficiency", "memory_bandwidth": "memory_bandwidth"}
    names["launch"] = "dispatch" if fed else "op_overhead"
    figures = {field: _number(fit, (runtime, name)) for name, field in names.items()}
    if fed:
        text = quantity_text(units.TIME, FED_OP_OVERHEAD_S)
        figures["op_overhead"] = {"value": text, "source": "assumption: the accelerator begins and ends a kernel"}
    return figures


def _says(fit: BoardFit, runtime: str, type_name: str) -> bool:
    """Whether a preset states this type's rate.

    Where its kin was measured in this runtime; of a runtime without rows, and of float16, where it is expected to be
    another than float32's.
    """
    if type_name == "float32":
        return False
    measured = {rate_class(row.rate_type) for row in fit.rows if row.runtime == runtime}
    differs = fit.board.expected_of(runtime, type_name) != fit.board.expected_of(runtime, "float32")
    return rate_class(type_name) in measured or (differs and (type_name == "float16" or not measured))


def _number(fit: BoardFit, key: Key) -> dict[str, Any]:
    found: dict[str, Any] = {"value": amount_text(key[1], fit.found[key]), "source": _source(fit, key)}
    if fit.is_informed(key) and (rows := fit.telling(key)):
        found["range"] = [amount_text(key[1], end) for end in fit.interval(key)]
        named = list(dict.fromkeys(row.model for row in rows))
        models = ", ".join(named[:NAMED]) + (f" and {len(named) - NAMED} more" if len(named) > NAMED else "")
        count = f"{len(rows)} row{'s' if len(rows) > 1 else ''}"
        found["source"] = f"fitted ({fit.year}) to {count} of {fit.rows_file}: {models}"
    return found


def _source(fit: BoardFit, key: Key) -> str:
    """Of a number that no row of its own tells."""
    name, expected = key[1], fit.expected[key]
    if name in ASSUMED:
        return ASSUMED[name]
    source: str = fit.board.expectation(name)["source"]
    if abs(fit.found[key] / expected - 1) < MOVED:
        return source
    return (
        f"assumption: {amount_text(name, expected)} expected, moved by what its other numbers were fitted to; {source}"
    )


def amount_text(name: str, amount: float) -> str:
    """A number of a fit as a preset writes it."""
    return f"{amount:.3g}" if name == "attention" else quantity_text(unit_of(name), amount, 3)


def _figure(figure: Mapping[str, Any]) -> str:
    ends = f", range: [{', '.join(figure['range'])}]" if "range" in figure else ""
    return f"{{value: {figure['value']}{ends}, source: {_quoted(figure['source'])}}}"


def _quoted(text: str) -> str:
    return str(yaml.safe_dump(text, default_style='"', width=10_000, allow_unicode=True)).strip()
