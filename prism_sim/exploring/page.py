"""The page of `prism-sim explore`: a notebook that marimo runs as an app; what it shows is made beside this file."""

# A cell's arguments are what it depends on: it runs again when one of them changes.

from typing import Any

import marimo

app = marimo.App(width="full", app_title="prism-sim explore")


@app.cell
def begin() -> Any:
    import marimo as mo

    from prism_sim.exploring import answer_text, elements

    page = elements.page_of(mo.app_meta().request)
    return answer_text, elements, mo, page


@app.cell
def again(mo: Any) -> Any:
    reset = mo.ui.button(label="Back to the scenario", value=0, on_click=lambda n_times: n_times + 1)
    return (reset,)


@app.cell
def controls(elements: Any, mo: Any, page: Any, reset: Any) -> Any:
    reset.value  # noqa: B018  # all elements are made anew
    moved, typed = elements.elements(page.controls), elements.typed_fields()
    mo.vstack(
        [mo.Html(elements.heading(page.scenario, page.controls)), *moved.elements.values(), typed, reset], gap=0.9
    )
    return moved, typed


@app.cell
def problem(answer_text: Any, mo: Any, moved: Any, page: Any, typed: Any) -> Any:
    shown = page.ask(moved.value, typed.value)
    mo.Html(answer_text.problem_text(shown))
    return (shown,)


@app.cell
def answer(answer_text: Any, mo: Any, shown: Any) -> Any:
    mo.Html(answer_text.answer_text(shown))
    return


@app.cell
def strategies(page: Any, shown: Any) -> Any:
    page.show("strategies", shown)
    return


@app.cell
def flips(page: Any, shown: Any) -> Any:
    page.show("flips", shown)
    return


@app.cell
def compression(page: Any, shown: Any) -> Any:
    page.show("compression", shown)
    return


@app.cell
def timeline(page: Any, shown: Any) -> Any:
    page.show("timeline", shown)
    return


@app.cell
def asking(mo: Any) -> Any:
    compute = mo.ui.run_button(label="Compute what is lost")
    return (compute,)


@app.cell
def lost(compute: Any, page: Any, shown: Any) -> Any:
    page.lost(shown, compute.value)
    return


@app.cell
def compute_button(compute: Any, elements: Any, shown: Any) -> Any:
    elements.compute_button(compute, shown)
    return


@app.cell
def keep(page: Any, shown: Any) -> Any:
    page.copied(shown)
    return


if __name__ == "__main__":
    app.run()
