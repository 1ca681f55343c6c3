"""docs/trust.md has a place for every part, and what stands there is what the command prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from prism_sim.cli import main
from prism_sim.progress import SILENT
from prism_sim.reports.page import places
from prism_sim.reports.validate import PLACE, check_places, filled, headings
from prism_sim.validation.base import Finding, PartOutcome, ValidationSettings
from prism_sim.validation.parts import packets
from prism_sim.validation.run import catalogue, chosen, validate

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "trust.md").read_text(encoding="utf-8")
PLACES = {block["name"]: block["content"] for block in places(PLACE).finditer(PAGE)}


def cells(name: str) -> list[list[str]]:
    """The first table of a part in the page, its headings first."""
    table = PLACES[name].strip().split("\n\n")[0]
    lines = [line for line in table.splitlines() if line.startswith("|") and not line.startswith("| ---")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_part_has_a_place_and_every_place_is_closed():
    check_places(PAGE, list(catalogue().values()))
    assert len(PLACES) == PAGE.count("<!-- validate: ") == PAGE.count("<!-- end -->")


@pytest.mark.parametrize("name", catalogue())
def test_a_table_has_the_headings_of_its_part_and_laws_that_hold(name: str):
    first, *rows = cells(name)
    part = catalogue()[name]
    assert first[:4] == headings(Finding(part, PartOutcome(), 0.0))
    assert rows
    assert all(len(row) == len(first) for row in rows)
    assert "- holds: " in PLACES[name]
    assert "**broken**" not in PLACES[name]


def test_the_cases_with_exact_answers_are_those_that_the_command_prints_now():
    report = validate(chosen(["closed-forms"]), ValidationSettings(), SILENT)
    now = filled(PAGE, report)
    without_error = re.compile(r"[^|]*\|\n")  # rounding differs from machine to machine
    own = r"<!-- validate: closed-forms -->.*?\n\n"
    shown, printed = (
        without_error.sub("\n", re.search(own, page, re.DOTALL)[0])  # type: ignore[index]
        for page in (PAGE, now)
    )
    assert shown == printed


def test_the_packets_cases_are_those_of_the_part():
    names = [f"{sharing}: {case.name}" for case in packets.cases() for sharing in packets.HOSTS]
    assert [row[0] for row in cells("packets")[1:]] == names


def test_each_published_row_is_also_predicted_from_the_others():
    names = [row[0] for row in cells("published")[1:]]
    totals = [name for name in names if name.endswith(": total") and not name.startswith("without ")]
    assert len(totals) == 6
    assert [name for name in names if name.startswith("without ")] == [f"without {name}" for name in totals]


def test_the_command_writes_the_page_and_the_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    page = tmp_path / "page.md"
    page.write_text("# Mine\n<!-- validate: closed-forms -->\n<!-- end -->\n")
    arguments = ["validate", "--parts", "closed-forms", "--page", str(page), "--out", str(tmp_path / "out")]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "closed-forms: Does the simulator" in said
    assert "12 x (5 ms, all-gather of 4)" in said
    assert "| 12 x (5 ms, all-gather of 4) | 497.17 ms | 497.17 ms |" in page.read_text()
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["validate.csv", "validate.json"]


def test_a_page_without_a_place_is_refused_before_anything_is_measured(tmp_path: Path, capsys):
    page = tmp_path / "page.md"
    page.write_text("nothing\n")
    assert main(["validate", "--parts", "published", "--page", str(page)]) == 2
    assert "no place for published: add the lines" in capsys.readouterr().err
    assert page.read_text() == "nothing\n"


def test_an_unknown_part_is_one_message(capsys: pytest.CaptureFixture[str]):
    assert main(["validate", "--parts", "packet"]) == 2
    assert capsys.readouterr().err == "prism-sim: part 'packet' is unknown; did you mean 'packets'?\n"
