"""A scenario's task, and the model that answers it: its own reference, a checkpoint's folder, or what `model` names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from prism_sim import families
from prism_sim.catalogue import nearest
from prism_sim.scenario import models
from prism_sim.scenario.architecture import checked
from prism_sim.scenario.spec import ModelSpec, TaskSpec
from prism_sim.syntax.errors import FieldPath, shown
from prism_sim.syntax.sections import ModelSection
from prism_sim.syntax.task_section import REFERENCE, TaskSection
from prism_sim.syntax.yaml_source import Source

if TYPE_CHECKING:
    from prism_sim.tasks import Task

KINDS = ("preset", "hf", "dims")


def task(section: TaskSection | None, model: ModelSection | None, source: Source) -> TaskSpec | None:
    """Raises ScenarioError for a checkpoint or data that are not there, or a task without any model."""
    if section is None:
        return None
    data = None if section.data is None else models.beside(section.data, source)
    if data is not None and not data.exists():
        wrong = f"{shown(section.data)} does not exist (looked for {data}); paths are relative to the scenario file"
        raise source.error(("task", "data"), wrong)
    at: FieldPath = ("task", "checkpoint")
    if _names_one(model):
        if section.checkpoint is not None:
            wrong = "cannot stand beside a model: both say which weights answer the task; keep one"
            raise source.error(at, wrong, at_key=True)
    elif section.checkpoint in (None, REFERENCE) and find(section.name).reference is None:
        wrong = f"{section.name} has no small model of its own"
        if section.data is None:
            wrong = (
                f"{section.name} brings neither examples nor a model; write data: FOLDER (or have the hub's fetched)"
            )
        remedy = "write model: {hf: FOLDER}, or task.checkpoint, with a model that was trained for it"
        raise source.error(("task", "name"), f"{wrong}; {remedy}")
    return TaskSpec(section.name, _folder(section, at, source), section.examples, section.seed, data)


def usual_tokens(task: TaskSpec | None) -> int:
    """Of a text model: as many as the task's own model reads, whose examples are all of that length."""
    own = None if task is None else find(task.name).reference
    if own is None:
        return models.DEFAULT_TOKENS
    return families.find(str(own.config["model_type"])).dimensions(own.config).max_tokens


def model(section: ModelSection | None, task: TaskSpec | None, source: Source) -> ModelSpec:
    """Raises ScenarioError unless there is exactly one model, which can be distributed and answers the task."""
    if task is None or _names_one(section):
        if section is None:
            example = "write for example model: {preset: vit-base-patch16-224}, or a task that has its own"
            raise source.error(("model",), f"is missing; {example}")
        found = models.model(section, source)
        return found if task is None else _answering(task, found, ("model",), source)
    section = section or ModelSection.model_validate({})
    if task.checkpoint is not None:
        at: FieldPath = ("task", "checkpoint")
        found = checked(models.of_folder(section, task.checkpoint, source, at), at, source)
        return _answering(task, found, at, source)
    return _answering(task, checked(_reference(section, task), ("task", "name"), source), ("model",), source)


def find(name: str) -> Task:
    """A task that the section has let through; imported only for a scenario that has one."""
    from prism_sim import tasks

    return tasks.find(name)


def _names_one(section: ModelSection | None) -> bool:
    return section is not None and any(getattr(section, kind) is not None for kind in KINDS)


def _folder(section: TaskSection, at: FieldPath, source: Source) -> Path | None:
    if section.checkpoint is None or section.checkpoint == REFERENCE:
        return None
    folder = models.beside(section.checkpoint, source)
    if not folder.is_dir():
        hint = nearest(section.checkpoint, [REFERENCE])
        wrong = f"{shown(section.checkpoint)} is neither {REFERENCE} nor a folder (looked for {folder}){hint}"
        raise source.error(at, f"{wrong}; paths are relative to the scenario file")
    return folder


def _reference(section: ModelSection, task: TaskSpec) -> ModelSpec:
    """Its weights are trained once, when they are needed."""
    own = find(task.name).reference
    assert own is not None
    found = models.of_config(section, f"the {task.name} reference", dict(own.config))
    return replace(found, weights=section.weights or "pretrained")


def _answering(task: TaskSpec, found: ModelSpec, at: FieldPath, source: Source) -> ModelSpec:
    """The model with the task's head. Raises ScenarioError for another family or head, and for untrained weights."""
    wanted = find(task.name)
    kind = wanted.family if found.config is None else found.config["model_type"]
    if kind != wanted.family:
        raise source.error(at, f"{found.label} is a {kind}, but the task {task.name} is for a {wanted.family}")
    if "head" in source.tree.get("model", {}) and found.head != wanted.head:
        rule = f"{shown(found.head)} does not answer the task {task.name}; write {wanted.head}, or remove the line"
        raise source.error(("model", "head"), rule)
    if found.weights == "random":
        remedy = "give model: {hf: FOLDER} with trained weights, or leave the model to the task"
        raise source.error(at, f"{found.label} has random weights, which answer no task; {remedy}")
    return replace(found, head=wanted.head)
