"""A scenario's model configuration, from the Hugging Face hub or its local cache where only an id is given."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from prism_sim.scenario import Scenario


def model_config(scenario: Scenario) -> Mapping[str, Any]:
    """As in config.json. Raises ScenarioError if the hub's cannot be had."""
    spec = scenario.model
    if spec.config is not None:
        return spec.config
    assert spec.hub_id is not None
    try:
        return _hub_config(spec.hub_id)
    except (OSError, ValueError) as error:
        reason = str(error).strip().split("\n")[0].removesuffix(".")
        raise scenario.origin.overridden().error(
            ("model", "hf"), f"config.json of {spec.hub_id!r} cannot be had: {reason}; give a folder or a preset"
        ) from error


@lru_cache(maxsize=32)
def _hub_config(hub_id: str) -> Mapping[str, Any]:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        path = hf_hub_download(hub_id, "config.json", local_files_only=True)
    except LocalEntryNotFoundError:
        path = hf_hub_download(hub_id, "config.json")
    with open(path, encoding="utf-8") as file:
        config = json.load(file)
    if not isinstance(config, dict):
        raise ValueError("it holds no mapping")
    return config
