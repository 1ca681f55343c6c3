"""A report, opened from the disk in a real browser: drawn, whole, alone, legible, and with the numbers of `run`."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from prism_sim import load_scenario
from prism_sim.cli import main
from prism_sim.units_text import seconds_text

HOSTILE = "<script>window.hacked = 1</script> & </title><b>bold"
TINY = f"""\
# A note: </code><script>window.hacked = 2</script>
name: '{HOSTILE}'
model:
  dims: {{model_type: bert, hidden_size: 16, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 32,
    vocab_size: 300, max_position_embeddings: 64, type_vocab_size: 2}}
workload: {{tokens: 12}}
devices:
  - {{name: board, compute: 1 GFLOP/s, memory_bandwidth: 1 GB/s, count: 2}}
network: {{preset: gigabit-ethernet, bandwidth: 100 Mbit/s}}
strategy: {{name: prism, segments: 2}}
sweep:
  strategy.name: [single, prism, voltage]
  network.latency: [1 ms, 2 ms, 3 ms]
"""
DRAWN = "[...document.querySelectorAll('figure.chart')].every(one => one.dataset.drawn)"
CONTRAST = """() => {
  const level = (colour) => colour.match(/[0-9.]+/g).slice(0, 3).map(Number)
    .map((one) => one / 255).map((one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
    .reduce((sum, one, place) => sum + one * [0.2126, 0.7152, 0.0722][place], 0);
  const texts = document.querySelectorAll("p, li, a, td, th, h1, h2, figcaption, caption, pre");
  return Math.min(...[...texts].map((one) => {
    const back = one.tagName === "PRE" ? getComputedStyle(one).backgroundColor : "rgb(255, 255, 255)";
    return (level(back) + 0.05) / (level(getComputedStyle(one).color) + 0.05);
  }));
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scenario, what commands write of it, and the reports."""
    found = tmp_path_factory.mktemp("reports")
    (found / "tiny.yaml").write_text(TINY)
    scenario, quick = str(found / "tiny.yaml"), ["--no-numerics", "--set", "seed=3"]
    assert main(["report", scenario, *quick, "--jobs", "1", "-o", str(found / "tiny.html")]) == 0
    for command in ("run", "compare"):
        assert main([command, scenario, *quick, "--json", str(found / f"{command}.json")]) == 0
        assert main(["report", str(found / f"{command}.json"), "-o", str(found / f"{command}.html")]) == 0
    assert main(["sweep", scenario, *quick, "--jobs", "1", "--out", str(found / "sweep.csv")]) == 0
    assert main(["report", str(found / "sweep.csv"), "-o", str(found / "sweep.html")]) == 0
    return found


def opened(browser: Any, path: Path, width: int = 1000) -> Any:
    """A page that is drawn. Whatever it asks for, or fails at, is in `page.asked` and `page.failed`."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.asked, page.failed = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("pageerror", lambda error: page.failed.append(str(error)))
    page.on("dialog", lambda dialog: page.failed.append("a dialog"))
    page.goto(path.as_uri())
    page.wait_for_function(DRAWN, timeout=60_000)
    return page


@pytest.fixture(scope="module")
def page(browser: Any, folder: Path) -> Iterator[Any]:
    found = opened(browser, folder / "tiny.html")
    yield found
    found.close()


def cells(page: Any, caption: str) -> list[list[str]]:
    """Of the first table with this caption."""
    found: list[list[str]] = page.evaluate(
        "caption => [...[...document.querySelectorAll('table')].find(one => one.caption.textContent === caption)"
        ".tBodies[0].rows].map(row => [...row.cells].map(one => one.textContent))",
        caption,
    )
    return found


def shown(page: Any) -> list[dict[str, str]]:
    """What marks the rows of points that are not hidden."""
    found: list[dict[str, str]] = page.evaluate(
        "[...document.querySelectorAll('#points tbody tr')].filter(one => !one.hidden).map(one => ({...one.dataset}))"
    )
    return found


def test_it_opens_from_the_disk_and_asks_nobody_for_anything(page: Any, folder: Path) -> None:
    assert page.asked == [(folder / "tiny.html").as_uri()]
    assert page.failed == []
    assert (folder / "tiny.html").read_text().count("vegaEmbed=") == 1  # Vega once, for all figures


def test_a_name_is_a_name_and_runs_nothing(page: Any) -> None:
    assert page.inner_text("h1") == page.title() == HOSTILE
    assert page.evaluate("window.hacked") is None
    assert "window.hacked = 2" in page.inner_text("pre")


def test_the_numbers_are_those_of_run(page: Any, folder: Path) -> None:
    run = json.loads((folder / "run.json").read_text())
    assert cells(page, "How fast")[0][:2] == ["prism", seconds_text(run["latency_s"])]
    parts = [row[:2] for row in cells(page, "Where the latency goes (critical path)")]
    assert parts == [[part, seconds_text(seconds)] for part, seconds in run["breakdown_s"].items()]
    assert run["provenance"]["scenario_hash"] in page.inner_text("footer")
    compared = json.loads((folder / "compare.json").read_text())
    n_ways = 1 + sum(one.get("latency_s") is not None for one in compared["candidates"])
    assert len(cells(page, "Strategies on the same hardware")) == n_ways


def test_a_mark_is_drawn_for_each_part_and_span(page: Any, folder: Path) -> None:
    run = json.loads((folder / "run.json").read_text())
    figures = page.locator("figure.chart")
    used = sum(seconds > 0 for seconds in run["breakdown_s"].values())
    assert figures.nth(0).locator(".mark-rect.role-mark path").count() >= used
    from prism_sim.simulation.simulate import simulate

    spans = simulate(load_scenario(folder / "tiny.yaml", ["seed=3"])).timeline.spans
    n_spans = sum(span.end_s > span.start_s for span in spans)
    assert figures.nth(1).locator(".mark-rect.role-mark path").count() == n_spans


def test_whoever_listens_finds_their_way(page: Any) -> None:
    assert page.get_attribute("html", "lang") == "en"
    assert page.evaluate("['header', 'nav', 'main', 'footer'].map(one => document.querySelectorAll(one).length)") == [
        1,
        1,
        1,
        1,
    ]
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3, h4')].map(one => Number(one.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert page.evaluate("[...document.querySelectorAll('table')].every(one => one.caption.textContent.trim())")
    assert page.evaluate("[...document.querySelectorAll('th')].every(one => one.scope && one.textContent.trim())")
    assert page.evaluate(
        "[...document.querySelectorAll('figure')].every(one => one.querySelector('figcaption').textContent.length > 20"
        " && one.querySelector('[role=graphics-document]').getAttribute('aria-label').length > 20)"
    )
    links = page.evaluate("[...document.querySelectorAll('nav a')].map(one => one.hash.slice(1))")
    assert links == page.evaluate("[...document.querySelectorAll('h2')].map(one => one.id)")
    assert page.evaluate(CONTRAST) >= 4.5  # WCAG 2.2, 1.4.3


def test_a_choice_and_a_brush_choose_rows_of_the_table_too(page: Any) -> None:
    assert len(shown(page)) == 9
    choice = page.locator(".vega-bind select").first
    choice.select_option("prism")
    assert [row["strategy"] for row in shown(page)] == ["prism"] * 3
    assert page.inner_text("#points-count") == "3 of 9 rows chosen"
    choice.select_option("all")
    everything = shown(page)
    figure = page.locator("figure.chart[data-table=points]")
    figure.scroll_into_view_if_needed()
    area = figure.locator("svg .background").first.bounding_box()
    right = area["x"] + area["width"] - 2
    page.mouse.move(area["x"] + 0.5 * area["width"], area["y"] + 2)
    page.mouse.down()
    page.mouse.move(right, area["y"] + area["height"] - 2, steps=4)
    page.mouse.up()
    chosen = [float(row["x"]) for row in shown(page)]
    left_out = [float(row["x"]) for row in everything if row not in shown(page)]
    assert [len(chosen), len(left_out)] == [6, 3]  # one device sends nothing, and is by far the fastest
    assert min(chosen) > max(left_out)


def test_it_fits_a_telephone_and_paper(browser: Any, folder: Path) -> None:
    page = opened(browser, folder / "tiny.html", width=360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 700, "height": 900})  # of A4, within its margins
    assert not page.is_visible("nav")
    assert page.evaluate("[...document.querySelectorAll('.drawn svg')].every(one => one.clientWidth <= 700)")
    assert page.evaluate("getComputedStyle(document.querySelector('.wide')).overflowX") == "visible"
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.close()


def test_results_have_their_figures_and_numbers(browser: Any, folder: Path) -> None:
    run = json.loads((folder / "run.json").read_text())
    page = opened(browser, folder / "run.html")
    assert page.inner_text("h1") == HOSTILE
    assert ["latency", seconds_text(run["latency_s"])] in cells(page, "The run")
    page.goto((folder / "compare.html").as_uri())
    page.wait_for_function(DRAWN, timeout=60_000)
    fastest = cells(page, "Strategies on the same hardware")[0]
    compared = json.loads((folder / "compare.json").read_text())
    best = min(
        one["latency_s"] for one in (compared["alone"], *compared["candidates"]) if one.get("latency_s") and one["fits"]
    )
    assert fastest[2] == seconds_text(best)
    page.goto((folder / "sweep.html").as_uri())
    page.wait_for_function(DRAWN, timeout=60_000)
    assert len(shown(page)) == 9
    assert page.failed == []
    page.close()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["tiny.yaml", "-o", "tiny.png"], ["'tiny.png' ends in '.png'", ".html"]),
        (["run.json", "--set", "seed=1"], ["--set changes a scenario, but", "holds results"]),
        (["run.json", "--no-numerics"], ["--no-numerics changes a scenario"]),
        (["nothing.json"], ["nothing.json", "No such file"]),
        (["tiny.txt"], ["results end in .csv, .parquet or .json"]),
        (["explain.json"], ["is no result that can be drawn"]),
        (["damaged.json"], ["is damaged: KeyError"]),
        (["tiny.yaml", "--set", "strategy.segment=1"], ["did you mean 'strategy.segments'"]),
    ],
)
def test_what_makes_no_report_is_told_in_one_line(
    folder: Path, arguments: list[str], words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    monkeypatch.chdir(folder)
    Path("explain.json").write_text('{"schema": "prism-sim/explain/1"}')
    Path("damaged.json").write_text('{"schema": "prism-sim/run/1"}')
    Path("tiny.txt").write_text("")
    assert main(["report", *arguments]) == 2
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert all(word in said for word in words), said
    assert not Path("tiny-report.html").exists()


def test_what_is_not_installed_is_named_by_its_extra(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "altair" else found(name))
    assert main(["report", str(folder / "tiny.yaml")]) == 2
    assert "needs altair, which is not installed: pip install 'prism-sim[report]'" in capsys.readouterr().err
