"""A scenario's controls as the elements of a marimo page."""

from __future__ import annotations

from html import escape
from typing import Any

import marimo as mo

from prism_sim.exploring.answer_text import outputs_text
from prism_sim.exploring.answers import Shown
from prism_sim.exploring.controls import Control, Controls
from prism_sim.exploring.markup import meaning, paragraph
from prism_sim.exploring.meanings import MEANINGS
from prism_sim.scenario import Scenario

PAUSE_MS = 500  # of somebody who types, after which what was typed is read
EXAMPLE = "devices[0].compute=5 GFLOP/s"


def page_of(request: Any) -> Any:
    """A state of its own for a browser's page, as the gate hands it on."""
    return request.meta["page"]()


def elements(controls: Controls) -> Any:
    """All of them as one value: where each stands, by its name."""
    return mo.ui.dictionary({control.name: _element(control) for control in controls.controls})


def heading(scenario: Scenario, controls: Controls) -> str:
    """What the page is about, and which strategies this scenario cannot have."""
    cannot = [f"Not possible here: {name}: {reason}" for name, reason in controls.left_out.items()]
    about = ["Each change is simulated anew; nothing leaves this machine.", *cannot]
    return f'<header class="heading"><h1>{escape(scenario.name)}</h1>{"".join(map(paragraph, about))}</header>'


def panel(scenario: Scenario, controls: Controls, moved: Any, typed: Any, reset: Any) -> Any:
    """All that can be moved or typed, and the button that makes it all anew."""
    # the browser keeps what was typed in an element at the same place: one of another kind is another place
    kind = ("div", "section")[reset.value % 2]
    fresh = mo.Html(f"<{kind}>{typed}</{kind}>")
    return mo.vstack([mo.Html(heading(scenario, controls)), *moved.elements.values(), fresh, reset], gap=0.9)


def typed_fields() -> Any:
    """For every field that has no control."""
    return mo.ui.text_area(
        label="Other fields, one a line: FIELD=VALUE", placeholder=EXAMPLE, rows=2, debounce=PAUSE_MS, full_width=True
    )


def compute_button(compute: Any, shown: Shown) -> Any:
    """Where there is something to compute, with what it means."""
    is_lossy = shown.result is not None and outputs_text(shown.result.simulation) == "lossy"
    return mo.vstack([compute, mo.Html(meaning(MEANINGS["lost"]))]) if is_lossy else None


def _element(control: Control) -> Any:
    shown: list[Any] = [stop.shown for stop in control.stops]
    own = shown[control.start]
    if control.is_slider:
        return mo.ui.slider(steps=shown, value=own, label=control.label, show_value=True, full_width=True)
    return mo.ui.dropdown(shown, value=own, allow_select_none=False, label=control.label, full_width=True)
