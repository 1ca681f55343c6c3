"""The command line as a user meets it: what it prints, what it writes, and what it leaves alone."""

from __future__ import annotations

import errno
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import shtab

from prism_sim import commands, figures, strategies, tasks
from prism_sim.cli import SHELLS
from prism_sim.commands.base import Purpose
from prism_sim.compressors import catalogue as compressors
from prism_sim.plan import Plan
from prism_sim.scenario import load_scenario
from prism_sim.simulation.simulate import simulate
from prism_sim.syntax import presets

READY = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))
PARTS = {"compute", "staging", "overhead", "transfer", "propagation", "queue"}
KINDS = {
    "models": lambda: [preset.name for preset in presets.models()],
    "devices": lambda: [preset.name for preset in presets.devices()],
    "networks": lambda: [preset.name for preset in presets.networks()],
    "strategies": lambda: list(strategies.catalogue()),
    "compressors": lambda: list(compressors()),
    "tasks": lambda: list(tasks.catalogue()),
    "plots": lambda: list(figures.catalogue()),
}


def described(said) -> dict:
    assert said.status == 0, said.err
    return json.loads(said.out)


def is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def assert_contract(found: dict) -> None:
    """Every field of the contract of --json is there and of its kind; what may be null may."""
    assert found["schema"] == "prism-sim/run/1"
    assert isinstance(found["strategy"], str)
    for name in ("latency_s", "gflops_per_device"):
        assert is_number(found[name]), name
        assert found[name] > 0, name
    for name in ("compression_rate", "throughput_per_s", "communication_reduction"):
        assert found[name] is None or is_number(found[name]), name
    assert found["segments"] is None or isinstance(found["segments"], int)
    for rank in found["ranks"]:
        assert isinstance(rank["device"], str)
        for name in ("flops", "sent_bytes", "received_bytes", "weight_bytes", "peak_memory_bytes"):
            assert isinstance(rank[name], int), name
            assert rank[name] >= 0, name
        assert rank["peak_memory_bytes"] >= rank["weight_bytes"]
        assert 0 <= rank["busy_s"] <= found["latency_s"] * (1 + 1e-9)
        assert 0 <= rank["wait_s"] <= found["latency_s"] * (1 + 1e-9)
        assert rank["energy_j"] is None or rank["energy_j"] >= 0
    terminal = found["terminal"]
    assert isinstance(terminal["device"], str)
    assert all(isinstance(terminal[name], int) for name in ("embedding_flops", "head_flops", "sent_bytes"))
    assert is_number(terminal["busy_s"])
    versus = found["versus_single"]
    assert all(is_number(versus[name]) for name in ("latency_s", "flops_reduction"))
    if versus["fits"]:
        assert versus["fastest_single_latency_s"] <= versus["latency_s"] * (1 + 1e-12)
        assert versus["speedup"] == pytest.approx(versus["latency_s"] / found["latency_s"], rel=1e-12)
    else:  # no alternative
        assert versus["speedup"] is None
    assert set(found["breakdown_s"]) == PARTS
    assert all(seconds >= 0 for seconds in found["breakdown_s"].values())
    assert math.fsum(found["breakdown_s"].values()) == pytest.approx(found["latency_s"], rel=1e-9)
    if found["fidelity"] is not None:
        assert is_number(found["fidelity"]["max_abs_error"])
        assert is_number(found["fidelity"]["cosine"])
        assert all(found["fidelity"][name] is None or is_number(found["fidelity"][name]) for name in ("kl",))
    provenance = found["provenance"]
    assert provenance["versions"]["prism-sim"]
    assert isinstance(provenance["seed"], int)
    assert len(provenance["scenario_hash"]) == 64


@pytest.mark.parametrize("scenario", READY, ids=lambda path: path.stem)
def test_every_ready_scenario_runs_and_keeps_the_contract(prism_sim, scenario):
    found = described(prism_sim("run", scenario, "--no-numerics", "--json", "-"))
    assert_contract(found)
    assert found["fidelity"] is None
    assert found["unused_fields"] == []


@pytest.mark.parametrize("strategy", strategies.catalogue())
def test_every_strategy_keeps_the_contract(prism_sim, tiny, strategy):
    found = described(prism_sim("run", tiny, "--no-numerics", "--json", "-", "--set", f"strategy.name={strategy}"))
    assert_contract(found)
    assert found["strategy"] == strategy
    assert found["unused_fields"] == ([] if strategy == "prism" else ["strategy.segments"])


def test_a_run_shows_its_tables_and_ends_with_the_verdict(prism_sim, tiny):
    said = prism_sim("run", tiny, "--no-numerics")
    assert said.status == 0
    for title in ("How fast", "Where the latency goes", "Who does what"):
        assert title in said.out
    assert "outputs: not computed" in said.out
    assert "over 2 devices takes" in " ".join(said.out.split("Who does what")[1].split())
    assert said.err == ""


def test_numerics_say_that_random_weights_are_no_accuracy_and_that_the_plan_held(prism_sim, tiny):
    said = prism_sim("run", tiny, "--json", "-")
    found = described(said)
    assert_contract(found)
    assert found["fidelity"]["top1_agreement"] is None
    assert found["plan_confirmed"] is True
    assert said.err.startswith("computing the real outputs")
    shown = prism_sim("run", tiny)
    assert "random weights: not an accuracy estimate" in shown.out
    assert "as predicted, exactly" in shown.out
    assert shown.err == ""  # from disk


def test_json_on_standard_output_is_all_that_is_there(prism_sim, tiny):
    said = prism_sim("run", tiny, "--no-numerics", "--json", "-")
    assert json.loads(said.out)["name"] == "tiny"
    assert said.err == ""


def test_out_writes_the_result_the_plan_and_a_picture(prism_sim, tiny, tmp_path):
    said = prism_sim("run", tiny, "--no-numerics", "--out", tmp_path / "a" / "b", "--json", tmp_path / "run.json")
    assert said.status == 0
    out = tmp_path / "a" / "b"
    assert sorted(path.name for path in out.iterdir()) == ["plan.json", "run.json", "timeline.png"]
    assert (out / "run.json").read_text() == (tmp_path / "run.json").read_text()
    assert Plan.from_json(json.loads((out / "plan.json").read_text())) == simulate(load_scenario(tiny)).plan
    assert (out / "timeline.png").read_bytes().startswith(b"\x89PNG")
    assert len([line for line in said.err.splitlines() if line.startswith("wrote ")]) == 4


def test_the_same_scenario_writes_the_same_files_to_the_bit(prism_sim, tiny, tmp_path):
    for folder in ("one", "two"):
        assert prism_sim("run", tiny, "--no-numerics", "--out", tmp_path / folder).status == 0
    for name in ("run.json", "plan.json", "timeline.png"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_file_in_place_of_the_folder_is_refused_and_kept(prism_sim, tiny, tmp_path):
    (tmp_path / "taken").write_text("mine")
    said = prism_sim("run", tiny, "--no-numerics", "--out", tmp_path / "taken")
    assert said.status == 2
    assert said.messages == [f"prism-sim: {tmp_path / 'taken'}: Not a directory"]
    assert (tmp_path / "taken").read_text() == "mine"


def test_a_folder_in_place_of_the_json_file_is_refused(prism_sim, tiny, tmp_path):
    (tmp_path / "folder").mkdir()
    said = prism_sim("run", tiny, "--no-numerics", "--json", tmp_path / "folder")
    assert said.status == 2
    assert said.messages == [f"prism-sim: {tmp_path / 'folder'}: Is a directory"]
    assert not list(tmp_path.glob(".writing*"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_refused(prism_sim, tiny, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    said = prism_sim("run", tiny, "--no-numerics", "--out", tmp_path / "locked")
    assert said.status == 2
    assert "Permission denied" in said.messages[0]


def test_a_full_disk_leaves_the_old_file_whole_and_nothing_half_written(prism_sim, tiny, tmp_path, monkeypatch):
    (tmp_path / "run.json").write_text("old")

    def half(path: Path, text: str, **options: object) -> int:
        path.write_bytes(text.encode()[: len(text) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", half)
    said = prism_sim("run", tiny, "--no-numerics", "--json", tmp_path / "run.json")
    assert said.status == 2
    assert said.messages == [f"prism-sim: {tmp_path / 'run.json'}: No space left on device"]
    assert (tmp_path / "run.json").read_text() == "old"
    assert not list(tmp_path.glob(".writing*"))


def test_check_validates_and_names_what_is_not_used(prism_sim, tiny):
    said = prism_sim("check", tiny, "--set", "strategy.name=voltage")
    assert said.status == 0
    assert "ok" in said.out
    assert "strategy.segments: not used by voltage" in said.out


@pytest.mark.parametrize("kind", KINDS)
def test_list_shows_every_name_whole(prism_sim, kind):
    said = prism_sim("list", kind)
    assert said.status == 0
    shown = {line.split()[0] for line in said.out.splitlines() if line.strip()}
    assert set(KINDS[kind]()) <= shown


def test_every_number_of_a_device_stands_beside_its_source(prism_sim):
    said = prism_sim("list", "devices")
    for preset in presets.devices():
        for figure in preset.figures:
            assert figure.text in said.out
            assert figure.source.split()[0][:10] in said.out


def test_help_and_version(prism_sim):
    helped = prism_sim("--help")
    assert helped.status == 0
    for command in ("run", "check", "list"):
        assert command in helped.out
        assert prism_sim(command, "--help").status == 0
    assert prism_sim("--version").out.startswith("prism-sim ")


def test_help_lists_every_command_once_under_what_it_is_for_a_line_of_80_each(prism_sim, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = prism_sim("--help").out.splitlines()
    headings = [lines.index(f"{purpose.value}:") for purpose in Purpose]
    assert headings == sorted(headings)
    known = commands.catalogue()
    listed = {line.split()[0]: line for line in lines[headings[0] : lines.index("options:")] if line.startswith("  ")}
    assert list(listed) == [command.name for command in known]
    for command in known:
        assert " ".join(listed[command.name].split()) == f"{command.name} {command.help}"
        heading = headings[[*Purpose].index(command.purpose)]
        assert lines[heading : lines.index(listed[command.name])].count("") == 0


def test_a_completion_script_knows_commands_and_options_and_completes_files(prism_sim, tmp_path):
    script = tmp_path / "completion.sh"
    script.write_text(prism_sim("--completion", "bash").out)
    (tmp_path / "mine.yaml").touch()
    cases = {"brea": "breakeven", "explain --js": "--json", "explain mi": "mine.yaml", "cite mi": "mine.yaml"}
    for typed, offered in {**cases, "example vit-b": "vit-base-orin-nano"}.items():
        words = f"COMP_WORDS=(prism-sim {typed}); COMP_CWORD={len(typed.split())}; _shtab_prism_sim"
        command = f'. {script}; {words}; echo "${{COMPREPLY[@]}}"'
        ended = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True)
        assert ended.stdout.split() == [offered]


def test_every_shell_of_the_library_gets_a_completion_script(prism_sim):
    assert set(SHELLS) == set(shtab.SUPPORTED_SHELLS)
    for shell in SHELLS:
        assert "breakeven" in prism_sim("--completion", shell).out


@pytest.mark.parametrize(
    "arguments", [["frobnicate"], [], ["run"], ["run", "x.yaml", "--frob"], ["list", "frogs"], ["check"]], ids=" ".join
)
def test_a_wrong_command_line_is_one_line_that_points_to_help(prism_sim, arguments):
    said = prism_sim(*arguments)
    assert said.status == 2
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert said.err.startswith("prism-sim: ")
    assert "--help" in said.err


def test_names_may_hold_what_markup_and_mathtext_use(prism_sim, tiny, tmp_path):
    name = r"a [/b] costs $5 and $x_$ [red]"
    said = prism_sim(
        "run", tiny, "--no-numerics", "--set", f"name={name}", "--set", "devices[0].name='[bold] $n'", "--out", tmp_path
    )
    assert said.status == 0, said.err
    assert name in said.out
    assert "[bold] $n-0" in said.out


def columns_of(table: str) -> int:
    return max(map(len, table.splitlines()))


@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize("scenario", READY, ids=lambda path: path.stem)
def test_on_a_narrow_terminal_every_number_stays_whole(prism_sim, monkeypatch, scenario, columns):
    monkeypatch.setenv("COLUMNS", "200")
    wide = prism_sim("run", scenario, "--no-numerics").out
    monkeypatch.setenv("COLUMNS", str(columns))
    narrow = prism_sim("run", scenario, "--no-numerics").out
    assert columns_of(narrow) <= columns
    tables = wide.split("How fast")[1].split("outputs:")[0]
    numbers = {word for line in tables.splitlines() for word in line.split("  ") if word.strip()[:1].isdigit()}
    for number in sorted(number.strip() for number in numbers):
        assert number in narrow, number
    for line in narrow.splitlines():
        assert line.count("…") <= 1  # a device's name, at most


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, env={**os.environ, **environment}, check=False
    )


LOADED = """\
import sys
from prism_sim.cli import main
try:
    main(sys.argv[2:])
except SystemExit:
    pass
print("loaded:", *sorted(set(sys.argv[1].split(",")) & set(sys.modules)))
"""


@pytest.mark.parametrize(
    ("arguments", "forbidden"),
    [
        (["--help"], "torch,transformers,pandas,simpy,matplotlib,numpy"),
        (["run", "--help"], "torch,transformers,pandas,simpy,matplotlib"),
        (["run", "TINY", "--no-numerics"], "torch,transformers,pandas,matplotlib,huggingface_hub"),
        (["run", "TEXT", "--no-numerics"], "torch,transformers,pandas,matplotlib,huggingface_hub"),
        (["check", "TINY"], "torch,transformers,pandas,matplotlib"),
        (["list", "models"], "torch,transformers,pandas"),
        (["run", "TINY", "--no-numerics", "--out", "OUT"], "torch,transformers,pandas"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_imports_no_more_than_it_needs(tiny, tmp_path, arguments, forbidden):
    text = Path(__file__).parents[2] / "scenarios" / "generate-llama-four-pi5.yaml"
    places = {"TINY": str(tiny), "TEXT": str(text), "OUT": str(tmp_path / "out")}
    ended = python("-c", LOADED, forbidden, *(places.get(argument, argument) for argument in arguments))
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1].strip() == "loaded:"


def test_the_installed_command_works_and_a_gone_reader_is_no_error(tiny):
    ended = python("-m", "prism_sim.cli", "run", str(tiny), "--no-numerics", "--json", "-")
    assert ended.returncode == 0
    assert json.loads(ended.stdout)["name"] == "tiny"
    command = f"{sys.executable} -m prism_sim.cli list devices | head -1"
    piped = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert piped.stderr == ""


def test_a_terminal_without_greek_letters_gets_the_answer_too(tiny):
    ended = python("-m", "prism_sim.cli", "run", str(tiny), "--no-numerics", PYTHONIOENCODING="ascii")
    assert ended.returncode == 0, ended.stderr
    assert "devices takes" in " ".join(ended.stdout.split())
