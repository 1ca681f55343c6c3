"""Laws of rows, summaries, the ranking of strategies, and of the page that tables are written into."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console

from prism_sim.progress import SILENT
from prism_sim.reports.validate import cells, check_places, error_text, filled, headings, show_validation
from prism_sim.validation.base import (
    Finding,
    JudgedRow,
    Judgement,
    PartOutcome,
    Report,
    ValidationPart,
    ValidationSettings,
    rank_agreement,
    summary,
)
from prism_sim.validation.run import chosen, table, to_json, validate

PAGE = (
    "before\n<!-- validate: some -->\nold\n<!-- end -->\nbetween\n<!-- validate: other -->\nkept\n<!-- end -->\nafter\n"
)


def row(case: str, predicted_s: float, measured_s: float, strategy: str = "", **more: object) -> JudgedRow:
    tags = {"batch": "1", **({"strategy": strategy} if strategy else {})}
    return JudgedRow(case, predicted_s, measured_s, **{"tags": tags, **more})  # type: ignore[arg-type]


def part_of(outcome: PartOutcome, name: str = "some") -> ValidationPart:
    return ValidationPart(name, "is it so?", "formula", lambda settings, progress: outcome)


def report(*outcomes: PartOutcome, names: Sequence[str] = ("some", "other")) -> Report:
    parts = [part_of(outcome, name) for outcome, name in zip(outcomes, names, strict=False)]
    return validate(parts, ValidationSettings(), SILENT)


def test_an_error_is_relative_to_what_was_measured():
    assert row("a", 1.5, 1.0).error == 0.5
    assert row("a", 1.0, 2.0).error == -0.5


def test_a_summary_is_of_the_rows_that_are_judged():
    rows = [row("a", 1.1, 1.0), row("b", 0.7, 1.0), row("c", 9.0, 1.0, not_judged="fitted"), row("d", 1.2, 1.0)]
    found = summary(rows)
    assert found is not None
    assert found.n_rows == 3
    assert found.median_abs_error == pytest.approx(0.2)
    assert (found.worst, found.n_far) == ("b", 1)
    assert found.worst_error == pytest.approx(-0.3)
    assert summary(rows[2:3]) is None


def test_pairs_are_ranked_within_a_group_if_their_measured_times_differ_enough():
    rows = [
        row("slow", 3.0, 2.0, "voltage"),
        row("fast", 2.5, 1.0, "prism"),
        row("as fast", 0.1, 1.1, "pipeline"),  # equal to prism, and wrongly before it; that is no pair
        JudgedRow("elsewhere", 9.0, 1.0, tags={"batch": "8", "strategy": "prism"}),
        row("nobody's", 9.0, 1.0),
    ]
    assert rank_agreement(rows) == (2, 2)
    assert rank_agreement([row("slow", 1.0, 2.0, "voltage"), row("fast", 1.5, 1.0, "prism")]) == (0, 1)
    assert rank_agreement([row("slow", 1.0, 2.0, "voltage"), row("fast", 1.0, 1.0, "prism")]) == (0, 1)


def test_segments_and_ranks_tell_variants_of_one_strategy_apart():
    rows = [
        JudgedRow(f"L={segments}", seconds, seconds, tags={"strategy": "prism", "segments": segments, "link": "slow"})
        for segments, seconds in (("1", 1.0), ("10", 2.0))
    ]
    assert rank_agreement(rows) == (1, 1)


@pytest.mark.parametrize(("predicted_s", "measured_s"), [(-1.0, 1.0), (float("nan"), 1.0), (1.0, 0.0), (1.0, -2.0)])
def test_a_time_that_is_none_is_refused(predicted_s: float, measured_s: float):
    with pytest.raises(ValueError, match=r"of 'a' must be finite and >"):
        row("a", predicted_s, measured_s)


def test_two_rows_of_a_part_do_not_share_a_name():
    with pytest.raises(ValueError, match="twice: a"):
        PartOutcome((row("a", 1.0, 1.0), row("a", 2.0, 1.0)))


def test_settings_have_bounds():
    for wrong in ({"budget_s": 0.0}, {"repeats": 0}):
        with pytest.raises(ValueError, match="must be >"):
            ValidationSettings(**wrong)


def test_one_broken_law_breaks_the_report():
    good, bad = Judgement("is so", True), Judgement("is so too", False)
    assert report(PartOutcome(judgements=(good,)), PartOutcome()).holds
    assert not report(PartOutcome(judgements=(good,)), PartOutcome(judgements=(good, bad))).holds


def test_json_and_table_have_every_row():
    found = report(
        PartOutcome((row("a", 1.0, 2.0, "prism"),)), PartOutcome((JudgedRow("b", 1.0, 1.0, (0.9, 1.1), {"link": "x"}),))
    )
    written = json.loads(json.dumps(to_json(found), allow_nan=False))
    assert [part["rows"][0]["case"] for part in written["parts"]] == ["a", "b"]
    first, second = table(found)
    assert first.keys() == second.keys()
    assert (first["strategy"], first["link"], first["error"]) == ("prism", None, -0.5)
    assert (second["part"], second["link"], second["spread_high_s"]) == ("other", "x", 1.1)


def test_a_page_gets_what_was_found_and_keeps_the_rest():
    found = report(PartOutcome((row("a", 1.0, 2.0),), (Judgement("is so", True),), ("Noted.",)))
    page = filled(PAGE, found)
    assert page.startswith("before\n<!-- validate: some -->\n| case | predicted | formula | error |\n| --- |")
    assert "| a | 1.00 s | 2.00 s | -50 % |\n" in page
    assert "- holds: is so\n\nNoted.\n<!-- end -->\nbetween\n" in page
    assert page.endswith("<!-- validate: other -->\nkept\n<!-- end -->\nafter\n")
    assert filled(page, found) == page


def test_a_skipped_part_leaves_the_page_as_it_is():
    assert filled(PAGE, report(PartOutcome(skipped="it rains"))) == PAGE


def test_a_part_that_is_not_judged_shows_what_was_seen_and_the_laws_that_are():
    console = Console(record=True, width=120, file=io.StringIO())
    seen = PartOutcome((row("a", 1.0, 2.0),), (Judgement("is so", True),), skipped="it rains")
    show_validation(report(seen), console)
    text = console.export_text()
    assert "skipped: it rains" in text
    assert ["a", "1.00", "s", "2.00", "s", "-50", "%"] in [line.split() for line in text.splitlines()]
    assert "holds: is so" in text
    assert "half of them" not in text  # nothing is summed up


def test_a_part_without_a_place_in_the_page_is_named():
    check_places(PAGE, [part_of(PartOutcome())])
    with pytest.raises(ValueError, match="no place for third: add the lines <!-- validate: third -->"):
        check_places(PAGE, [part_of(PartOutcome(), "third")])


def test_spread_and_reasons_have_columns_where_a_row_has_them():
    plain_row = row("a", 1e-3, 2e-3)
    noted = JudgedRow("b", 1e-3, 2e-3, (1.9e-3, 2.1e-3), not_judged="fitted")
    part = part_of(PartOutcome())
    assert headings(Finding(part, PartOutcome((plain_row,)), 0.0)) == ["case", "predicted", "formula", "error"]
    both = Finding(part, PartOutcome((plain_row, noted)), 0.0)
    assert headings(both)[4:] == ["spread", "not judged"]
    assert cells(both, plain_row) == ["a", "1.00 ms", "2.00 ms", "-50 %", "", ""]
    assert cells(both, noted)[4:] == ["1.90 ms to 2.10 ms", "fitted"]


@pytest.mark.parametrize(
    ("error", "text"),
    [(0.0, "0"), (2e-16, "2e-16"), (-3e-4, "-0.03 %"), (0.0123, "+1.2 %"), (0.0996, "+10 %"), (-0.5, "-50 %")],
)
def test_errors_are_shown_with_two_digits(error: float, text: str):
    assert error_text(error) == text


def test_an_unknown_part_is_named_with_the_nearest():
    with pytest.raises(ValueError, match="part 'nothing' is unknown"):
        chosen(["nothing"])


def test_a_page_that_is_not_there_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    from prism_sim.cli import main

    assert main(["validate", "--page", str(tmp_path / "none.md")]) == 2
    assert "none.md" in capsys.readouterr().err
