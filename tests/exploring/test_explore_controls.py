"""What a page offers of a scenario, and what it writes: without a browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from prism_sim.choice.run import run
from prism_sim.exploring.answers import KeptAnswers
from prism_sim.exploring.controls import Control, Controls, overrides_of
from prism_sim.exploring.copied import as_command, as_scenario
from prism_sim.exploring.lost_text import lost_text
from prism_sim.scenario import Scenario, load_scenario

SCENARIOS = Path(__file__).parents[2] / "scenarios"
# images and text, new tokens, unlike devices with shares of their own, links, a task, dimensions
READY = (
    "vit-base-orin-nano",
    "generate-llama-four-pi5",
    "gpt2-pi5-and-orin",
    "two-sites-over-lte",
    "accuracy-digits",
    "vit-mcu-esp32",
)
Load = Callable[..., Scenario]


def named(scenario: Scenario) -> dict[str, Control]:
    return {control.name: control for control in Controls.of(scenario).controls}


def next_to_start(control: Control) -> tuple[str, ...]:
    return control.stops[control.start - 1 if control.start else 1].overrides


def ready(name: str) -> Scenario:
    return load_scenario(SCENARIOS / f"{name}.yaml")


@pytest.mark.parametrize("name", READY)
def test_each_stop_is_a_scenario_and_a_copy_means_the_same(name: str, tmp_path: Path) -> None:
    scenario = ready(name)
    controls = Controls.of(scenario).controls
    assert {"strategy", "devices", "batch"} <= {control.name for control in controls}
    for control in controls:
        assert control.stops[control.start].overrides == ()
        for stop in (control.stops[0], control.stops[-1]):
            changed = scenario.with_overrides(stop.overrides)
            assert (changed.written.source.tree != scenario.written.source.tree) == bool(stop.overrides)
    moved = scenario.with_overrides([one for control in controls for one in next_to_start(control)])
    assert moved.hash != scenario.hash
    copied = tmp_path / "copied.yaml"
    copied.write_text(as_scenario(moved), encoding="utf-8")
    assert load_scenario(copied).hash == moved.hash


def test_what_a_scenario_has_no_use_for_is_no_control(load: Load) -> None:
    assert "new_tokens" not in named(load())
    assert "tokens" not in named(ready("vit-base-orin-nano"))
    assert {"up", "down"} <= named(load(["network.up=1 Mbit/s", "network.down=2 Mbit/s"])).keys()
    assert "bandwidth" not in named(ready("two-sites-over-lte"))
    assert "compression" not in named(load(["strategy.segments=[1, 2, 3]"]))


def test_a_strategy_that_cannot_be_played_is_named_with_its_reason(load: Load) -> None:
    controls = Controls.of(load(["devices[0].count=4", "workload.tokens=12"]))  # three blocks
    assert set(controls.left_out) == {"galaxy", "pipeline", "tensor_parallel"}  # and two heads
    assert "4 ranks" in controls.left_out["pipeline"]
    shown = [stop.shown for stop in controls.controls[0].stops]
    assert shown[controls.controls[0].start] == "prism (lossy)"
    assert "voltage (exact)" in shown
    assert not any("pipeline" in str(one) for one in shown)


def test_more_devices_are_more_of_the_last_kind(load: Load) -> None:
    devices = named(load())["devices"]
    assert [stop.shown for stop in devices.stops] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert devices.overrides(1) == ("ranks=[0]",)
    assert devices.overrides(2) == ()
    assert devices.overrides(3) == ("devices[0].count=3", "ranks=[0, 1, 2]")


def test_devices_that_are_named_are_not_made_more(load: Load) -> None:
    one = load(["devices[0].count=1", "terminal=board"])
    assert "devices" not in named(one)  # `board` would be `board-0`


def test_an_automatic_strategy_stays_one(load: Load) -> None:
    strategy = named(load(["strategy.name=auto"]))["strategy"]
    assert strategy.stops[strategy.start].shown == "auto (fastest exact)"
    shown = KeptAnswers(load(["strategy.name=auto"])).ask(())
    assert shown.problem is None
    assert shown.result is not None
    assert shown.result.simulation.job.strategy != "auto"


def test_lines_are_overrides_as_a_command_line_has_them() -> None:
    assert overrides_of(" network.latency=2 ms\n\n--set  workload.batch=3 \n") == (
        "network.latency=2 ms",
        "workload.batch=3",
    )


def test_after_a_wrong_value_the_last_answer_stays(load: Load) -> None:
    answers = KeptAnswers(load())
    good = answers.ask(["network.latency=2 ms"])
    wrong = answers.ask(["network.latency=2"])
    assert wrong.result is good.result
    assert wrong.overrides == ("network.latency=2 ms",)
    assert wrong.problem is not None
    assert wrong.problem.startswith("--set network.latency=2: network.latency: 2 is a bare number")
    assert answers.ask(["network.latency=2 ms"]).problem is None


def test_an_answer_is_computed_once(load: Load) -> None:
    answers = KeptAnswers(load())
    assert answers.ask(["workload.batch=2"]).result is answers.ask(["workload.batch=2"]).result
    assert answers.ask(["workload.batch=3"]).result is not answers.ask(["workload.batch=2"]).result


@pytest.mark.parametrize(
    "typed",
    ["workload.input={file}", "workload={{input: {file}}}", "presets=[{file}]", "model.hf={file}", "task.data={file}"],
)
def test_a_page_opens_no_file(load: Load, tmp_path: Path, typed: str) -> None:
    secret = tmp_path / "secret.yaml"
    secret.write_text("secret: words")
    shown = KeptAnswers(load()).ask([typed.format(file=secret)])
    assert shown.problem is not None
    assert "which a page does not open" in shown.problem
    assert "words" not in shown.problem


def test_a_copy_finds_the_files_of_the_scenario(load: Load, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        "devices:\n  mine: {summary: a board of mine, compute: {value: 1 GFLOP/s, source: assumption}, "
        "memory_bandwidth: {value: 1 GB/s, source: assumption}}\n"
    )
    scenario = load({"presets": ["mine.yaml"], "devices": [{"preset": "mine", "count": 2}], "name": "1e5"})
    (tmp_path / "elsewhere").mkdir()
    copied = tmp_path / "elsewhere" / "copied.yaml"
    copied.write_text(as_scenario(scenario))
    assert load_scenario(copied).hash == scenario.hash
    assert load_scenario(copied).name == "1e5"


def test_the_command_is_quoted_for_a_shell() -> None:
    command = as_command(Path("my file.yaml"), ["devices[0].compute=5 GFLOP/s"])
    assert command == "prism-sim run 'my file.yaml' --set 'devices[0].compute=5 GFLOP/s' --no-numerics"


@pytest.mark.slow
def test_what_is_lost_is_what_run_says(load: Load) -> None:
    result = run(load(), numerics=True)
    assert result.fidelity is not None
    shown = lost_text(run(load(), numerics=False))
    assert f"{result.fidelity.cosine:.6f}" in shown
    assert "Random weights: not an accuracy estimate." in shown
