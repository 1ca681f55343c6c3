"""A hub out of reach is said in seconds, in one line; what its config.json says is obeyed like a folder's."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub.errors import LocalEntryNotFoundError

from prism_sim import hub
from prism_sim.choice.run import run
from prism_sim.numeric.inputs import InputSource, image_processor, make_inputs
from prism_sim.numeric.loading import LoadError, ModelSource, load
from prism_sim.scenario import Scenario, ScenarioError, load_scenario
from prism_sim.simulation import model_config as configurations

BERT = {"model_type": "bert", "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2}
SMALL = {**BERT, "intermediate_size": 16, "vocab_size": 99, "max_position_embeddings": 32}
CASE = (
    "model: {hf: someone/else}\nworkload: {tokens: 16}\n"
    "devices: [{preset: raspberry-pi-5, count: 2}]\nnetwork: {preset: loopback}\nstrategy: {name: voltage}\n"
)
GENEROUS_S = 10.0  # of a loaded machine; the client's own retries take 24 s


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Nothing is remembered from one test to the next."""
    for remembered in (hub.unreachable, configurations._hub_config):
        remembered.cache_clear()
    yield
    for remembered in (hub.unreachable, configurations._hub_config):
        remembered.cache_clear()


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub's address is a port of this machine where nobody listens."""
    for name in ("http_proxy", "HTTP_PROXY", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{free_port()}")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def scenario(tmp_path: Path) -> Scenario:
    (tmp_path / "case.yaml").write_text(CASE)
    return load_scenario(tmp_path / "case.yaml")


def test_a_port_that_answers_is_a_hub_and_one_that_refuses_is_none(closed: None, monkeypatch) -> None:
    said = hub.unreachable()
    assert said is not None
    assert said.startswith("127.0.0.1 cannot be reached (")
    hub.unreachable.cache_clear()
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.getsockname()[1]}")
        assert hub.unreachable() is None


def test_silence_is_not_waited_for(closed: None, monkeypatch) -> None:
    monkeypatch.setattr(hub, "PATIENCE_S", 0.05)

    def silent(*args: object, **kwargs: object) -> None:
        time.sleep(GENEROUS_S)
        raise OSError("at last")

    monkeypatch.setattr(socket, "create_connection", silent)
    began = time.monotonic()
    assert hub.unreachable() == "127.0.0.1 cannot be reached (no answer within 0.05 s)"
    assert time.monotonic() - began < GENEROUS_S / 2


def test_a_proxy_is_what_is_called(monkeypatch) -> None:
    monkeypatch.setattr("urllib.request.getproxies", lambda: {"https": "http://proxy.example:3128"})
    monkeypatch.setattr("urllib.request.proxy_bypass", lambda host: host == "inside.example")
    assert hub._first_stop("https://huggingface.co") == ("proxy.example", 3128)
    assert hub._first_stop("https://inside.example") == ("inside.example", 443)
    assert hub._first_stop("http://huggingface.co:81") == ("huggingface.co", 81)


def test_whoever_wants_to_be_offline_is(monkeypatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert hub.unreachable() == "HF_HUB_OFFLINE is set"


def test_a_configuration_is_not_asked_for_again_and_again(closed: None, scenario: Scenario, monkeypatch) -> None:
    asked: list[bool] = []

    def download(hub_id: str, name: str, local_files_only: bool = False) -> str:
        asked.append(local_files_only)
        raise LocalEntryNotFoundError("not here")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    with pytest.raises(ScenarioError, match=r"model\.hf: config\.json of 'someone/else' cannot be had: it is not in"):
        run(scenario, numerics=False)
    assert asked
    assert all(asked)  # the local cache alone: no attempt over the network


@pytest.mark.parametrize("model", ["{hf: someone/else}", "{preset: bert-tiny, weights: pretrained}"])
def test_the_command_ends_in_seconds_with_one_line(tmp_path: Path, closed: None, model: str) -> None:
    (tmp_path / "case.yaml").write_text(CASE.replace("{hf: someone/else}", model))
    command = [sys.executable, "-m", "prism_sim.cli", "run", str(tmp_path / "case.yaml")]
    environment = {**os.environ, "HF_HOME": str(tmp_path / "empty"), "XDG_CACHE_HOME": str(tmp_path / "kept")}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)
    said = [line for line in done.stderr.splitlines() if not line.startswith("computing")]
    assert done.returncode == 2
    assert len(said) == 1, said
    assert "not in the local cache, and 127.0.0.1 cannot be reached" in said[0]
    assert "Retrying" not in done.stderr


def test_weights_and_processors_end_as_soon(closed: None, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("some words")
    model = load(ModelSource(SMALL, None, "none", "float32", 0))
    began = time.monotonic()
    with pytest.raises(
        LoadError, match=r"weights of 'nobody/nothing' cannot be had: .* 127\.0\.0\.1 cannot be reached"
    ):
        load(ModelSource(SMALL, "nobody/nothing", "none", "float32", 0))
    with pytest.raises(LoadError, match=r"tokenizer .* of 'nobody/nothing' cannot be had: not in the local cache"):
        make_inputs(model, InputSource(1, 4, tmp_path / "text", "nobody/nothing", 0))
    with pytest.raises(LoadError, match=r"image processor of 'nobody/nothing' cannot be had"):
        image_processor("nobody/nothing")
    assert time.monotonic() - began < GENEROUS_S


def served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, **more: object) -> None:
    """The cache of the hub holds someone/else's config.json."""
    (tmp_path / "config.json").write_text(json.dumps({**SMALL, **more}))
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda *args, **kwargs: str(tmp_path / "config.json"))


def test_a_configuration_of_the_hub_means_what_it_says(scenario: Scenario, monkeypatch, tmp_path: Path) -> None:
    served(monkeypatch, tmp_path, architectures=["BertForQuestionAnswering"], torch_dtype="float16")
    answer = run(scenario, numerics=False).to_json()
    assert (answer["head"], answer["dtype"]) == ("question_answering", "float16")
    stated = scenario.with_overrides(["model.head=masked_lm", "model.dtype=float32"])
    answer = run(stated, numerics=False).to_json()
    assert (answer["head"], answer["dtype"]) == ("masked_lm", "float32")
    assert configurations.model_spec(replace(scenario)).config == {
        **SMALL,
        "architectures": ["BertForQuestionAnswering"],
        "torch_dtype": "float16",
    }


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            {"architectures": ["BertForMultipleChoice"]},
            r"architectures says 'BertForMultipleChoice'",
        ),
        (
            {"model_type": "clip"},
            r"model_type 'clip' is not supported; supported: [a-z0-9_, ]*$",
        ),
        (
            {"quantization_config": {"quant_method": "awq"}},
            r"quantization_config \(awq\)",
        ),
        ({"dtype": "float64"}, r"dtype 'float64' is not supported"),
        ({"hidden_size": 9}, r"width 9 is not a multiple"),
    ],
)
def test_a_configuration_of_the_hub_is_refused_like_a_folders(
    scenario: Scenario, monkeypatch, tmp_path: Path, more: dict[str, object], message: str
) -> None:
    served(monkeypatch, tmp_path, **more)
    with pytest.raises(ScenarioError, match=rf"1:13: model\.hf: config\.json of 'someone/else': {message}"):
        run(scenario, numerics=False)
