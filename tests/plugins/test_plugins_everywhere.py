"""A strategy, a compressor, a family and boards from outside the package, in every command that computes."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import BertGenerationConfig, BertGenerationEncoder

import prism_sim
from prism_sim import plugins
from prism_sim.cli import main
from prism_sim.scenario import load_scenario
from prism_sim.sweeping.work import SweepWork, source_digest

FILES = tuple(Path(__file__).parents[2] / "extensions" / f"{name}.py" for name in ("rare", "int2", "bert_generation"))
NAMED = [argument for file in FILES for argument in ("--plugin", str(file))]
SAME_PATH = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
# of 6 of 12 tokens, 16 wide: 2 bits an element and two float32 a row cross once, then the rows go home as float32
SUMMARY_BYTES, HOME_BYTES = 6 * 16 * 2 // 8 + 2 * 4 * 6, 6 * 16 * 4


def python(code: str, *arguments: str, content: bytes = b"", **environment: str) -> str:
    """What code prints in an interpreter of its own."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        input=content,
        capture_output=True,
        env={**os.environ, **SAME_PATH, **environment},
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def test_run_computes_and_measures_what_the_plugins_say(
    scenario_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(scenario_file), *NAMED, "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["strategy"] == "rare"
    assert found["ranks"][1]["sent_bytes"] == SUMMARY_BYTES + HOME_BYTES
    assert found["plan_confirmed"]
    assert {Path(origin).name for origin in found["provenance"]["plugins"]} == {file.name for file in FILES}


def test_compare_puts_the_strategy_beside_the_others(scenario_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(scenario_file), *NAMED, "--no-numerics", "--json", "-"]) == 0
    text = capsys.readouterr().out
    assert '"rare"' in text
    assert '"voltage"' in text


@pytest.mark.parametrize(("what", "name"), [("strategies", "rare"), ("compressors", "int2"), ("schema", "rare")])
def test_what_is_offered_is_listed(what: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["schema"] if what == "schema" else ["list", what]
    assert main(command) == 0
    assert name not in capsys.readouterr().out.split()
    assert main([*command, *NAMED]) == 0
    assert name in capsys.readouterr().out.replace('"', " ").split()


def test_a_misspelt_name_is_told_the_nearest_that_a_plugin_offers(
    scenario_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = ["--set", "strategy.compressor=segment_means+int22"]
    assert main(["check", str(scenario_file), *NAMED, *wrong]) == 2
    assert "did you mean 'segment_means+int2'" in capsys.readouterr().err


def test_a_scenario_alone_makes_no_code_run(scenario_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(scenario_file)]) == 2
    assert "'rare' is not one of" in capsys.readouterr().err


@pytest.mark.slow
def test_a_sweep_in_processes_is_the_sweep_in_one(scenario_file: Path) -> None:
    plugins.load(FILES)
    alone, shared = (prism_sim.sweep(scenario_file, numerics=False, jobs=jobs) for jobs in (1, 2))
    assert alone.equals(shared)
    assert alone["latency_s"].notna().all()
    assert len(alone) == 6


def test_whoever_unpickles_a_sweeps_work_has_its_plugins(scenario_file: Path) -> None:
    plugins.load(FILES)
    work = pickle.dumps(SweepWork(load_scenario(scenario_file), False, source_digest()))
    code = (
        "import pickle, sys; work = pickle.load(sys.stdin.buffer)\n"
        "from prism_sim.sweeping.work import source_digest\n"
        "base = work.base; print(base.strategy.options.every, base.devices[0].memory_bytes_per_s)\n"
        "print(work.source == source_digest())"
    )
    assert python(code, content=work).split() == ["2", "2000000000.0", "True"]


@pytest.mark.slow
def test_the_processes_of_a_live_run_load_them_too(scenario_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["live", str(scenario_file), *NAMED, "--repeats", "1", "--warmup", "0", "--json", "-"]
    assert main(arguments) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["output"]["agrees"]
    assert found["participants"][1]["sent_bytes"] == SUMMARY_BYTES + HOME_BYTES


@pytest.mark.slow
def test_the_environment_names_files_for_every_command(scenario_file: Path) -> None:
    code = "import sys; from prism_sim.cli import main; sys.exit(main(['check', sys.argv[1]]))"
    named = {plugins.VARIABLE: os.pathsep.join(map(str, FILES))}
    python(code, str(scenario_file), **named)  # exit status 0


def test_infer_spreads_a_model_of_a_family_from_outside() -> None:
    plugins.load(FILES)
    sizes = {"hidden_size": 24, "num_hidden_layers": 4, "num_attention_heads": 3, "intermediate_size": 40}
    torch.manual_seed(0)
    model = BertGenerationEncoder(BertGenerationConfig(vocab_size=50, **sizes)).double().eval()
    inputs = {"input_ids": torch.arange(2 * 9).reshape(2, 9)}
    with torch.no_grad():
        whole = model(**inputs).last_hidden_state
        spread = prism_sim.infer(model, inputs, 3, "voltage", observe=True)
    # voltage is exact: only the order of float64 sums differs
    torch.testing.assert_close(spread.output, whole, rtol=1e-10, atol=1e-10)
    assert spread.plan.observable() == prism_sim.infer(model, inputs, 3, "voltage").plan.observable()
