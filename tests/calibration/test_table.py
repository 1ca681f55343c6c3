"""Tables of measured rows: what is read, and what is refused, with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from prism_sim.calibration.table import ORIN_NANO, read_table
from prism_sim.cli import main
from prism_sim.scenario import ScenarioError

ROOT = Path(__file__).parents[2]
SCENARIO = ROOT / "scenarios" / "vit-base-orin-nano.yaml"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text(text)
    return path


def test_times_are_milliseconds_or_carry_their_unit(tmp_path):
    table = read_table(written(tmp_path, "strategy,batch,compute,total\nprism,1,12.5,0.02 s\n"))
    assert table.rows[0].times_s == {"compute": 0.0125, "total": 0.02}


def test_what_is_empty_is_not_measured_and_comments_are_skipped(tmp_path):
    table = read_table(written(tmp_path, "# from somewhere\nstrategy,batch,ranks,total\n\nsingle, 4, , 80\n"))
    (row,) = table.rows
    assert (row.line, row.ranks, row.segments, row.bits_per_s) == (4, None, None, None)


def test_a_total_of_parts_that_are_all_there_is_no_number_of_its_own():
    assert read_table(ORIN_NANO).n_numbers == 2 + 2 * 3 + 2 * 3


def test_the_six_rows_name_their_source_and_licence():
    text = ORIN_NANO.read_text()
    assert "arXiv 2605.25682" in text
    assert "CC BY 4.0" in text


# (table, line, words of the message)
WRONG = [
    ("", 1, ["holds no rows"]),
    ("strategy,total\nprism,5\n", 1, ["column batch is missing"]),
    ("strategy,batch\nprism,5\n", 1, ["no column of times"]),
    ("strategy,batch,totle\nprism,5,5\n", 1, ["'totle'", "did you mean 'total'"]),
    ("strategy,batch,total,total\nprism,5,5,5\n", 1, ["twice"]),
    ("strategy,batch,total\n", 1, ["holds no rows under its columns"]),
    ("strategy,batch,total\nprims,1,5\n", 2, ["'prims' is unknown", "did you mean 'prism'"]),
    ("strategy,batch,total\n# here\nprism,1\n", 3, ["2 values for 3 columns"]),
    ("strategy,batch,total\nprism,,5\n", 2, ["batch: is empty"]),
    ("strategy,batch,total\nprism,1.5,5\n", 2, ["batch: '1.5' is not a whole number"]),
    ("strategy,batch,total\nprism,1,\n", 2, ["holds no time"]),
    ("strategy,batch,total\nprism,1,5 parsec\n", 2, ["total: '5 parsec'", "unit"]),
    ("strategy,batch,total\nprism,1,-5\n", 2, ["total: '-5' is a bare number"]),
    ("strategy,batch,bandwidth,total\nprism,1,400,5\n", 2, ["bandwidth: '400' is a bare number"]),
    ("strategy,batch,compute,staging,communication,total\nprism,1,1,1,1,9\n", 2, ["add up to 3 ms"]),
]


@pytest.mark.parametrize(("text", "line", "words"), WRONG)
def test_a_wrong_table_is_one_message_with_file_and_line(tmp_path, text, line, words):
    path = written(tmp_path, text)
    with pytest.raises(ScenarioError) as caught:
        read_table(path)
    message = str(caught.value)
    assert message.startswith(f"{path}:{line}: ")
    assert "\n" not in message
    for word in words:
        assert word in message


# (table, options, words) of what only shows once the table meets the scenario
UNFIT = [
    ("strategy,batch,total\nsingle,1,80\nprism,1,170\n", [], ":3: ", ["2 measured numbers are too few", "--free"]),
    (
        "strategy,batch,total\nsingle,1,80\n",
        ["--free", "network.latency"],
        ":2: ",
        ["says anything of network.latency"],
    ),
    ("strategy,batch,total\nsingle,1,80\n", ["--free", "compte"], "--free compte: ", ["did you mean 'compute'"]),
    ("strategy,ranks,batch,total\nprism,3,1,80\n", [], ":2: ", ["ranks: 3", "room for 2"]),
    ("strategy,ranks,batch,total\nsingle,2,1,80\n", [], ":2: ", ["ranks: 2", "room for 1"]),
    ("strategy,segments,batch,total\nprism,10,2000000,80\n", [], ":2: ", ["workload.batch"]),
]


@pytest.mark.parametrize(("text", "options", "place", "words"), UNFIT)
def test_rows_that_cannot_be_fitted_are_one_message_and_status_2(tmp_path, capsys, text, options, place, words):
    path = written(tmp_path, text)
    assert main(["fit", str(path), "--scenario", str(SCENARIO), *options]) == 2
    message = capsys.readouterr().err
    assert place in message
    assert "Traceback" not in message
    for word in words:
        assert word in message


def test_devices_that_differ_are_refused(tmp_path, capsys):
    path = written(tmp_path, "strategy,batch,total\nsingle,1,80\n")
    mixed = ROOT / "scenarios" / "gpt2-pi5-and-orin.yaml"
    assert main(["fit", str(path), "--scenario", str(mixed)]) == 2
    assert "kinds of device" in capsys.readouterr().err
