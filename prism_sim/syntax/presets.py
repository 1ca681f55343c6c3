"""Ready models, devices and networks (data in `presets/*.yaml`), each number with its source."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

import yaml

_NAME = re.compile(r"^([\w.-]+):$", re.MULTILINE)  # of an entry; whatever is indented belongs to it
KINDS = ("models", "devices", "networks")
RUNTIMES = (  # that are met; a file of one's own may name others
    "pytorch",
    "llama.cpp",
    "distributed-llama",
    "ncnn",
    "whisper.cpp",
    "tflite",
    "tensorrt",
    "mlc",
    "vllm",
    "onnxruntime",
    "qnn",
    "esp-dsp",
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a preset, as a scenario would write it (`1.28 TFLOP/s`), and where it comes from.

    interval: the 90 % interval of the fit that it comes from, written alike; None where there is none.
    """

    field: str
    text: str
    source: str
    interval: tuple[str, str] | None = None


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
    """A device or a network. settings: fields that are no quantities, such as the medium, as YAML writes them.

    figures: those that hold under every runtime of a device. by_runtime: further ones, or others in place of these, by
    the name of the framework that reaches them; runtime: the name that a silent scenario means. Without: None, {}.
    """

    name: str
    summary: str
    figures: tuple[Figure, ...]
    settings: tuple[tuple[str, str], ...] = ()
    runtime: str | None = None
    by_runtime: Mapping[str, tuple[Figure, ...]] = field(default_factory=dict, hash=False)

    @property
    def fields(self) -> dict[str, str | bool | float]:
        """All that it states, as a scenario's section would, under its usual runtime."""
        return self.fields_under(self.runtime)

    def fields_under(self, runtime: str | None) -> dict[str, str | bool | float]:
        """KeyError for a runtime that it does not know, as below."""
        plain = {"true": True, "false": False}
        settings = {name: plain.get(text, text) for name, text in self.settings}
        return {figure.field: _written(figure.text) for figure in self.figures_under(runtime)} | settings

    def intervals_under(self, runtime: str | None) -> dict[str, tuple[str | float, str | float]]:
        """Low and high of those numbers that have an interval, as a scenario's section would state them."""
        intervals = {figure.field: figure.interval for figure in self.figures_under(runtime)}
        return {field: (_written(one[0]), _written(one[1])) for field, one in intervals.items() if one is not None}

    def figures_under(self, runtime: str | None) -> tuple[Figure, ...]:
        """What holds under every runtime, and this one's own, which win."""
        own = self.by_runtime[runtime] if runtime is not None else ()
        return tuple({figure.field: figure for figure in (*self.figures, *own)}.values())


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
        """KeyError if there is none of this name, as in the others."""
        return self.models.get(name) or model(name)

    def device(self, name: str) -> HardwarePreset:
        return self.devices.get(name) or _hardware("devices", name)

    def network(self, name: str) -> HardwarePreset:
        return self.networks.get(name) or _hardware("networks", name)

    def model_of_hub(self, hub_id: str) -> ModelPreset | None:
        """The preset whose hub id, or whose bare name, this is."""
        every = (*models(), *self.models.values())
        return next((preset for preset in every if hub_id in (preset.hub_id, preset.name)), None)


READY = PresetBook()


def models() -> tuple[ModelPreset, ...]:
    """All ready presets of models, as the next two of devices and networks."""
    return tuple(map(_model, names("models")))


def devices() -> tuple[HardwarePreset, ...]:
    return tuple(_hardware("devices", name) for name in names("devices"))


def networks() -> tuple[HardwarePreset, ...]:
    return tuple(_hardware("networks", name) for name in names("networks"))


def names(kind: str) -> tuple[str, ...]:
    """Names of all ready presets of a kind: models, devices or networks."""
    return tuple(_texts(kind))


def model(name: str) -> ModelPreset:
    """The ready model of this name; KeyError if there is none."""
    return _model(name)


@cache
def _model(name: str) -> ModelPreset:
    return model_preset(name, _entry("models", name))


@cache
def _hardware(kind: str, name: str) -> HardwarePreset:
    return hardware_preset(name, _entry(kind, name))


def model_preset(name: str, entry: Mapping[str, Any]) -> ModelPreset:
    """From an entry as `presets/models.yaml` has them."""
    return ModelPreset(name, entry["hub"], entry["head"], entry["source"], dict(entry["config"]))


def hardware_preset(name: str, entry: Mapping[str, Any]) -> HardwarePreset:
    """From an entry as `presets/devices.yaml` and `presets/networks.yaml` have them."""
    by_runtime = {runtime: _figures(numbers) for runtime, numbers in entry.get("runtimes", {}).items()}
    stated = {key: value for key, value in entry.items() if key not in ("summary", "runtime", "runtimes")}
    settings = [(key, _text(value)) for key, value in stated.items() if not isinstance(value, dict)]
    return HardwarePreset(name, entry["summary"], _figures(stated), tuple(settings), entry.get("runtime"), by_runtime)


def _figures(stated: Mapping[str, Any]) -> tuple[Figure, ...]:
    """Of those fields that are numbers."""
    numbers = {key: value for key, value in stated.items() if isinstance(value, dict)}
    return tuple(Figure(key, str(one["value"]), one["source"], _interval(one)) for key, one in numbers.items())


def _interval(number: Mapping[str, Any]) -> tuple[str, str] | None:
    if "range" not in number:
        return None
    low, high = number["range"]
    return str(low), str(high)


def _written(text: str) -> str | float:
    """A number that has no unit, such as an efficiency, as a number."""
    try:
        return float(text)
    except ValueError:
        return text


def _text(setting: str | bool) -> str:
    return setting if isinstance(setting, str) else str(setting).lower()


def _entry(kind: str, name: str) -> dict[str, Any]:
    """Read from its own lines alone: all together take longer than a scenario does. KeyError if there is none."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C parser where it is built: 10 times faster
    entry: dict[str, Any] = yaml.load(_texts(kind)[name], Loader=loader)[name]
    return entry


@cache
def _texts(kind: str) -> dict[str, str]:
    """The lines of each entry, by its name, which begins them."""
    text = resources.files("prism_sim.syntax").joinpath("presets", f"{kind}.yaml").read_text(encoding="utf-8")
    begun = [*_NAME.finditer(text)]
    ends = [*(match.start() for match in begun[1:]), len(text)]
    return {match[1]: text[match.start() : end] for match, end in zip(begun, ends, strict=True)}
