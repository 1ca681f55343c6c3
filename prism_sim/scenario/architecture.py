"""What a model's configuration says of it: family, sizes, head and element type; obeyed, or refused in one message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

from prism_sim import families
from prism_sim.element_types import ELEMENT_TYPES
from prism_sim.families import Dimensions, Family
from prism_sim.scenario.spec import ModelSpec
from prism_sim.syntax.errors import FieldPath, ScenarioError, shown
from prism_sim.syntax.yaml_source import Source

Refuse = Callable[[str | None, str], ScenarioError]  # of a key of the configuration, None: of all of it, and a rule
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

    def refuse(key: str | None, rule: str) -> ScenarioError:
        in_file = path == ("model", "dims")  # there a key has a place of its own
        return source.error((*path, key) if in_file and key is not None else path, f"{_where(spec)}{rule}")

    sizes = _dimensions(spec.config, refuse)
    _check_groups(spec, sizes, source)
    family = families.find(sizes.family)
    stated = (source.tree.get("model") or {}).get("dtype") is not None
    found = replace(
        spec,
        head=_head(spec.head, family, spec.config, refuse, source),
        dtype=spec.dtype if stated else _dtype(spec, refuse),
    )
    if (reason := family.head(found.head).refuse(spec.config, 1)) is not None:
        raise refuse(None, reason)
    return found


def _where(spec: ModelSpec) -> str:
    """The file that is at fault, where it is not the scenario's own."""
    if spec.folder is not None:
        return f"{spec.folder / 'config.json' if spec.folder.is_dir() else spec.folder}: "
    return "" if spec.hub_id is None else f"config.json of {spec.hub_id!r}: "


def _dimensions(config: dict[str, Any], refuse: Refuse) -> Dimensions:
    """Sizes by the model's family. Raises ScenarioError if there is no such family, or if it refuses them."""
    kind, known = config.get("model_type"), families.catalogue()
    if not isinstance(kind, str) or kind not in known:
        wrong = f"model_type {shown(kind)} is not supported" if kind is not None else "model_type is missing"
        hint = families.misspelt(kind) if isinstance(kind, str) else ""
        raise refuse("model_type", f"{wrong}; supported: {', '.join(known)}{hint}")
    family = known[kind]
    try:
        if (reason := family.refuse(config)) is not None:
            raise ValueError(reason)
        return family.dimensions(config)
    except (ValueError, TypeError, ArithmeticError, AttributeError) as problem:  # of whatever a config.json may hold
        named = next((key for key in config if shown(key) in str(problem) or f"{key} " in str(problem)), None)
        raise refuse(named, str(problem)) from None


def _check_groups(spec: ModelSpec, sizes: Dimensions, source: Source) -> None:
    """Raises ScenarioError for weights or rows that are to be kept in groups which do not divide them."""
    if spec.weight_dtype and (reason := sizes.ungrouped_weights(ELEMENT_TYPES[spec.weight_dtype])) is not None:
        raise source.error(("model", "weight_dtype"), reason)
    if spec.wire_dtype and (reason := sizes.ungrouped_rows(ELEMENT_TYPES[spec.wire_dtype])) is not None:
        raise source.error(("model", "wire_dtype"), reason)


def _head(asked: str | None, family: Family, config: dict[str, Any], refuse: Refuse, source: Source) -> str | None:
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
    raise refuse("architectures", f"{rule}; {remedy}")


def _dtype(spec: ModelSpec, refuse: Refuse) -> Literal["float32", "float16", "bfloat16"]:
    """The configuration's; torch_dtype is the older name, which Hugging Face reads where there is no dtype."""
    assert spec.config is not None
    key = "torch_dtype" if spec.config.get("dtype") is None else "dtype"
    if (said := spec.config.get(key)) is None:
        return spec.dtype
    found = DTYPES.get(said.removeprefix("torch.")) if isinstance(said, str) else None
    if found is None:
        rule = f"{key} {shown(said)} is not supported; write model.dtype, one of {', '.join(DTYPES)}, to convert it"
        raise refuse(key, rule)
    return found
