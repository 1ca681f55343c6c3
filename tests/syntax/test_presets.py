"""Presets: every name that scenarios rely on is there, and every number says where it comes from."""

from __future__ import annotations

import re

import pytest

from prism_sim import families
from prism_sim.scenario import load_scenario
from prism_sim.syntax import presets

DEVICES = [
    "raspberry-pi-4",
    "raspberry-pi-5",
    "jetson-nano",
    "jetson-tx2",
    "jetson-orin-nano",
    "snapdragon-8-gen-3",
    "esp32-s3",
    "nrf52840",
    "laptop-cpu",
]
NETWORKS = [
    "loopback",
    "gigabit-ethernet",
    "fast-ethernet",
    "wifi-4",
    "wifi-5",
    "wifi-6",
    "wifi-6e",
    "lte",
    "5g",
    "ble",
    "ieee-802.15.4",
]

# million parameters as published, with or without the head: hence a tolerance
PUBLISHED_PARAMETERS = [
    ("vit-tiny-patch16-224", 5.7),
    ("vit-small-patch16-224", 22),
    ("vit-base-patch16-224", 86),
    ("vit-large-patch16-224", 307),
    ("vit-huge-patch14-224-in21k", 632),
    ("bert-tiny", 4.4),
    ("bert-mini", 11.3),
    ("bert-small", 29.1),
    ("bert-medium", 41.7),
    ("bert-base-uncased", 110),
    ("bert-large-uncased", 340),
    ("gpt2", 124),
    ("distilgpt2", 82),
    ("gpt2-medium", 355),
    ("gpt2-large", 774),
    ("gpt2-xl", 1558),
]
FIGURES = [
    (".".join((preset.name, *runtime)), figure)
    for preset in (*presets.devices(), *presets.networks())
    for runtime, figures in (((), preset.figures), *(((name,), own) for name, own in preset.by_runtime.items()))
    for figure in figures
]


def scenario_text(model="bert-tiny", device="raspberry-pi-5", network="loopback") -> str:
    return (
        f"model: {{preset: {model}}}\ndevices: [{{preset: {device}}}]\nnetwork: {{preset: {network}}}\n"
        "strategy: {name: single}\n"
    )


def test_every_promised_name_is_a_preset():
    assert set(DEVICES) <= set(presets.names("devices"))
    assert set(NETWORKS) <= set(presets.names("networks"))
    assert {"vit-base-patch16-224", "bert-base-uncased", "gpt2"} <= set(presets.names("models"))


@pytest.mark.parametrize(("name", "figure"), FIGURES, ids=[f"{name}.{figure.field}" for name, figure in FIGURES])
def test_every_number_has_a_source_with_its_year_or_says_that_it_has_none(name, figure):
    dated = re.search(r"\b20[12]\d\b", figure.source)
    assert dated or figure.source.startswith(("assumption", "derived: "))


@pytest.mark.parametrize("preset", presets.models(), ids=lambda preset: preset.name)
def test_every_model_states_its_source_and_year(preset):
    assert re.search(r"\b20\d\d\b", preset.source)


@pytest.mark.parametrize("name", presets.names("devices"))
def test_every_device_preset_makes_a_device(tmp_path, name):
    file = tmp_path / "x.yaml"
    file.write_text(scenario_text(device=name))
    for runtime in (None, *presets.READY.device(name).by_runtime):
        (device,) = load_scenario(file, {"devices[0].runtime": runtime}).devices
        assert device.name == device.preset == name
        assert runtime in (None, device.runtime)
        assert device.idle_w <= device.busy_w


@pytest.mark.parametrize("name", presets.names("networks"))
def test_every_network_preset_makes_a_network(tmp_path, name):
    file = tmp_path / "x.yaml"
    file.write_text(scenario_text(network=name))
    network = load_scenario(file).network
    assert network.preset == name
    assert network.up_bits_per_s <= network.down_bits_per_s


@pytest.mark.parametrize("name", presets.names("models"))
def test_every_model_preset_is_a_model_of_a_known_family(tmp_path, name):
    file = tmp_path / "x.yaml"
    file.write_text(scenario_text(model=name))
    model = load_scenario(file).model
    family = families.find(model.config["model_type"])
    assert family.dimensions(model.config).n_blocks >= 2
    assert model.head in [head.name for head in family.heads]


@pytest.mark.parametrize(("name", "millions"), PUBLISHED_PARAMETERS)
def test_the_dimensions_make_the_published_number_of_parameters(name, millions):
    config = presets.model(name).config
    family = families.find(config["model_type"])
    sizes = family.dimensions(config)
    width, inner = sizes.width, sizes.feed_forward_width
    block = 4 * width * (width + 1) + 2 * width * inner + inner + width + 4 * width
    embedding = sum(layer.weights + layer.table for layer in family.embedding(sizes, 1, range(sizes.max_tokens)))
    assert (sizes.n_blocks * block + embedding) / 1e6 == pytest.approx(millions, rel=0.035)
