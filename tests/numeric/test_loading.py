"""Models come from safetensors to the bit, or from a seed; from nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from prism_sim import families
from prism_sim.families.configuration import DEPTHS
from prism_sim.numeric.loading import LoadError, ModelSource, load, quiet
from prism_sim.scenario import load_scenario
from prism_sim.simulation.model_config import model_config

ENCODER = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
TEXT = {"vocab_size": 97, "max_position_embeddings": 32}
EXPERTS = {"num_experts": 5, "num_experts_per_tok": 2, "moe_intermediate_size": 8}
CONFIGS = {
    "vit": {"model_type": "vit", **ENCODER, "image_size": 32, "patch_size": 8, "num_labels": 5},
    "bert": {"model_type": "bert", **ENCODER, **TEXT},
    "gpt2": {"model_type": "gpt2", "n_embd": 16, "n_layer": 2, "n_head": 2, "vocab_size": 97, "n_positions": 32},
    "llama": {"model_type": "llama", **ENCODER, **TEXT, "num_key_value_heads": 1, "tie_word_embeddings": True},
    "mistral": {"model_type": "mistral", **ENCODER, **TEXT, "num_key_value_heads": 1},
    "qwen2": {"model_type": "qwen2", **ENCODER, **TEXT, "num_key_value_heads": 1},
    "qwen3": {"model_type": "qwen3", **ENCODER, **TEXT, "num_key_value_heads": 1, "head_dim": 4},
    "qwen3_moe": {"model_type": "qwen3_moe", **ENCODER, **TEXT, **EXPERTS, "num_key_value_heads": 1, "head_dim": 4},
    "roberta": {"model_type": "roberta", **ENCODER, **TEXT},
    "distilbert": {"model_type": "distilbert", "dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32, **TEXT},
    "deit": {"model_type": "deit", **ENCODER, "image_size": 32, "patch_size": 8, "num_labels": 5},
    "dinov2": {"model_type": "dinov2", **ENCODER, "image_size": 32, "patch_size": 8, "num_labels": 5},
}
CASES = [(kind, head.name) for kind, family in families.catalogue().items() for head in family.heads]


def made(kind: str, head: str, seed: int = 7) -> torch.nn.Module:
    """A model straight from transformers, without our help."""
    names = {entry.name: entry.hf_class for entry in families.find(kind).heads}
    torch.manual_seed(seed)
    config = transformers.AutoConfig.for_model(**CONFIGS[kind])
    return getattr(transformers, names[head])(config).eval()


def assert_same(one: torch.nn.Module, other: torch.nn.Module) -> None:
    """The same parameters and buffers, to the bit."""
    a, b = one.state_dict(), other.state_dict()
    assert a.keys() == b.keys()
    for name in a:
        assert torch.equal(a[name], b[name]), name


def through_a_scenario(folder: Path, kind: str, head: str, tmp_path: Path) -> ModelSource:
    path = tmp_path / "case.yaml"
    path.write_text(
        f"model: {{hf: {folder.name}, head: {head}}}\n"
        "devices: [{preset: raspberry-pi-5}]\nnetwork: {preset: loopback}\nstrategy: {name: single}\n"
    )
    scenario = load_scenario(path)
    spec = scenario.model
    assert spec.weights == "pretrained"
    return ModelSource(model_config(scenario), str(spec.folder), spec.head, spec.dtype, scenario.seed)


@pytest.mark.parametrize(("kind", "head"), CASES)
def test_a_saved_checkpoint_comes_back_to_the_bit(tmp_path, kind, head):
    saved = made(kind, head)
    saved.save_pretrained(tmp_path / "saved")
    loaded = load(through_a_scenario(tmp_path / "saved", kind, head, tmp_path))
    assert type(loaded) is type(saved)
    assert not loaded.training
    assert_same(loaded, saved)


@pytest.mark.parametrize(("kind", "head"), CASES)
def test_random_weights_follow_the_seed_and_leave_the_callers_alone(kind, head):
    state = torch.get_rng_state()
    first, again, other = (load(ModelSource(CONFIGS[kind], None, head, "float32", seed)) for seed in (7, 7, 8))
    assert torch.equal(torch.get_rng_state(), state)
    assert_same(first, again)
    assert_same(first, made(kind, head, seed=7))
    assert any(not torch.equal(a, b) for a, b in zip(first.parameters(), other.parameters(), strict=True))


@pytest.mark.parametrize("kind", CONFIGS)
def test_no_head_named_means_the_usual_one(kind):
    model = load(ModelSource(CONFIGS[kind], None, None, "float32", 0))
    assert type(model).__name__ == families.find(kind).heads[0].hf_class


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("kind", CONFIGS)
def test_the_asked_precision_is_that_of_every_weight_and_only_rounds(kind, dtype):
    whole = load(ModelSource(CONFIGS[kind], None, None, "float32", 3))
    half = load(ModelSource(CONFIGS[kind], None, None, dtype, 3))
    for one, other in zip(whole.parameters(), half.parameters(), strict=True):
        assert other.dtype == getattr(torch, dtype)
        assert torch.equal(one.to(other.dtype), other)


def test_a_checkpoint_in_half_precision_is_widened_to_what_is_asked(tmp_path):
    saved = made("bert", "none").to(torch.bfloat16)
    saved.save_pretrained(tmp_path / "half")
    loaded = load(ModelSource(CONFIGS["bert"], str(tmp_path / "half"), "none", "float32", 0))
    for one, other in zip(saved.parameters(), loaded.parameters(), strict=True):
        assert other.dtype == torch.float32
        assert torch.equal(one.float(), other)


def folder_alone(folder: Path, tmp_path: Path) -> ModelSource:
    """A scenario that names the folder and says nothing else of the model."""
    path = tmp_path / "silent.yaml"
    path.write_text(
        f"model: {{hf: {folder.name}}}\n"
        "devices: [{preset: raspberry-pi-5}]\nnetwork: {preset: loopback}\nstrategy: {name: single}\n"
    )
    scenario = load_scenario(path)
    spec = scenario.model
    return ModelSource(model_config(scenario), str(spec.folder), spec.head, spec.dtype, scenario.seed)


@pytest.mark.parametrize(
    ("kind", "head", "dtype"),
    [
        *((kind, head, "float32") for kind, head in CASES),
        *((kind, "none", dtype) for kind in CONFIGS for dtype in ("float16", "bfloat16")),
    ],
)
def test_a_saved_folder_says_itself_which_model_it_is(tmp_path, kind, head, dtype):
    saved = made(kind, head).to(getattr(torch, dtype))
    saved.save_pretrained(tmp_path / "saved")
    loaded = load(folder_alone(tmp_path / "saved", tmp_path))
    assert type(loaded) is type(saved)
    assert {parameter.dtype for parameter in loaded.parameters()} == {getattr(torch, dtype)}
    assert_same(loaded, saved)


@pytest.mark.parametrize("kind", CONFIGS)
def test_blocks_beyond_those_of_the_configuration_are_not_left_out_in_silence(tmp_path, kind):
    made(kind, "none").save_pretrained(tmp_path / "saved")
    file = tmp_path / "saved" / "config.json"
    saved = json.loads(file.read_text())
    n_blocks = next(key for key in DEPTHS if key in saved)
    of_blocks = ("layer_types", "out_features", "out_indices", "stage_names")
    rest = {key: value for key, value in saved.items() if key not in of_blocks}
    file.write_text(json.dumps({**rest, n_blocks: 1}))
    with pytest.raises(LoadError, match=r"hold .*\.?1\..* of its config\.json has no use for; give the config\.json"):
        load(folder_alone(tmp_path / "saved", tmp_path))


def test_weights_in_a_block_that_no_model_of_ours_has_are_not_left_out_in_silence(tmp_path):
    made("bert", "masked_lm").save_pretrained(tmp_path / "saved")
    add(tmp_path / "saved", "bert.encoder.layer.0.attention.self.distance_embedding.weight")
    with pytest.raises(LoadError, match="distance_embedding"):
        load(folder_alone(tmp_path / "saved", tmp_path))


def test_constants_that_old_checkpoints_keep_are_no_weights(tmp_path):
    saved = made("gpt2", "lm")
    saved.save_pretrained(tmp_path / "saved")
    add(tmp_path / "saved", "transformer.h.0.attn.bias")
    add(tmp_path / "saved", "transformer.h.0.attn.masked_bias")
    assert_same(load(folder_alone(tmp_path / "saved", tmp_path)), saved)


def add(folder: Path, name: str) -> None:
    """Writes one more tensor into a checkpoint."""
    file = folder / "model.safetensors"
    save_file({**load_file(file), name: torch.zeros(3)}, file, metadata={"format": "pt"})


def test_what_the_family_refuses_is_not_loaded():
    with pytest.raises(LoadError, match="decoder"):
        load(ModelSource(CONFIGS["bert"] | {"is_decoder": True}, None, None, "float32", 0))


def test_a_pickled_checkpoint_is_never_opened(tmp_path, monkeypatch):
    model = made("bert", "none")
    model.save_pretrained(tmp_path / "pickled")
    (tmp_path / "pickled" / "model.safetensors").unlink()
    torch.save(model.state_dict(), tmp_path / "pickled" / "pytorch_model.bin")

    def opened(*args, **kwargs):
        raise AssertionError("unpickled")

    monkeypatch.setattr(torch, "load", opened)
    with pytest.raises(LoadError, match="pickled weights are never opened") as refused:
        load(ModelSource(CONFIGS["bert"], str(tmp_path / "pickled"), "none", "float32", 0))
    assert refused.value.about == "model"


def test_code_that_a_checkpoint_brings_is_never_run(tmp_path):
    model = made("bert", "none")
    folder = tmp_path / "remote"
    model.save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    assert_same(load(ModelSource(config, str(folder), "none", "float32", 0)), model)
    assert not (tmp_path / "ran").exists()


def test_quiet_gives_back_what_it_found():
    log = transformers.utils.logging
    before = log.get_verbosity(), log.is_progress_bar_enabled()
    with quiet():
        assert log.get_verbosity() == log.ERROR
        assert not log.is_progress_bar_enabled()
    assert (log.get_verbosity(), log.is_progress_bar_enabled()) == before
