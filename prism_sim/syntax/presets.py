"""Ready models, devices and networks (data in `presets/*.yaml`), each number with its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

import yaml

KINDS = ("models", "devices", "networks")


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a preset, as a scenario would write it (`1.28 TFLOP/s`), and where it comes from."""

    field: str
    text: str
    source: str


@dataclass(frozen=True, slots=True)
class ModelPreset:
    """A model under its hub name. config: what the hub's config.json says of its dimensions."""

    name: str
    hub_id: str
    head: str
    source: str
    config: Mapping[str, Any] = field(hash=False)


@dataclass(frozen=True, slots=True)
class HardwarePreset:
    """A device or a network. settings: fields that are no quantities, such as the medium, as YAML writes them."""

    name: str
    summary: str
    figures: tuple[Figure, ...]
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def fields(self) -> dict[str, str | bool | float]:
        """All that it states, as a scenario's section would."""
        plain = {"true": True, "false": False}
        settings = {name: plain.get(text, text) for name, text in self.settings}
        return {figure.field: _written(figure.text) for figure in self.figures} | settings


@dataclass(frozen=True, slots=True)
class PresetBook:
    """What a scenario can name: the ready presets and, by name, those of files of one's own.

    texts: of each such file, its name as the scenario writes it and what it held when it was read.
    """

    texts: tuple[tuple[str, str], ...] = ()
    models: Mapping[str, ModelPreset] = field(default_factory=dict)
    devices: Mapping[str, HardwarePreset] = field(default_factory=dict)
    networks: Mapping[str, HardwarePreset] = field(default_factory=dict)

    def names(self, kind: str) -> tuple[str, ...]:
        """Names of all presets of a kind: models, devices or networks."""
        return (*names(kind), *getattr(self, kind))

    def model(self, name: str) -> ModelPreset:
        """As `presets.model`."""
        return self.models.get(name) or model(name)

    def device(self, name: str) -> HardwarePreset:
        """As `presets.device`."""
        return self.devices.get(name) or device(name)

    def network(self, name: str) -> HardwarePreset:
        """As `presets.network`."""
        return self.networks.get(name) or network(name)

    def model_of_hub(self, hub_id: str) -> ModelPreset | None:
        """The preset whose hub id, or whose bare name, this is."""
        every = (*models(), *self.models.values())
        return next((preset for preset in every if hub_id in (preset.hub_id, preset.name)), None)


READY = PresetBook()


def models() -> tuple[ModelPreset, ...]:
    """All model presets."""
    return tuple(model_preset(name, entry) for name, entry in _entries("models").items())


def devices() -> tuple[HardwarePreset, ...]:
    """All device presets."""
    return tuple(hardware_preset(name, entry) for name, entry in _entries("devices").items())


def networks() -> tuple[HardwarePreset, ...]:
    """All network presets."""
    return tuple(hardware_preset(name, entry) for name, entry in _entries("networks").items())


def names(kind: str) -> tuple[str, ...]:
    """Names of all presets of a kind: models, devices or networks."""
    return tuple(_entries(kind))


@cache
def model(name: str) -> ModelPreset:
    """The model preset of this name; KeyError if there is none."""
    return {preset.name: preset for preset in models()}[name]


@cache
def device(name: str) -> HardwarePreset:
    """The device preset of this name; KeyError if there is none."""
    return hardware_preset(name, _entries("devices")[name])


@cache
def network(name: str) -> HardwarePreset:
    """The network preset of this name; KeyError if there is none."""
    return hardware_preset(name, _entries("networks")[name])


def model_preset(name: str, entry: Mapping[str, Any]) -> ModelPreset:
    """From an entry as `presets/models.yaml` has them."""
    return ModelPreset(name, entry["hub"], entry["head"], entry["source"], dict(entry["config"]))


def hardware_preset(name: str, entry: Mapping[str, Any]) -> HardwarePreset:
    """From an entry as `presets/devices.yaml` and `presets/networks.yaml` have them."""
    stated = {key: value for key, value in entry.items() if key != "summary"}
    figures = [
        Figure(key, str(value["value"]), value["source"]) for key, value in stated.items() if isinstance(value, dict)
    ]
    settings = [(key, _text(value)) for key, value in stated.items() if not isinstance(value, dict)]
    return HardwarePreset(name, entry["summary"], tuple(figures), tuple(settings))


def _written(text: str) -> str | float:
    """A number that has no unit, such as an efficiency, as a number."""
    try:
        return float(text)
    except ValueError:
        return text


def _text(setting: str | bool) -> str:
    return setting if isinstance(setting, str) else str(setting).lower()


@cache
def _entries(kind: str) -> dict[str, dict[str, Any]]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C parser where it is built: 10 times faster
    text = resources.files("prism_sim.syntax").joinpath("presets", f"{kind}.yaml").read_text(encoding="utf-8")
    entries: dict[str, dict[str, Any]] = yaml.load(text, Loader=loader)
    return entries
