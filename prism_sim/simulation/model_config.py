"""A scenario's model as its configuration describes it, from the Hugging Face hub or its cache where an id is given."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from prism_sim import hub
from prism_sim.scenario import Scenario
from prism_sim.scenario.architecture import checked
from prism_sim.scenario.spec import ModelSpec

CONFIG = "config.json"


def model_config(scenario: Scenario) -> Mapping[str, Any]:
    """As in config.json. Raises ScenarioError as `model_spec`."""
    config = model_spec(scenario).config
    assert config is not None
    return config


def model_spec(scenario: Scenario) -> ModelSpec:
    """The model with its configuration, head and element type, also where that took a look at the hub.

    Raises ScenarioError if its configuration cannot be had, or is of no model that can be distributed.
    """
    spec, at = scenario.model, ("model", "hf")
    if spec.config is not None:
        return spec
    assert spec.hub_id is not None
    source = scenario.written.source
    try:
        config = _hub_config(spec.hub_id)
    except (OSError, ValueError) as error:
        reason = str(error).strip().split("\n")[0].removesuffix(".")
        message = f"{CONFIG} of {spec.hub_id!r} cannot be had: {reason}; give a folder or a preset"
        raise source.error(at, message) from error
    return checked(replace(spec, config=config), at, source)


@lru_cache(maxsize=32)
def _hub_config(hub_id: str) -> dict[str, Any]:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        path = hf_hub_download(hub_id, CONFIG, local_files_only=True)
    except LocalEntryNotFoundError:
        if (reason := hub.unreachable()) is not None:
            raise OSError(f"it is not in the local cache, and {reason}") from None
        path = hf_hub_download(hub_id, CONFIG)
    with open(path, encoding="utf-8") as file:
        config = json.load(file)
    if not isinstance(config, dict):
        raise ValueError("it holds no mapping")
    return config
