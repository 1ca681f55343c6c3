"""What a scenario file may say as a whole, from which validation, overrides and the JSON Schema follow.

The `strategy` section is built from the strategies' own options; the others are in `sections`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel, Field, create_model
from pydantic.fields import FieldInfo

from prism_sim.plugins import remembered
from prism_sim.syntax import strategy_section, task_section, units
from prism_sim.syntax.errors import FieldPath
from prism_sim.syntax.fields import PRESETS
from prism_sim.syntax.presets import READY, PresetBook
from prism_sim.syntax.sections import ScenarioSection

ITEM = "[]"  # stands for any index in the path of a field


@remembered()
def scenario_model() -> type[ScenarioSection]:
    """The whole schema, with the options of every strategy in the catalogue."""
    described = Field(description=ScenarioSection.model_fields["strategy"].description)
    return create_model("Scenario", __base__=ScenarioSection, strategy=(strategy_section.section_model(), described))


def validated(tree: Mapping[str, Any], book: PresetBook) -> ScenarioSection:
    """Raises pydantic's ValidationError."""
    return scenario_model().model_validate(tree, context=book)


def json_schema(book: PresetBook = READY) -> dict[str, Any]:
    """JSON Schema of a scenario file, for editors; book: the presets that it can name.

    It holds what is right in each field; what only shows across fields is left to `load_scenario`.
    """
    found: dict[str, Any] = _standard(scenario_model().model_json_schema(), book)
    task = found["properties"]["task"]
    found["properties"]["task"] = {"anyOf": [{"type": "string", "enum": task_section.names()}, task]}
    found["anyOf"] = [{"required": ["model"]}, {"required": ["task"]}]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}


def _standard(node: Any, book: PresetBook) -> Any:
    """Without `default: null`, which no file may say, and with limits as JSON Schema names them, and presets.

    Pydantic leaves their names as they are, or takes a list for a text, where a field may be absent.
    """
    if isinstance(node, list):
        return [_standard(item, book) for item in node]
    if not isinstance(node, dict):
        return node
    names = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum"}
    if node.get("type") == "array":
        names |= {"minLength": "minItems"}
    if node.get("type") == "string" and PRESETS in node:
        listed = {"enum": list(book.names(node[PRESETS]))}
        node = {key: value for key, value in node.items() if key != PRESETS} | listed
    kept = {key: value for key, value in node.items() if key != "default" or value is not None}
    return {names.get(key, key): _standard(value, book) for key, value in kept.items()}


@remembered()
def known_fields() -> dict[FieldPath, FieldInfo | None]:
    """Every field's path, with `[]` for an index: ('devices', '[]', 'compute'). None: a list's item."""
    found: dict[FieldPath, FieldInfo | None] = {}
    _collect(scenario_model(), (), found)
    return found


def field_pattern(path: FieldPath) -> FieldPath:
    """('devices', 0, 'compute') -> ('devices', '[]', 'compute')."""
    return tuple(ITEM if isinstance(step, int) else step for step in path)


def is_known(path: FieldPath) -> bool:
    """Whether the schema has this field; whatever `dims` and `sweep` hold is checked elsewhere."""
    pattern = field_pattern(path)
    return pattern in known_fields() or pattern[:2] == ("model", "dims") or (pattern[0] == "sweep" and len(pattern) > 1)


def unit_of(path: FieldPath) -> units.Unit | None:
    """The unit of a field that holds a quantity."""
    info = known_fields().get(field_pattern(path))
    return None if info is None else next((m for m in _metadata(info) if isinstance(m, units.Unit)), None)


@remembered()
def exclusions() -> dict[FieldPath, tuple[FieldPath, ...]]:
    """Fields of the same section that cannot be given with a field, as patterns."""
    found: dict[FieldPath, tuple[FieldPath, ...]] = {}
    for section in (("network",), ("network", "links", ITEM)):
        found[*section, "bandwidth"] = ((*section, "up"), (*section, "down"))
        found[*section, "up"] = found[*section, "down"] = ((*section, "bandwidth"),)
    one_model = [("model", kind) for kind in ("preset", "hf", "dims")]
    for kind in one_model:
        found[kind] = tuple(other for other in one_model if other != kind)
    for option, excluded in strategy_section.exclusions().items():
        found["strategy", option] = tuple(("strategy", other) for other in excluded)
    return found


def rivals(path: FieldPath) -> tuple[FieldPath, ...]:
    """The fields that cannot be given with this one; a list's item keeps its index."""
    return tuple((*path[:-1], excluded[-1]) for excluded in exclusions().get(field_pattern(path), ()))


def _collect(section: type[BaseModel], prefix: FieldPath, found: dict[FieldPath, FieldInfo | None]) -> None:
    for name, info in section.model_fields.items():
        path = (*prefix, name)
        found[path] = info
        for part in _parts(info.annotation):
            if isinstance(part, type) and issubclass(part, BaseModel):
                _collect(part, (*path, ITEM) if (*path, ITEM) in found else path, found)
            elif get_origin(part) in (list, tuple):
                found[(*path, ITEM)] = None


def _parts(annotation: Any) -> list[Any]:
    """The annotation, and all that it is made of."""
    return [annotation, *(deep for part in get_args(annotation) for deep in _parts(part))]


def _metadata(info: FieldInfo) -> list[Any]:
    return [*info.metadata, *_parts(info.annotation)]
