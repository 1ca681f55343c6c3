"""`prism-sim fit ROWS --board BOARD`: a board of one's own, from rows of one's own, to a preset that scenarios name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from prism_sim.boards.cases import work
from prism_sim.boards.own import read_board, read_rows
from prism_sim.cli import main
from prism_sim.scenario import ScenarioError, load_scenario

BOARD = """\
my-board:
  summary: a board of mine
  runtime: llama.cpp
  memory: {value: 8 GiB, source: mine}
  expected:
    memory_bandwidth: {value: 20 GB/s, source: "assumption"}
    float32: {value: 90 GFLOP/s, source: "assumption"}
    integers: {value: 150 GFLOP/s, source: "assumption"}
  runtimes:
    llama.cpp: {launch: 10 us}
"""
COLUMNS = "runtime,model,weight_dtype,phase,tokens,seconds"
ROWS = f"""\
# mine
{COLUMNS}
llama.cpp,tinyllama-1.1b,q4_0,decode,64,55 ms
llama.cpp,llama-3.2-1b,q4_0,prefill,128,1.9
llama.cpp,llama-2-7b,q4_0,decode,64,0.5
"""
SCENARIO = """\
model: {preset: llama-3.2-1b, weight_dtype: q4_0}
workload: {tokens: 64, new_tokens: 2}
devices: [{preset: my-board}]
network: {preset: gigabit-ethernet}
strategy: {name: single}
presets: [preset.yaml]
"""


def write(folder: Path, board: str = BOARD, rows: str = ROWS) -> tuple[Path, Path]:
    (folder / "board.yaml").write_text(board)
    (folder / "rows.csv").write_text(rows)
    return folder / "board.yaml", folder / "rows.csv"


def test_the_numbers_that_made_the_rows_come_back_as_a_preset(tmp_path, capsys):
    board_file, rows_file = write(tmp_path)
    rows = read_rows(rows_file, read_board(str(board_file)))
    true = {"flops_per_s": 60e9, "attention_efficiency": 0.3, "memory_bytes_per_s": 8e9, "op_overhead_s": 1e-5}
    made = [COLUMNS]
    for row in (*rows, *rows, *rows):  # each seen three times
        made.append(f"llama.cpp,{row.model},q4_0,{row.phase},{row.tokens},{work(row).seconds(true):.6g}")
    rows_file.write_text("\n".join(made))
    arguments = ["fit", str(rows_file), "--board", str(board_file), "--out", str(tmp_path / "preset.yaml")]
    assert main([*arguments, "--json", str(tmp_path / "fit.json")]) == 0
    assert "not seen" in capsys.readouterr().out
    (tmp_path / "scenario.yaml").write_text(SCENARIO)
    device = load_scenario(tmp_path / "scenario.yaml").devices[0]
    assert device.memory_bytes_per_s == pytest.approx(8e9, rel=0.1)
    assert device.q4_0_flops_per_s == pytest.approx(60e9, rel=0.1)
    assert (device.runtime, device.memory_bytes) == ("llama.cpp", 8 * 2**30)
    found = json.loads((tmp_path / "fit.json").read_text())
    assert [row["unseen_s"] is None for row in found["rows"]] == [False] * 9


def test_a_ready_boards_name_is_not_taken_twice(tmp_path):
    _, rows_file = write(tmp_path)
    arguments = ["fit", str(rows_file), "--board", "raspberry-pi-5", "--out", str(tmp_path / "preset.yaml")]
    assert main([*arguments, "--json", str(tmp_path / "fit.json")]) == 0
    (tmp_path / "scenario.yaml").write_text(SCENARIO.replace("my-board", "my-raspberry-pi-5, runtime: llama.cpp"))
    assert load_scenario(tmp_path / "scenario.yaml").devices[0].preset == "my-raspberry-pi-5"


@pytest.mark.parametrize(
    ("wrong", "right", "expected"),
    [
        ("tinyllama-1.1b", "tinylama", "rows.csv:3: model: 'tinylama' is unknown; did you mean 'tinyllama-1.1b'?"),
        ("llama.cpp,tiny", "llamacpp,tiny", "rows.csv:3: runtime: 'llamacpp' is unknown; did you mean 'llama.cpp'?"),
        ("decode", "decoding", "rows.csv:3: phase: 'decoding' is unknown; did you mean 'decode'?"),
        ("64,55 ms", "64,55 mm", "rows.csv:3: seconds: '55 mm' has the unit 'mm'"),
        ("64,55 ms", "0,55 ms", "rows.csv:3: tokens: '0' is not a whole number >= 1"),
        ("64,55 ms", "64,", "rows.csv:3: seconds: is empty"),
        ("64,55 ms", "64", "rows.csv:3: has 5 values for 6 columns"),
        (",seconds", ",second", "rows.csv:2: 'second' is not a column of a board's rows; did you mean 'seconds'?"),
        (",tokens", "", "rows.csv:2: the column tokens is missing"),
        ("tinyllama-1.1b,q4_0", "tinyllama-1.1b,int8", "my-board has no rate that is expected with int8"),
        ("launch", "lanch", "board.yaml:10:17: my-board.runtimes.llama.cpp.lanch: 'lanch' is no number of a runtime"),
        ("launch: 10 us", "launch: 10", "my-board.runtimes.llama.cpp.launch: 10 is a bare number"),
        ("{launch: 10 us}", "{message_overhead: {value: 1 us, source: x}}", "lacks launch (or fed"),
        (
            "launch: 10 us",
            "launch: 10 us, compute: {value: 3 GFLOP/s, source: x}",
            "'compute' is no number of a runtime",
        ),
        ("launch: 10 us", "launch: 0 us", "runtimes.llama.cpp.launch: '0 us' must be above 0"),
        (
            "launch: 10 us",
            "launch: 10 us, message_overhead: {value: banana, source: x}",
            "message_overhead.value: 'banana'",
        ),
        ("memory: {value: 8 GiB, source: mine}", "memory: 8 GiB", "my-board.memory: '8 GiB' has no source"),
        ("runtime: llama.cpp", "runtime: [1]", "my-board.runtime: [1] is not text"),
        ("memory_bandwidth: {value", "memory_bandwidth: {range: [1, 2], value", "'range' is neither value nor source"),
        ("64,55 ms", "64,0 s", "rows.csv:3: seconds: '0 s' must be above 0"),
        ("64,55 ms", "64,nan", "rows.csv:3: seconds: 'nan' must be above 0"),
        ("64,55 ms", '64,"55 ms', "rows.csv:3: is no line of a CSV file"),
        (
            "tinyllama-1.1b,q4_0,decode",
            "bert-base-uncased,q4_0,decode",
            "bert-base-uncased is an encoder, which has no decode",
        ),
        ("tinyllama-1.1b,q4_0,decode,64", "tinyllama-1.1b,q4_0,decode,9999", "rows.csv:3: workload"),
        ("tinyllama-1.1b,q4_0,decode,64", "deit-small,q4_0,forward,64", "tokens: 64, but deit-small has 198"),
        ("float32: {value: 90 GFLOP/s", "float32: {value: 90 GFLOPS", "my-board.expected.float32.value: '90 GFLOPS'"),
        (
            'float32: {value: 90 GFLOP/s, source: "assumption"}',
            "float16: {value: 1 GFLOP/s, source: a}",
            "expected.float32",
        ),
        ("runtime: llama.cpp", "runtime: llama", "'llama' is not among its runtimes"),
        ("  summary: a board of mine\n", "", "my-board.summary: is missing"),
        ("expected:", "expect:", "'expect' is no fact of a board; did you mean 'expected'?"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path, wrong, right, expected):
    in_rows = wrong in ROWS and wrong not in BOARD
    assert wrong in (ROWS if in_rows else BOARD)
    board_file, rows_file = write(
        tmp_path,
        BOARD if in_rows else BOARD.replace(wrong, right, 1),
        ROWS.replace(wrong, right, 1) if in_rows else ROWS,
    )
    with pytest.raises(ScenarioError) as raised:
        read_rows(rows_file, read_board(str(board_file)))
    assert expected in str(raised.value)


def test_options_of_the_other_kind_of_fit_are_refused(tmp_path, capsys):
    board_file, rows_file = write(tmp_path)
    assert main(["fit", str(rows_file), "--board", str(board_file), "--free", "compute"]) == 2
    assert "--free is for a fit with --scenario" in capsys.readouterr().err
    assert main(["fit", str(rows_file), "--board", "raspbery-pi-5"]) == 2
    assert "did you mean 'raspberry-pi-5'?" in capsys.readouterr().err


def test_rows_may_be_written_by_a_spreadsheet(tmp_path):
    board_file, rows_file = write(tmp_path)
    rows_file.write_bytes(b"\xef\xbb\xbf" + ROWS.replace("# mine\n", "").replace("55 ms", "5.5e-2").encode("utf-8"))
    assert read_rows(rows_file, read_board(str(board_file)))[0].seconds == 0.055
    rows_file.write_bytes(ROWS.replace("# mine", "# caf\u00e9").encode("latin-1"))
    with pytest.raises(ScenarioError, match="is not UTF-8 text"):
        read_rows(rows_file, read_board(str(board_file)))


def test_rows_of_another_board_are_not_taken_for_this_ones(tmp_path):
    board_file, rows_file = write(
        tmp_path, rows=ROWS.replace("runtime,", "device,runtime,").replace("llama.cpp,", "pi,llama.cpp,")
    )
    with pytest.raises(ScenarioError, match="device: 'pi' is not my-board"):
        read_rows(rows_file, read_board(str(board_file)))
