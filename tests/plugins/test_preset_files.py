"""Presets of one's own: files of data that a scenario names, checked where they are written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from prism_sim.cli import main
from prism_sim.scenario import ScenarioError, load_scenario, preset_files, sweep_axes
from prism_sim.syntax import presets

SCENARIO = """\
model: {preset: my-model}
presets: [boards.yaml]
devices: [{preset: my-board, count: 2}]
network: {preset: my-cable}
strategy: {name: prism, segments: 2}
"""


@pytest.fixture
def boards(scenario_file: Path) -> Path:
    scenario_file.write_text(SCENARIO)
    return scenario_file.with_name("boards.yaml")


def test_its_numbers_are_the_scenarios(boards: Path, scenario_file: Path) -> None:
    scenario = load_scenario(scenario_file)
    assert [device.name for device in scenario.devices] == ["my-board-0", "my-board-1"]
    assert scenario.devices[1].flops_per_s == 1e9
    assert scenario.network.up_bits_per_s == scenario.network.down_bits_per_s == 1e8
    assert scenario.model.config is not None
    assert scenario.model.config["hidden_size"] == 16
    assert scenario.model.hub_id == "someone/my-model"


def test_the_scenarios_hash_goes_by_numbers_not_by_names(boards: Path, scenario_file: Path) -> None:
    before = load_scenario(scenario_file).hash
    boards.write_text(boards.read_text().replace("my-board", "mine"))
    scenario_file.write_text(SCENARIO.replace("preset: my-board", "name: my-board, preset: mine"))
    assert load_scenario(scenario_file).hash == before
    boards.write_text(boards.read_text().replace("1 GFLOP/s", "2 GFLOP/s"))
    assert load_scenario(scenario_file).hash != before


def test_a_loaded_scenario_keeps_the_numbers_that_it_was_loaded_with(boards: Path, scenario_file: Path) -> None:
    scenario = load_scenario(scenario_file)
    boards.unlink()
    assert scenario.with_overrides({"devices[0].count": 3}).devices[2].flops_per_s == 1e9


def test_overrides_can_name_another_file(boards: Path, scenario_file: Path) -> None:
    other = boards.with_name("other.yaml")
    other.write_text(boards.read_text().replace("1 GFLOP/s", "3 GFLOP/s"))
    assert load_scenario(scenario_file, ["presets=[other.yaml]"]).devices[0].flops_per_s == 3e9


WRONG = [
    ("1 GFLOP/s", "1 GFLOPS", "boards.yaml:4:22: devices.my-board.compute.value: '1 GFLOPS'"),
    ("{value: 1 GFLOP/s, source: assumption}", "1 GFLOP/s", "devices.my-board.compute: '1 GFLOP/s' has no source"),
    (", source: assumption}\n    mem", "}\n    mem", "devices.my-board.compute.source: is missing"),
    (
        "compute:",
        "computer:",
        "boards.yaml:4:5: devices.my-board.computer: 'computer' is not a field of such a preset; did",
    ),
    (
        "    memory_bandwidth: {value: 2 GB/s",
        "    memory: {value: 2 GB",
        "devices.my-board.memory_bandwidth: is missing",
    ),
    ("    summary: one core on a desk\n", "", "devices.my-board.summary: is missing"),
    ("my-board:", "raspberry-pi-5:", "boards.yaml:2:3: devices.raspberry-pi-5: 'raspberry-pi-5' is a preset already"),
    ("my-board:", "a+b:", "'a+b' is no name"),
    (
        "devices:",
        "device:",
        "boards.yaml:1:1: device: 'device' is no section of a presets file; did you mean 'devices'",
    ),
    ("    bandwidth:", "    up:", "networks.my-cable.down: is missing"),
    ("    bandwidth:", "    medium: links\n    bandwidth:", "links are a scenario's own"),
    ("    bandwidth:", "    direct: true\n    bandwidth:", "is used by medium shared, but the medium is switch"),
    ("hidden_size: 16", "hidden_size: 15", "models.my-model.config: width 15 is not a multiple of the 2"),
    ("model_type: bert", "model_type: bertt", "model family 'bertt' is unknown; did you mean 'bert'"),
    ("head: none", "head: nonne", "models.my-model.head: head 'nonne' is unknown; did you mean 'none'"),
    ("    hub: someone/my-model\n", "", "models.my-model.hub: is missing"),
]


@pytest.mark.parametrize(("right", "wrong", "expected"), WRONG, ids=[expected for _, _, expected in WRONG])
def test_what_is_wrong_is_said_at_its_place_in_the_file(
    right: str, wrong: str, expected: str, boards: Path, scenario_file: Path
) -> None:
    text = boards.read_text().replace('"assumption"', "assumption")
    assert right in text
    boards.write_text(text.replace(right, wrong, 1))
    with pytest.raises(ScenarioError) as raised:
        load_scenario(scenario_file)
    assert expected in str(raised.value)
    assert str(boards) in str(raised.value)


def test_a_file_that_is_not_there_is_said_where_it_is_named(boards: Path, scenario_file: Path) -> None:
    boards.unlink()
    with pytest.raises(ScenarioError, match=r"outside\.yaml:2:11: presets\[0\]: 'boards\.yaml' is no file"):
        load_scenario(scenario_file)


def test_a_misspelt_board_is_told_the_nearest(boards: Path, scenario_file: Path) -> None:
    with pytest.raises(ScenarioError, match="'my-bord' is not a preset; did you mean 'my-board'"):
        load_scenario(scenario_file, ["devices[0].preset=my-bord"])


def test_a_sweep_over_boards_knows_them(boards: Path, scenario_file: Path) -> None:
    sweep = "sweep: {'devices[0].preset': [my-board, raspberry-pi-5]}\n"
    scenario_file.write_text(SCENARIO + sweep)
    assert len(sweep_axes(load_scenario(scenario_file))) == 1
    scenario_file.write_text(SCENARIO + sweep.replace("[my-board", "[my-bord"))
    with pytest.raises(ScenarioError, match="did you mean 'my-board'"):
        load_scenario(scenario_file)


@pytest.mark.parametrize(("what", "name"), [("devices", "my-board"), ("networks", "my-cable"), ("models", "my-model")])
def test_lists_and_the_schema_show_them(what: str, name: str, boards: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", what, "--presets", str(boards)]) == 0
    assert name in capsys.readouterr().out.split()
    assert main(["schema", "--presets", str(boards)]) == 0
    assert name in json.dumps(json.loads(capsys.readouterr().out)["$defs"])


@pytest.mark.parametrize("kind", ["devices", "networks"])
def test_the_ready_presets_are_right_by_the_same_rules(kind: str, tmp_path: Path) -> None:
    """As files of one's own, under other names."""
    text = Path(presets.__file__).with_name("presets").joinpath(f"{kind}.yaml").read_text(encoding="utf-8")
    lines = [f"  {line}" if line and not line.startswith("#") else line for line in text.splitlines()]
    for name in presets.names(kind):
        lines = [line.replace(f"  {name}:", f"  my-{name}:", 1) if line == f"  {name}:" else line for line in lines]
    path = tmp_path / "mine.yaml"
    path.write_text("\n".join([f"{kind}:", *lines]) + "\n")
    book = preset_files.read_files([path])
    own, ready = (list(found) for found in (getattr(book, kind).values(), getattr(presets, kind)()))
    assert [made.fields for made in own] == [made.fields for made in ready]
    assert [made.by_runtime for made in own] == [made.by_runtime for made in ready]
