"""What a model's configuration says of it: family, sizes, head and element type; obeyed, or refused in one message."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from prism_sim import families
from prism_sim.families import Dimensions, Family
from prism_sim.scenario.errors import FieldPath, shown
from prism_sim.scenario.spec import ModelSpec
from prism_sim.scenario.yaml_source import Source

DTYPES: dict[str, Literal["float32", "float16", "bfloat16"]] = {
    "float32": "float32",
    "float16": "float16",
    "bfloat16": "bfloat16",
}


def checked(spec: ModelSpec, path: FieldPath, source: Source) -> ModelSpec:
    """With the head and the element type of its configuration, where the scenario does not say otherwise.

    Raises ScenarioError, placed at `path`, unless it can be distributed and has the head that is asked for.
    """
    if spec.config is None:
        return spec
    family = families.find(_dimensions(spec.config, path, source).family)
    stated = (source.tree.get("model") or {}).get("dtype") is not None
    found = replace(
        spec,
        head=_head(spec.head, family, spec.config, path, source),
        dtype=spec.dtype if stated else _dtype(spec, path, source),
    )
    if (reason := family.head(found.head).refuse(spec.config, 1)) is not None:
        raise source.error(path, reason)
    return found


def _dimensions(config: dict[str, Any], path: FieldPath, source: Source) -> Dimensions:
    """Sizes by the model's family. Raises ScenarioError if there is no such family, or if it refuses them."""
    kind, known = config.get("model_type"), families.catalogue()
    if not isinstance(kind, str) or kind not in known:
        wrong = f"model_type {shown(kind)} is not supported" if kind is not None else "model_type is missing"
        hint = families.misspelt(kind) if isinstance(kind, str) else ""
        raise source.error(_at(path, "model_type"), f"{wrong}; supported: {', '.join(known)}{hint}")
    family = known[kind]
    try:
        if (reason := family.refuse(config)) is not None:
            raise ValueError(reason)
        return family.dimensions(config)
    except (ValueError, TypeError, ArithmeticError, AttributeError) as problem:  # of whatever a config.json may hold
        named = next((key for key in config if shown(key) in str(problem) or f"{key} " in str(problem)), None)
        raise source.error(path if named is None else _at(path, named), str(problem)) from None


def _head(asked: str | None, family: Family, config: dict[str, Any], path: FieldPath, source: Source) -> str | None:
    """The scenario's or the preset's, else that of `architectures`, else None: the family's usual one."""
    known = {head.hf_class: head.name for head in family.heads}
    if asked is not None:
        if asked not in known.values():
            rule = f"{shown(asked)} does not fit a {family.model_type}: write one of {', '.join(known.values())}"
            raise source.error(("model", "head"), rule)
        return asked
    said = config.get("architectures")
    if not said:
        return None
    first = said[0] if isinstance(said, list) else said
    if isinstance(first, str) and first in known:
        return known[first]
    rule = f"architectures says {shown(first)}, which is not supported for a {family.model_type}: {', '.join(known)}"
    remedy = f"to use its blocks with another head, write model.head: {', '.join(known.values())}"
    raise source.error(_at(path, "architectures"), f"{rule}; {remedy}")


def _dtype(spec: ModelSpec, path: FieldPath, source: Source) -> Literal["float32", "float16", "bfloat16"]:
    """The configuration's; torch_dtype is the older name, which Hugging Face reads where there is no dtype."""
    assert spec.config is not None
    key = "torch_dtype" if spec.config.get("dtype") is None else "dtype"
    if (said := spec.config.get(key)) is None:
        return spec.dtype
    found = DTYPES.get(said.removeprefix("torch.")) if isinstance(said, str) else None
    if found is None:
        rule = f"{key} {shown(said)} is not supported; write model.dtype, one of {', '.join(DTYPES)}, to convert it"
        raise source.error(_at(path, key), rule)
    return found


def _at(path: FieldPath, key: str) -> FieldPath:
    """Where a key of the configuration is: in the scenario's own file, or behind the field that names a folder."""
    return (*path, key) if path == ("model", "dims") else path
