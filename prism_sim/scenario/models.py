"""The model of a scenario: its dimensions from a preset, a local folder or the file itself, and what they allow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from prism_sim import families, strategies
from prism_sim.catalogue import nearest
from prism_sim.scenario import gguf_header
from prism_sim.scenario.architecture import checked
from prism_sim.scenario.spec import ModelSpec, WorkloadSpec
from prism_sim.syntax import presets
from prism_sim.syntax.errors import FieldPath, shown
from prism_sim.syntax.sections import ModelSection, WorkloadSection
from prism_sim.syntax.yaml_source import Source

DEFAULT_TOKENS = 128  # of a text model whose scenario does not say
MAX_CONFIG_BYTES = 10_000_000
WEIGHT_FILES = ("*.safetensors", "*.safetensors.index.json", "pytorch_model*.bin")
GGUF = ".gguf"

# Keys of a config.json that change no size of a block, allowed in dims beside those of the presets.
_ALSO_IN_DIMS = frozenset(
    {
        "architectures",
        "attention_probs_dropout_prob",
        "attn_pdrop",
        "bos_token_id",
        "classifier_dropout",
        "dtype",
        "embd_pdrop",
        "encoder_stride",
        "eos_token_id",
        "hidden_dropout_prob",
        "id2label",
        "initializer_range",
        "label2id",
        "n_inner",
        "num_labels",
        "pad_token_id",
        "pooler_act",
        "pooler_output_size",
        "resid_pdrop",
        "scale_attn_weights",
        "tie_word_embeddings",
        "torch_dtype",
        "use_cache",
    }
)


def model(section: ModelSection, source: Source) -> ModelSpec:
    """Raises ScenarioError unless one of preset, hf and dims is given and is a model that can be distributed."""
    given = [kind for kind in ("preset", "hf", "dims") if getattr(section, kind) is not None]
    if len(given) != 1:
        wrong = f"has {' and '.join(given)} together" if given else "names no model"
        raise source.error(("model",), f"{wrong}; write exactly one of preset, hf (hub id or folder) and dims")
    spec = {"preset": _of_preset, "hf": _of_hugging_face, "dims": _of_dims}[given[0]](section, source)
    return checked(spec, ("model", given[0]), source)


def workload(
    section: WorkloadSection, spec: ModelSpec, least_tokens: int, source: Source, usual_tokens: int = DEFAULT_TOKENS
) -> WorkloadSpec:
    """Raises ScenarioError if the tokens do not fit the model or the ranks, or if the input is no file.

    least_tokens: as many as ranks share them, 1 where none do. usual_tokens: of a text model, if the section does not
    say.
    """
    path: FieldPath = ("workload", "tokens")
    tokens = section.tokens
    if spec.config is not None:
        sizes = families.find(spec.config["model_type"]).dimensions(spec.config)
        fixed = families.find(sizes.family).fixed_tokens(sizes)
        if fixed is not None and tokens not in (None, fixed):
            rule = f"{tokens} does not fit {spec.label}, whose input always makes {fixed} tokens; remove the line"
            raise source.error(path, rule)
        if tokens is not None and tokens > sizes.most_tokens:
            what = "positions" if sizes.most_tokens == sizes.max_tokens else "tokens of the sliding attention window"
            rule = f"{tokens} is more than the {sizes.most_tokens} {what} of {spec.label}; write at most that"
            raise source.error(path, rule)
        if tokens is None and (fixed is not None or section.input is None):
            tokens = fixed or min(usual_tokens, sizes.most_tokens)
    if tokens is not None and tokens < least_tokens:
        others = [name for name, one in strategies.catalogue().items() if not (one.splits_tokens or one.one_rank)]
        remedy = f"name fewer ranks, or a strategy that does not split tokens ({', '.join(others)})"
        rule = f"{least_tokens} ranks cannot share {tokens} tokens: each needs at least one; {remedy}"
        raise source.error(path if section.tokens else ("ranks",), rule)
    return WorkloadSpec(section.batch, tokens, _input(section, source), section.new_tokens or 0)


def _input(section: WorkloadSection, source: Source) -> Path | None:
    if section.input is None:
        return None
    found = beside(section.input, source)
    if not found.is_file():
        rule = f"{shown(section.input)} is no file (looked for {found}); paths are relative to the scenario file"
        raise source.error(("workload", "input"), rule)
    return found


def n_blocks(config: Mapping[str, Any]) -> int:
    """Blocks of a model of this configuration, which `model` has accepted."""
    return families.find(str(config["model_type"])).dimensions(config).n_blocks


def _of_preset(section: ModelSection, source: Source) -> ModelSpec:
    preset = source.presets.model(str(section.preset))
    return of_config(section, preset.name, dict(preset.config), preset.hub_id, head=preset.head)


def _of_hugging_face(section: ModelSection, source: Source) -> ModelSpec:
    name, path = str(section.hf), ("model", "hf")
    folder = beside(name, source)
    if name.endswith(GGUF):
        return _of_gguf(section, folder, source)
    if name.startswith(("./", "../", "/", "~")) or name in (".", "..") or folder.is_dir():
        return of_folder(section, folder, source)
    if "\\" in name or " " in name or name.count("/") > 1:
        rule = f"{shown(name)} is neither a hub id such as google/vit-base-patch16-224 nor a folder"
        raise source.error(path, f"{rule} beside the scenario file; a folder's path may begin with ./")
    if (preset := source.presets.model_of_hub(name)) is not None:
        return of_config(section, name, dict(preset.config), preset.hub_id, head=preset.head)
    return of_config(section, name, None, name)


def of_folder(section: ModelSection, folder: Path, source: Source, path: FieldPath = ("model", "hf")) -> ModelSpec:
    """Raises ScenarioError, placed at `path`, unless it holds a config.json."""
    if not folder.is_dir():
        rule = f"{shown(section.hf)} is no folder (looked for {folder}); paths are relative to the scenario file"
        raise source.error(path, rule)
    file = folder / "config.json"
    if not file.is_file():
        found = sorted(one.name for one in folder.glob(f"*{GGUF}"))
        remedy = f"name one of its files: {', '.join(found)}" if found else "give a folder that save_pretrained wrote"
        raise source.error(path, f"{folder} has no config.json; {remedy}")
    try:
        if file.stat().st_size > MAX_CONFIG_BYTES:
            raise ValueError("it is too large")
        config = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as problem:
        raise source.error(path, f"{file} cannot be read as JSON: {problem}") from None
    if not isinstance(config, dict):
        raise source.error(path, f"{file} holds {shown(config)}, but must hold an object with model_type")
    if (folder / "adapter_config.json").is_file():
        rule = f"{folder} holds an adapter (adapter_config.json), which would be left out; merge it into the weights"
        raise source.error(path, f"{rule} (peft: merge_and_unload) and save those")
    weights = any(next(folder.glob(pattern), None) is not None for pattern in WEIGHT_FILES)
    return of_config(section, folder.resolve().name, config, None, folder=folder, weights=weights)


def _of_gguf(section: ModelSection, file: Path, source: Source) -> ModelSpec:
    """Raises ScenarioError unless the file says which model it holds."""
    path: FieldPath = ("model", "hf")
    if not file.is_file():
        rule = f"{shown(section.hf)} is no file (looked for {file}); paths are relative to the scenario file"
        raise source.error(path, rule)
    try:
        config = gguf_header.configuration(file)
    except (OSError, ValueError) as problem:
        raise source.error(path, f"{file} cannot be served as a GGUF file: {problem}") from None
    return of_config(section, file.stem, config, None, folder=file, weights=True)


def _of_dims(section: ModelSection, source: Source) -> ModelSpec:
    config = dict(section.dims or {})
    kind = config.get("model_type")
    if section.weights == "pretrained":
        rule = "pretrained needs a model with weights, but dims gives sizes alone; write random, or a preset or hf"
        raise source.error(("model", "weights"), rule)
    known = {key for preset in presets.models() if preset.config["model_type"] == kind for key in preset.config}
    known |= families.find(str(kind)).more_keys if known else set()
    for key in config if known else ():
        if key not in known and key not in _ALSO_IN_DIMS:
            hint = nearest(key, known) or f"; known: {', '.join(sorted(known))}"
            raise source.error(("model", "dims", key), f"{shown(key)} is no dimension of a {kind}{hint}", at_key=True)
    return of_config(section, f"{kind} of given dimensions", config, None)


def of_config(
    section: ModelSection,
    label: str,
    config: dict[str, Any] | None,
    hub_id: str | None = None,
    *,
    folder: Path | None = None,
    head: str | None = None,
    weights: bool = False,
) -> ModelSpec:
    """The section's model, of these dimensions.

    weights: the folder holds some, which are then used unless the section says otherwise.
    """
    default: Literal["random", "pretrained"] = "pretrained" if weights else "random"
    return ModelSpec(
        label=label,
        config=config,
        hub_id=hub_id,
        folder=folder,
        weights=section.weights or default,
        dtype=section.dtype or "float32",
        head=section.head or head,
        weight_dtype=section.weight_dtype,
        wire_dtype=section.wire_dtype,
    )


def beside(text: str, source: Source) -> Path:
    """A path as the scenario's writer means it: from the file's own folder."""
    try:
        return Path(source.file).parent / Path(text).expanduser()
    except RuntimeError:  # no home folder
        return Path(source.file).parent / text
