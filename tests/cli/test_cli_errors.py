"""Whatever is wrong ends with status 2 and one message that names place, value, rule and remedy; never a traceback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DEVICES = """
devices: [{name: board, compute: 1 GFLOP/s, memory_bandwidth: 1 GB/s, count: 2}]
network: {bandwidth: 100 Mbit/s, latency: 1 ms}
strategy: {name: prism, segments: 2}
"""


def assert_refused(said, *words: str) -> str:
    """Status 2, nothing on standard output, one message that holds all `words`; the message."""
    assert said.status == 2
    assert said.out == ""
    assert len(said.messages) == 1, said.err
    message = said.messages[0]
    assert message.startswith("prism-sim: ")
    assert "Traceback" not in said.err
    for word in words:
        assert word in message, message
    return message


@pytest.mark.parametrize("command", [["run", "--no-numerics"], ["check"]], ids=" ".join)
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, ["cannot be read", "give the path"]),
        ("FOLDER", ["is a directory"]),
        ("", ["empty", "prism-sim example"]),
        ("a: [1", ["not YAML", ":1:"]),
        ("just text", ["no mapping"]),
        ("modell: {}" + DEVICES, ["modell", "did you mean 'model'", ":1:1"]),
        ("model: {preset: bert-tiny}\ndevices: []", ["devices"]),
        ("model: {preset: bert-tinny}" + DEVICES, ["model.preset", "'bert-tinny'", "did you mean 'bert-tiny'"]),
        ("model: {preset: bert-tiny}" + DEVICES.replace("100 Mbit/s", "100"), ["network.bandwidth", "100", "Mbit/s"]),
        ("model: {preset: bert-tiny}" + DEVICES.replace("Mbit/s", "ms"), ["network.bandwidth", "100 ms"]),
        (
            "model: {preset: bert-tiny}\nworkload: {tokens: 3}" + DEVICES.replace("count: 2", "count: 4"),
            ["workload.tokens", "4 ranks", "3 tokens", "name fewer ranks"],
        ),
        (
            "model: {preset: bert-tiny}" + DEVICES.replace("count: 2", "count: 3").replace("prism", "pipeline"),
            ["strategy", "pipeline", "3", "2"],
        ),
        (
            "model: {preset: bert-tiny}" + DEVICES.replace("count: 2", "count: 3").replace("prism", "tensor_parallel"),
            ["strategy", "tensor_parallel", "3", "attention heads", "2"],
        ),
    ],
    ids=lambda value: None,
)
def test_a_wrong_scenario_file_is_refused_with_its_place(prism_sim, tmp_path, command, content, words):
    path = tmp_path / "case.yaml"
    if content == "FOLDER":
        path.mkdir()
    elif content is not None:
        path.write_text(content)
    message = assert_refused(prism_sim(command[0], path, *command[1:]), *words)
    assert message.startswith(f"prism-sim: {path}")


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("network.bandwith=1 Mbit/s", ["network.bandwith", "did you mean", "bandwidth"]),
        ("strategy.name=prizm", ["strategy.name", "'prizm'", "did you mean 'prism'"]),
        ("strategy.segments=0", ["strategy.segments", "0"]),
        ("devices[7].count=2", ["devices[7]"]),
        ("nothing", ["nothing"]),
        ("seed=-1", ["seed", "-1"]),
    ],
)
def test_a_wrong_override_is_refused_where_it_was_written(prism_sim, tiny, override, words):
    message = assert_refused(prism_sim("run", tiny, "--no-numerics", "--set", override), *words)
    assert "--set" in message


# --- what only shows when the numbers are computed


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of tiny checkpoints, sound and broken."""
    import torch
    import transformers

    root = tmp_path_factory.mktemp("checkpoints")
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    torch.manual_seed(0)
    bert = transformers.BertConfig(**sizes, vocab_size=300, max_position_embeddings=32)
    classifier = transformers.BertForSequenceClassification(bert)
    classifier.save_pretrained(root / "bert")
    transformers.BertModel(bert).save_pretrained(root / "bare")
    transformers.GPT2LMHeadModel(
        transformers.GPT2Config(n_embd=16, n_layer=2, n_head=2, vocab_size=300, n_positions=32)
    ).save_pretrained(root / "gpt2")
    transformers.ViTForImageClassification(
        transformers.ViTConfig(**sizes, image_size=32, patch_size=8)
    ).save_pretrained(root / "vit")

    def spoilt(name: str, source: str = "bert") -> Path:
        return Path(shutil.copytree(root / source, root / name))

    pickled = spoilt("pickled")
    (pickled / "model.safetensors").unlink()
    torch.save({"poison": _Poison(str(root / "opened"))}, pickled / "pytorch_model.bin")
    (spoilt("no-weights") / "model.safetensors").unlink()
    weights = spoilt("truncated") / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    (spoilt("nothing") / "model.safetensors").write_bytes(b"")
    shutil.copy(root / "gpt2" / "model.safetensors", spoilt("another-family"))
    _reconfigured(spoilt("other-sizes"), intermediate_size=64)
    _reconfigured(spoilt("more-blocks"), num_hidden_layers=3)
    _reconfigured(spoilt("no-such-activation"), hidden_act="frob")
    (spoilt("bad-tokenizer") / "tokenizer.json").write_text("{broken")
    (spoilt("bad-processor", "vit") / "preprocessor_config.json").write_text("{broken")
    return root


class _Poison:
    """Opens a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (Path(self.path),)


def _reconfigured(folder: Path, **changes: object) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def asked(folder: Path, model: str, workload: str = "{tokens: 12}", name: str = "case.yaml") -> Path:
    path = folder / name
    path.write_text(f"model: {model}\nworkload: {workload}\n{DEVICES}")
    return path


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("pickled", ["no file named model.safetensors", "pickled weights are never opened"]),
        ("no-weights", ["no file named model.safetensors"]),
        ("truncated", ["cannot be loaded", "complete model.safetensors"]),
        ("nothing", ["cannot be loaded", "header"]),
        ("another-family", ["lack", "bert.embeddings", "weights: random"]),
        ("more-blocks", ["lack bert.encoder.layer.2", "15 more"]),
        ("other-sizes", ["intermediate.dense.bias is (32,), but must be (64,)", "config.json"]),
        ("bare", ["lack classifier.bias and 1 more", "BertForSequenceClassification", "model.head"]),
        ("no-such-activation", ["'frob'"]),
        ("missing", ["is no folder", "relative to the scenario file"]),
    ],
)
def test_weights_that_cannot_be_loaded_are_refused_at_model_hf(prism_sim, checkpoints, tmp_path, name, words):
    head = "sequence_classification"  # of whatever the folder says that it holds
    scenario = asked(tmp_path, f"{{hf: {checkpoints / name}, weights: pretrained, head: {head}}}")
    message = assert_refused(prism_sim("run", scenario), "model.hf: ", name, *words)
    assert message.startswith(f"prism-sim: {scenario}:1:")
    assert not (checkpoints / "opened").exists()


def test_the_place_of_an_overridden_model_is_the_override(prism_sim, checkpoints, tmp_path):
    override = f"model.hf={checkpoints / 'nothing'}"
    said = prism_sim("run", asked(tmp_path, "{hf: google/vit-base-patch16-224}", "{}"), "--set", override)
    assert_refused(said, "prism-sim: --set model.hf=", "model.hf: ")


@pytest.mark.parametrize(
    ("kind", "file", "content", "words"),
    [
        ("bert", "bytes.txt", b"\xff\xfe\x00", ["UTF-8", "0xff"]),
        ("bert", "empty.txt", b"", ["is empty"]),
        ("bert", "blank.txt", b" \n", ["is empty"]),
        ("bert", "absent.txt", None, ["is no file"]),
        ("vit", "text.png", b"no picture", ["no readable picture", "PNG"]),
        ("vit", "empty.png", b"", ["no readable picture"]),
        ("vit", "cut.png", b"\x89PNG\r\n\x1a\n\x00\x00", ["no readable picture"]),
        ("vit", "absent.png", None, ["is no file"]),
    ],
)
def test_an_input_that_cannot_be_read_is_refused_at_workload_input(
    prism_sim, checkpoints, tmp_path, kind, file, content, words
):
    if content is not None:
        (tmp_path / file).write_bytes(content)
    scenario = asked(tmp_path, f"{{hf: {checkpoints / kind}}}", f"{{input: {file}}}")
    message = assert_refused(prism_sim("run", scenario), "workload.input: ", repr(file), *words)
    assert message.startswith(f"prism-sim: {scenario}:2:")


def test_text_beyond_the_vocabulary_is_refused(prism_sim, tmp_path):
    (tmp_path / "text.txt").write_text("z")
    dims = "model_type: bert, hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 8"
    scenario = asked(tmp_path, f"{{dims: {{{dims}, vocab_size: 50}}}}", "{tokens: 4, input: text.txt}")
    assert_refused(prism_sim("run", scenario), "workload.input: ", "token 122", "0 to 49")


@pytest.mark.parametrize(
    ("name", "workload"), [("bad-tokenizer", "{tokens: 4, input: text.txt}"), ("bad-processor", "{input: picture.png}")]
)
def test_a_broken_tokenizer_or_image_processor_is_refused_not_replaced(
    prism_sim, checkpoints, tmp_path, name, workload
):
    from PIL import Image

    (tmp_path / "text.txt").write_text("hello")
    Image.new("RGB", (40, 30)).save(tmp_path / "picture.png")
    scenario = asked(tmp_path, f"{{hf: {checkpoints / name}}}", workload)
    assert_refused(prism_sim("run", scenario), "model.hf: ", name, "cannot be read")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("hidden_act: frob", ["'frob'"]),
        ("layer_norm_eps: abc", ["layer_norm_eps", "'abc'"]),
        ("hidden_dropout_prob: 2.0", ["probability"]),
        ("vocab_size: 4, pad_token_id: 9", ["Padding_idx"]),
    ],
)
def test_dimensions_that_make_no_model_are_refused_at_model_dims(prism_sim, tmp_path, change, words):
    dims = "model_type: bert, hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 8"
    scenario = asked(tmp_path, f"{{dims: {{{dims}, {change}}}}}", "{tokens: 4}")
    assert_refused(prism_sim("run", scenario), "model.dims", *words)


def test_outputs_that_are_not_finite_are_refused_not_shown_as_exact(prism_sim, checkpoints, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = Path(shutil.copytree(checkpoints / "bert", tmp_path / "overflowing"))
    weights = load_file(folder / "model.safetensors")
    weights["classifier.bias"][:] = float("inf")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    said = prism_sim("run", asked(tmp_path, f"{{hf: {folder}}}"))
    assert_refused(said, "undistributed", "not finite", "float32")


def offline(tmp_path: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hub")}
    command = [sys.executable, "-m", "prism_sim.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_a_hub_id_that_cannot_be_had_offline_is_refused(tmp_path):
    ended = offline(tmp_path, "run", asked(tmp_path, "{hf: nobody/nothing}"), "--no-numerics")
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert "case.yaml:1:" in ended.stderr
    assert "model.hf: config.json of 'nobody/nothing' cannot be had" in ended.stderr


@pytest.mark.slow
def test_pretrained_weights_that_cannot_be_had_offline_are_refused(tmp_path):
    ended = offline(tmp_path, "run", asked(tmp_path, "{preset: bert-tiny, weights: pretrained}"))
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert "model.preset: weights of 'prajjwal1/bert-tiny' cannot be had: they are not in the" in ended.stderr


@pytest.mark.parametrize(
    ("command", "option"),
    [
        ("run", "--json"),
        ("run", "--out"),
        ("compare", "--out"),
        ("explain", "--out"),
        ("loss", "--json"),
        ("sweep", "--out"),
        ("search", "--storage"),
        ("plot", "--output"),
        ("run", None),
    ],
)
def test_an_empty_path_is_refused_and_nothing_is_written(prism_sim, tiny, monkeypatch, command, option):
    monkeypatch.chdir(tiny.parent)
    arguments = [command, ""] if option is None else [command, tiny, f"{option}="]
    said = prism_sim(*arguments, *(["kind"] if command == "plot" else []))
    assert_refused(said, "is due, but is empty", option or "scenario")
    assert [path.name for path in tiny.parent.iterdir()] == ["tiny.yaml"]
