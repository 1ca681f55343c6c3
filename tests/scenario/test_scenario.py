"""What a valid file means: defaults, presets, counts, names, overrides, sweeps and the hash."""

from __future__ import annotations

import json
import math
import pickle
import shutil
import subprocess
import sys
from dataclasses import FrozenInstanceError, dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import pytest
import yaml
from annotated_types import Ge, doc

from prism_sim import strategies
from prism_sim.scenario import ScenarioError, json_schema, load_scenario, sweep_axes
from prism_sim.strategies.base import Placement
from prism_sim.strategies.options import Excludes
from prism_sim.syntax import schema, strategy_section

READY = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))
SMALL = """\
model: {preset: bert-tiny}
devices: [{preset: raspberry-pi-5, count: 2}]
network: {preset: gigabit-ethernet}
strategy: {name: prism, segments: 4}
"""


@pytest.fixture
def load(tmp_path: Path):
    def load_text(text: str = SMALL, overrides=(), name: str = "small.yaml"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return load_scenario(tmp_path / name, overrides)

    return load_text


@pytest.mark.parametrize("file", READY, ids=lambda file: file.name)
def test_every_ready_scenario_loads_and_begins_with_its_question(file):
    scenario = load_scenario(file)
    heading = [line for line in file.read_text().splitlines() if line.startswith("#")]
    assert any("?" in line for line in heading)
    assert file.read_text().startswith("#")
    assert scenario.written.unused_fields == ()
    sweep_axes(scenario)


def test_the_demo_is_the_set_up_of_the_paper():
    scenario = load_scenario(next(file for file in READY if file.name == "vit-base-orin-nano.yaml"))
    assert scenario.placement == Placement("replicated", "in_place")
    assert (scenario.workload.batch, scenario.workload.tokens) == (8, 197)
    assert [device.preset for device in scenario.devices] == ["jetson-orin-nano"] * 2
    assert scenario.network.up_bits_per_s == scenario.network.down_bits_per_s == 400e6
    assert scenario.strategy.options.segments == 10


def test_what_is_not_said_has_the_documented_default(load):
    scenario = load()
    assert scenario.name == "small"
    assert (scenario.workload.batch, scenario.workload.tokens, scenario.workload.input) == (1, 128, None)
    assert (scenario.model.weights, scenario.model.dtype) == ("random", "float32")
    assert scenario.placement == Placement("terminal", "terminal")
    assert (scenario.terminal, scenario.ranks, scenario.written.ranks_given, scenario.seed) == (0, (0, 1), False, 0)
    assert (scenario.network.medium, scenario.network.sharing, scenario.network.collective) == (
        "switch",
        "fair",
        "quickest",
    )


def test_a_device_without_preset_has_no_staging_no_overhead_and_unknown_memory_and_power(load):
    bare = "devices: [{compute: 1 GFLOP/s, memory_bandwidth: 2 GB/s}]"
    (device,) = load(SMALL.replace("devices: [{preset: raspberry-pi-5, count: 2}]", bare)).devices
    assert (device.name, device.flops_per_s, device.memory_bytes_per_s) == ("device", 1e9, 2e9)
    assert (device.op_overhead_s, device.staging_bytes_per_s, device.staging_latency_s) == (0.0, math.inf, 0.0)
    assert (device.memory_bytes, device.idle_w, device.busy_w, device.radio_w) == (None,) * 4


def test_a_field_overrides_the_preset_and_leaves_the_rest(load):
    plain, changed = load().devices[0], load(overrides=["devices[0].compute=1 TFLOP/s"]).devices[0]
    assert changed == replace(plain, flops_per_s=1e12)


def test_no_staging_takes_its_latency_and_its_ramp_away_too(load):
    orin = ["devices[0].preset=jetson-orin-nano"]
    assert load(overrides=orin).devices[0].staging_ramp_s > 0
    without = load(overrides=[*orin, "devices[0].staging_bandwidth=none"]).devices[0]
    assert (without.staging_bytes_per_s, without.staging_latency_s, without.staging_ramp_s) == (math.inf, 0.0, 0.0)


# (devices, their names)
NAMES = [
    ("[{preset: raspberry-pi-5}]", ["raspberry-pi-5"]),
    ("[{preset: raspberry-pi-5, count: 2}]", ["raspberry-pi-5-0", "raspberry-pi-5-1"]),
    ("[{preset: raspberry-pi-5}, {preset: raspberry-pi-5}]", ["raspberry-pi-5-0", "raspberry-pi-5-1"]),
    ("[{preset: raspberry-pi-5, name: pi, count: 2}]", ["pi-0", "pi-1"]),
    ("[{preset: raspberry-pi-5, name: pi}, {preset: jetson-nano}]", ["pi", "jetson-nano"]),
    ("[{preset: jetson-nano, name: pi-0}, {preset: raspberry-pi-5, name: pi, count: 2}]", ["pi-0", "pi-1", "pi-2"]),
    ("[{preset: jetson-nano}, {preset: raspberry-pi-5, name: jetson-nano}]", ["jetson-nano-0", "jetson-nano"]),
]


@pytest.mark.parametrize(("devices", "names"), NAMES)
def test_devices_have_distinct_names_numbered_where_they_share_one(load, devices, names):
    scenario = load(SMALL, {"devices": yaml.safe_load(devices)})
    assert [device.name for device in scenario.devices] == names
    assert len(set(names)) == len(names)


def test_terminal_and_ranks_are_found_by_index_or_name(load):
    overrides = {"terminal": "raspberry-pi-5-1", "ranks": ["raspberry-pi-5-1", 0]}
    scenario = load(overrides=overrides)
    assert (scenario.terminal, scenario.ranks, scenario.written.ranks_given) == (1, (1, 0), True)


def test_single_runs_on_the_terminal_unless_ranks_name_one_device(load):
    assert load(overrides=["strategy.name=single", "terminal=1"]).active_ranks == (1,)
    assert load(overrides=["strategy.name=single", "terminal=1", "ranks=[0]"]).active_ranks == (0,)
    assert load(overrides=["ranks=[1, 0]"]).active_ranks == (1, 0)


def test_tokens_follow_from_the_model_where_it_leaves_no_choice(load):
    assert load(overrides=["model.preset=vit-base-patch16-384"]).workload.tokens == 24 * 24 + 1
    assert load(overrides=["model.preset=gpt2"]).workload.tokens == 128


def test_a_short_model_has_as_many_tokens_as_positions(load):
    dims = {"model_type": "bert", "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    dims |= {"intermediate_size": 16, "max_position_embeddings": 32}
    scenario = load(overrides={"model.dims": dims})
    assert scenario.workload.tokens == 32
    assert (scenario.model.config, scenario.model.hub_id, scenario.model.folder) == (dims, None, None)


def test_an_input_is_found_beside_the_scenario_and_decides_the_tokens(load, tmp_path):
    (tmp_path / "text.txt").write_text("the quick brown fox")
    workload = load(overrides=["workload.input=text.txt"]).workload
    assert (workload.input, workload.tokens) == (tmp_path / "text.txt", None)


# --- models from Hugging Face -------------------------------------------------------------------------------------


def folder_with(path: Path, config) -> Path:
    path.mkdir()
    (path / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
    return path


BERT = {
    "model_type": "bert",
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
}


@pytest.mark.parametrize("written", ["./mine", "mine"])
def test_a_local_folder_gives_its_own_dimensions(load, tmp_path, written):
    folder = folder_with(tmp_path / "mine", BERT)
    model = load(overrides={"model.hf": written}).model
    assert (model.config, model.folder, model.hub_id, model.label) == (BERT, folder, None, "mine")
    assert model.weights == "random"


def test_a_folder_that_holds_weights_is_pretrained_unless_told_otherwise(load, tmp_path):
    (folder_with(tmp_path / "mine", BERT) / "model.safetensors").touch()
    assert load(overrides=["model.hf=./mine"]).model.weights == "pretrained"
    assert load(overrides=["model.hf=./mine", "model.weights=random"]).model.weights == "random"


# (content of config.json, part of the message)
WRONG_CONFIGS = [
    ("{", "cannot be read as JSON"),
    ("[]", "must hold an object"),
    ("[" * 100_000, "cannot be read as JSON"),
    ({}, "model_type is missing"),
    ({"model_type": "brt"}, "did you mean 'bert'"),
    (
        {"model_type": "mamba"},
        "supported: bert, deit, dinov2, distilbert, gpt2, llama, mistral, qwen2, qwen3, qwen3_moe, roberta, vit",
    ),
    ({"model_type": "llama", "hidden_size": 64, "rope_scaling": {"type": "yarn", "factor": 4}}, "linear, llama3"),
    ({"model_type": ["bert"]}, "not supported"),
    ({"model_type": "bert"}, "'hidden_size'"),
    (BERT | {"num_attention_heads": 3}, "multiple of the 3"),
    (BERT | {"num_attention_heads": 0}, "n_heads"),
    (BERT | {"is_decoder": True}, "decoder"),
    (BERT | {"max_position_embeddings": "many"}, "many"),
    (BERT | {"id2label": 3}, "len"),
]


@pytest.mark.parametrize(("config", "part"), WRONG_CONFIGS)
def test_a_folder_with_an_unusable_config_is_refused(load, tmp_path, config, part):
    folder_with(tmp_path / "mine", config)
    with pytest.raises(ScenarioError, match=r"--set model\.hf=\./mine: model\.hf: ") as caught:
        load(overrides=["model.hf=./mine"])
    assert part in str(caught.value)


def test_a_folder_without_config_is_refused(load, tmp_path):
    (tmp_path / "mine").mkdir()
    with pytest.raises(ScenarioError, match=r"no config\.json"):
        load(overrides=["model.hf=mine"])


def test_a_hub_id_of_a_preset_has_its_dimensions_and_another_waits_for_them(load):
    known = load(overrides=["model.hf=google/vit-base-patch16-224"])
    assert (known.model.hub_id, known.workload.tokens) == ("google/vit-base-patch16-224", 197)
    other = load(overrides=["model.hf=someone/else"])
    assert (other.model.hub_id, other.model.config, other.workload.tokens) == ("someone/else", None, None)


def test_dimensions_alone_have_no_pretrained_weights(load):
    with pytest.raises(ScenarioError, match="sizes alone"):
        load(overrides={"model.dims": BERT, "model.weights": "pretrained"})


# --- overrides ----------------------------------------------------------------------------------------------------


def test_an_override_reads_as_if_it_were_written(load):
    changed = load(overrides=["network.bandwidth=50 Mbit/s", "workload.batch=4", "devices[0].count=3"])
    written = load(
        SMALL.replace("count: 2", "count: 3").replace("ethernet}", "ethernet, bandwidth: 50 Mbit/s}")
        + "workload: {batch: 4}\n"
    )
    assert changed == written
    assert changed.hash == written.hash


def test_an_override_drops_what_it_excludes(load):
    options = load(overrides=["strategy.compression_rate=16"]).strategy.options
    assert (options.segments, options.compression_rate) == (None, 16.0)
    network = load(overrides=["network.preset=lte", "network.bandwidth=7 Mbit/s"]).network
    assert (network.up_bits_per_s, network.down_bits_per_s) == (7e6, 7e6)
    assert load(overrides=["model.hf=gpt2"]).model.label == "gpt2"


def test_null_takes_a_field_away(load):
    assert load(overrides=["strategy.segments=null"]).strategy.options.segments is None


def test_the_last_of_two_overrides_of_a_field_holds(load):
    assert load(overrides=["seed=1", "seed=2"]).seed == 2


def test_later_overrides_win_over_earlier_ones_and_leave_the_scenario_as_it_was(load):
    scenario = load(overrides=["strategy.segments=3", "seed=5"])
    further = scenario.with_overrides(["strategy.compression_rate=8"])
    assert (further.strategy.options.segments, further.strategy.options.compression_rate) == (None, 8.0)
    assert (further.seed, scenario.strategy.options.segments) == (5, 3)


def test_a_loop_over_segments_gives_what_single_files_give(load):
    scenario = load()
    for segments in (1, 2, 5):
        looped = scenario.with_overrides({"strategy.segments": segments})
        assert looped == load(SMALL.replace("segments: 4", f"segments: {segments}"))


# --- strategies ---------------------------------------------------------------------------------------------------


def test_options_of_other_strategies_are_kept_checked_and_reported(load):
    scenario = load(overrides=["strategy.name=voltage", "strategy.shares=[0.25, 0.75]"])
    assert scenario.written.unused_fields == ("strategy.segments",)
    assert scenario.strategy.options.shares == (0.25, 0.75)
    assert scenario.strategy_options("prism").segments == 4
    assert scenario.strategy_options("single") == strategies.find("single").options()
    with pytest.raises(ScenarioError, match=">= 1"):
        load(overrides=["strategy.name=voltage", "strategy.segments=0"])


def test_options_that_mean_nothing_to_the_compressor_change_no_hash(load):
    def of(**options):
        return load(overrides={f"strategy.{name}": value for name, value in options.items()}).hash

    assert of(codebook_size=64) == of() != of(segments=5)
    assert of(compressor="int8", segments=5) == of(compressor="int8") != of()
    assert of(compressor="vector_quantisation", codebook_size=64) != of(compressor="vector_quantisation")


def test_every_strategy_takes_the_defaults_of_its_own_options(load):
    for name, strategy in strategies.catalogue().items():
        text = SMALL.replace("{name: prism, segments: 4}", f"{{name: {name}}}")
        assert load(text).strategy.options == strategy.options()


def test_a_new_strategy_brings_its_options_without_a_change_here(load, monkeypatch):
    @dataclass(frozen=True)
    class Options:
        width: int = 2
        mode: str | None = None
        tall: bool = False
        segments: str | None = None  # another kind than PRISM's field of this name

    new = replace(strategies.find("voltage"), name="new", options=Options)
    known = {**strategies.catalogue(), "new": new}
    monkeypatch.setattr(strategies, "catalogue", lambda: known)
    monkeypatch.setattr(strategies, "find", known.__getitem__)
    caches = (
        *(strategy_section.section_model, strategy_section.options_model, strategy_section.exclusions),
        *(schema.scenario_model, schema.known_fields, schema.exclusions),
    )

    def forget():
        for cached in caches:
            cached.cache_clear()

    # get_type_hints finds nothing in a class made inside a function unless its annotations are types already
    width = Annotated[int, Ge(2), doc("columns"), Excludes("tall")]
    Options.__annotations__ = {"width": width, "mode": Literal["a", "b"] | None, "tall": bool, "segments": str | None}
    forget()
    try:
        prefix = ["strategy.segments=null", "strategy.name=new"]
        assert load(overrides=[*prefix, "strategy.mode=b"]).strategy.options == Options(mode="b")
        assert load(overrides=["strategy.name=new", "strategy.segments=x"]).strategy.options.segments == "x"
        assert load(overrides=["strategy.tall=true"]).written.unused_fields == ("strategy.tall",)
        for wrong, part in [
            ("width=1", ">= 2"),
            ("mode=c", "a, b"),
            ("tall=1", "true nor false"),
            ("segments=3", "text"),
        ]:
            with pytest.raises(ScenarioError, match=part):
                load(overrides=[*prefix, f"strategy.{wrong}"])
        with pytest.raises(ScenarioError, match="together"):
            load(overrides=[*prefix, "strategy.width=3", "strategy.tall=true"])
    finally:
        monkeypatch.undo()
        forget()


# --- sweeps -------------------------------------------------------------------------------------------------------


def test_a_range_holds_both_ends_and_even_steps(load):
    ranges = {
        "network.bandwidth": {"from": "10 Mbit/s", "to": "1 Gbit/s", "points": 5, "scale": "log"},
        "network.latency": {"from": "0 s", "to": "4 ms", "points": 5},
        "strategy.segments": {"from": 1, "to": 4, "points": 10},
    }
    bandwidth, latency, segments = sweep_axes(load(overrides={"sweep": ranges}))
    assert (bandwidth.numbers[0], bandwidth.numbers[-1], bandwidth.unit) == (1e7, 1e9, "bit/s")
    ratios = [after / before for before, after in zip(bandwidth.numbers, bandwidth.numbers[1:], strict=False)]
    assert ratios == pytest.approx([10**0.5] * 4)
    assert latency.numbers == pytest.approx((0, 1e-3, 2e-3, 3e-3, 4e-3))
    assert segments.values == (1, 2, 3, 4)


def test_every_value_of_an_axis_can_be_set(load):
    scenario = load(
        overrides=[
            "sweep.network.bandwidth={from: 10 Mbit/s, to: 1 Gbit/s, points: 4}",
            "sweep.strategy.shares=[null, [0.5, 0.5]]",
            "sweep.strategy.compression_rate=[2, 4.5]",
            "sweep.devices[0].preset=[jetson-nano, jetson-tx2]",
        ]
    )
    axes = sweep_axes(scenario)
    for axis in axes:
        for value in axis.values:
            scenario.with_overrides({axis.field: value})
    for value, number in zip(axes[0].values, axes[0].numbers, strict=True):
        assert scenario.with_overrides({"network.bandwidth": value}).network.up_bits_per_s == number


# --- identity -----------------------------------------------------------------------------------------------------


def test_the_hash_ignores_names_comments_spelling_and_folders(load, tmp_path):
    scenario = load()
    (tmp_path / "elsewhere").mkdir()
    spelt = "# a comment\nname: other\n" + SMALL.replace(
        "preset: gigabit-ethernet", "bandwidth: 0.941 Gbit/s, latency: 113 us, message_overhead: 0.3 ms"
    )
    assert load(spelt, name="elsewhere/other.yaml").hash == scenario.hash
    voltage = load(overrides=["strategy.name=voltage"])
    assert voltage.hash == load(overrides=["strategy.name=voltage", "strategy.segments=9"]).hash


def test_the_hash_sees_the_content_of_an_input_not_its_place(load, tmp_path):
    (tmp_path / "a.txt").write_text("one")
    shutil.copy(tmp_path / "a.txt", tmp_path / "b.txt")
    same = {load(overrides=[f"workload.input={name}"]).hash for name in ("a.txt", "b.txt")}
    (tmp_path / "b.txt").write_text("two")
    assert len(same) == 1
    assert load(overrides=["workload.input=b.txt"]).hash not in same


@pytest.mark.parametrize(
    "override",
    [
        "seed=1",
        "strategy.segments=5",
        "strategy.name=voltage",
        "workload.batch=2",
        "workload.tokens=64",
        "devices[0].op_overhead=1 ms",
        "network.latency=1 ms",
        "terminal=1",
        "ranks=[1, 0]",
        "placement.input=replicated",
        "model.preset=bert-mini",
        "model.dtype=float16",
        "model.weights=pretrained",
    ],
)
def test_the_hash_sees_whatever_changes_a_result(load, override):
    assert load(overrides=[override]).hash != load().hash


def test_a_scenario_is_frozen_and_crosses_between_processes(load):
    scenario = load(overrides=["seed=3"])
    with pytest.raises(FrozenInstanceError):
        scenario.seed = 4
    again = pickle.loads(pickle.dumps(scenario))
    assert again == scenario
    assert again.hash == scenario.hash
    assert again.with_overrides(["workload.batch=2"]).seed == 3
    assert len({scenario, again}) == 1


def test_the_json_schema_names_every_field_and_preset():
    exported = json_schema()
    text = json.dumps(exported)
    assert exported["additionalProperties"] is False
    for word in (
        "staging_bandwidth",
        "compression_rate",
        "jetson-orin-nano",
        "gigabit-ethernet",
        "gpt2",
        "segment_means",
    ):
        assert f'"{word}"' in text


def test_loading_a_scenario_needs_neither_torch_nor_the_timing_model():
    without_task = next(path for path in READY if "task:" not in path.read_text(encoding="utf-8"))
    code = (
        "import sys; from prism_sim.scenario import load_scenario, sweep_axes; "
        f"sweep_axes(load_scenario({str(without_task)!r})); "
        "print([name for name in ('torch', 'simpy', 'pandas', 'transformers', 'numpy', 'prism_sim.timing',"
        " 'prism_sim.numeric', 'prism_sim.simulation') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
