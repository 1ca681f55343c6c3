"""A model folder means what it says: head and element type are its own, and what is not understood is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prism_sim import families
from prism_sim.scenario import Scenario, ScenarioError, load_scenario

USUAL = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
SIZES = {
    **dict.fromkeys(families.catalogue(), USUAL),
    **{kind: {**USUAL, "num_key_value_heads": 1} for kind in ("llama", "mistral", "qwen2", "qwen3", "qwen3_moe")},
    "dinov2": {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "mlp_ratio": 2},
    "distilbert": {"dim": 8, "n_layers": 1, "n_heads": 2, "hidden_dim": 16},
    "gpt2": {"n_embd": 8, "n_layer": 1, "n_head": 2},
}
SUPPORTED = ", ".join(families.catalogue())
HEADS = [(kind, head) for kind, family in families.catalogue().items() for head in family.heads]
Load = Callable[..., Scenario]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Loads a scenario whose model is the folder `mine` with this config.json, or these dims."""

    def made(config: dict[str, Any], model: str = "hf: ./mine") -> Scenario:
        (tmp_path / "mine").mkdir(exist_ok=True)
        (tmp_path / "mine" / "config.json").write_text(json.dumps(config))
        (tmp_path / "case.yaml").write_text(
            f"model: {{{model}}}\n"
            "devices: [{preset: raspberry-pi-5, count: 2}]\nnetwork: {preset: loopback}\nstrategy: {name: voltage}\n"
        )
        return load_scenario(tmp_path / "case.yaml")

    return made


def config_of(kind: str, **more: Any) -> dict[str, Any]:
    return {"model_type": kind, **SIZES[kind], **more}


@pytest.mark.parametrize(("kind", "head"), HEADS, ids=lambda value: getattr(value, "hf_class", value))
def test_architectures_choose_the_head(load: Load, kind: str, head: families.Head) -> None:
    config = config_of(kind, architectures=[head.hf_class])
    assert load(config).model.head == head.name
    assert load({}, f"dims: {json.dumps(config)}").model.head == head.name


def test_without_architectures_it_is_the_familys_usual_one(load: Load) -> None:
    for silent in ({}, {"architectures": None}, {"architectures": []}):
        assert load(config_of("bert", **silent)).model.head is None
    assert families.find("bert").head(None).hf_class == "BertForSequenceClassification"


def test_a_stated_head_wins(load: Load) -> None:
    config = config_of("bert", architectures=["BertForPreTraining"])
    assert load(config, "hf: ./mine, head: masked_lm").model.head == "masked_lm"


def test_a_stated_head_is_checked(load: Load) -> None:
    with pytest.raises(ScenarioError, match=r"model\.head: 'lm' does not fit a bert: write one of .*masked_lm"):
        load(config_of("bert", architectures=["BertModel"]), "hf: ./mine, head: lm")


@pytest.mark.parametrize(
    ("kind", "architectures"),
    [
        ("bert", ["BertForMultipleChoice"]),
        ("bert", ["BertForPreTraining"]),
        ("bert", ["RobertaForMaskedLM"]),
        ("bert", "MyBert"),
        ("bert", [3]),
        ("gpt2", ["GPT2DoubleHeadsModel"]),
        ("vit", ["ViTForMaskedImageModeling"]),
    ],
)
def test_a_head_that_is_not_supported_is_no_other_one(
    load: Load, tmp_path: Path, kind: str, architectures: Any
) -> None:
    named = architectures[0] if isinstance(architectures, list) else architectures
    with pytest.raises(ScenarioError) as caught:
        load(config_of(kind, architectures=architectures))
    said = str(caught.value)
    assert said.startswith(f"{tmp_path}/case.yaml:1:13: model.hf: {tmp_path}/mine/config.json: ")
    assert f"architectures says {named!r}, which is not supported for a {kind}" in said
    assert f"write model.head: {', '.join(head.name for head in families.find(kind).heads)}" in said


def test_a_wrong_head_of_dims_is_shown_where_it_stands(load: Load) -> None:
    with pytest.raises(ScenarioError, match=r"model\.dims\.architectures: architectures says 'ViTGibberish'"):
        load({}, f"dims: {json.dumps(config_of('vit', architectures=['ViTGibberish']))}")


def test_question_answering_has_two_labels(load: Load) -> None:
    asking = config_of("bert", architectures=["BertForQuestionAnswering"])
    assert load(asking).model.head == "question_answering"
    with pytest.raises(ScenarioError, match="needs 2 labels, start and end, but the configuration has 5"):
        load({**asking, "num_labels": 5})


# --- element type


@pytest.mark.parametrize("key", ["torch_dtype", "dtype"])
@pytest.mark.parametrize("written", ["float32", "float16", "bfloat16", "torch.float16"])
def test_the_element_type_of_the_folder_is_obeyed(load: Load, key: str, written: str) -> None:
    assert load(config_of("gpt2", **{key: written})).model.dtype == written.removeprefix("torch.")


def test_a_stated_element_type_wins(load: Load) -> None:
    for written in ("float16", "float64"):
        config = config_of("gpt2", torch_dtype=written)
        assert load(config, "hf: ./mine, dtype: float32").model.dtype == "float32"


def test_of_two_names_of_the_element_type_the_newer_one_counts(load: Load) -> None:
    assert load(config_of("gpt2", torch_dtype="float16", dtype="bfloat16")).model.dtype == "bfloat16"
    assert load(config_of("gpt2", torch_dtype="float16", dtype=None)).model.dtype == "float16"
    assert load(config_of("gpt2")).model.dtype == "float32"


@pytest.mark.parametrize("written", ["float64", "float8_e4m3fn", "int8", "auto", {"": "float16"}])
def test_an_element_type_that_is_not_computed_in_is_refused(load: Load, written: Any) -> None:
    with pytest.raises(ScenarioError, match=r"model\.hf: .*: torch_dtype .* write model\.dtype, one of float32"):
        load(config_of("gpt2", torch_dtype=written))


def test_an_adapter_is_not_left_out_in_silence(load: Load, tmp_path: Path) -> None:
    load(config_of("bert"))
    (tmp_path / "mine" / "adapter_config.json").write_text("{}")
    with pytest.raises(ScenarioError, match=r"holds an adapter .* merge it"):
        load(config_of("bert"))


# --- names of families

MISSPELT = [
    ("lama", "llama"),
    ("qwen-3", "qwen3"),
    ("Roberta", "roberta"),
    ("brt", "bert"),
    ("gpt-2", "gpt2"),
    ("gpt2 ", "gpt2"),
    ("GPT2", "gpt2"),
    ("Bert", "bert"),
    ("vitt", "vit"),
]
OTHERS = [
    *("xlm-roberta", "albert", "camembert", "modernbert", "mobilebert", "convbert", "visual_bert", "electra"),
    *("dinov2_with_registers", "dinov3_vit", "vit_mae", "beit", "yolos", "clip", "swin", "whisper", "t5"),
    *("gpt_neo", "gpt_neox", "gpt_bigcode", "openai-gpt", "llama4", "mixtral", "qwen2_moe", "qwen3_next", "qwen2_vl"),
]


@pytest.mark.parametrize(("written", "meant"), MISSPELT)
def test_a_misspelt_family_is_answered_with_the_one_that_was_meant(load: Load, written: str, meant: str) -> None:
    with pytest.raises(ScenarioError, match=f"did you mean '{meant}'"):
        load({**config_of("bert"), "model_type": written})
    with pytest.raises(ValueError, match=f"did you mean '{meant}'"):
        families.find(written)


@pytest.mark.parametrize("other", OTHERS)
def test_the_name_of_another_architecture_leads_to_no_file_that_reads_it_wrongly(load: Load, other: str) -> None:
    with pytest.raises(ScenarioError, match=f"model_type '{other}' is not supported; supported: {SUPPORTED}$"):
        load({**config_of("bert"), "model_type": other})
    with pytest.raises(ValueError, match=f"'{other}' is unknown; known: {SUPPORTED}$"):
        families.find(other)
