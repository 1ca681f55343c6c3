"""Every field of a scenario: what it takes, its default and what it means, from the schema that checks files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from prism_sim import compressors, strategies, tasks
from prism_sim.strategies.options import declared
from prism_sim.syntax import schema
from prism_sim.syntax.errors import FieldPath
from prism_sim.syntax.presets import KINDS
from prism_sim.syntax.sections import RangeSection
from site_pages.markdown import code, table

DEFAULT = re.compile(r"(?:^|;\s*)default:? (?P<default>.*)$")  # as descriptions end
CHOSEN = re.compile(r"(?P<default>\w+) \((?:the )?default\)")
BEYOND = 1e9  # nobody meets a limit like this


class Described(NamedTuple):
    """A field as the page shows it. path: as --set takes it."""

    path: str
    takes: str
    default: str
    meaning: str


def page() -> str:
    """A table a section, in the order of the file."""
    found = list(sections())
    return "\n".join(f"## {title}\n\n{table(('field', 'takes', 'default', 'meaning'), rows)}" for title, rows in found)


def sections() -> Iterator[tuple[str, list[tuple[str, str, str, str]]]]:
    """The fields on top first, then those in each section."""
    groups: dict[FieldPath, list[Described]] = {}
    for path, one in described().items():
        groups.setdefault(path[:-1], []).append(one)
    for section, fields in groups.items():
        title = code(written(section)) if section else "On top"
        yield title, [(code(one.path), one.takes, one.default, one.meaning) for one in fields]
    yield "a range in `sweep`", [
        (code(info.alias or name), takes(_property(RangeSection.model_json_schema(), (info.alias or name,)), ()),
         _declared_default(info), info.description or "")
        for name, info in RangeSection.model_fields.items()
    ]  # fmt: skip


def described() -> dict[FieldPath, Described]:
    """By path, with `[]` for an index; lists' items have no line of their own."""
    root = schema.json_schema()
    found = {}
    for path, info in schema.known_fields().items():
        if info is None:
            continue
        text, default = split_default(info.description or "")
        default = default or _declared_default(info) or _option_default(path) or _of_preset(path)
        found[path] = Described(written(path), takes(_property(root, path), path), default or "none", text)
    return found


def written(path: FieldPath) -> str:
    """('devices', '[]', 'compute') -> 'devices[0].compute'."""
    return ".".join(map(str, path)).replace(f".{schema.ITEM}", "[0]")


def split_default(description: str) -> tuple[str, str]:
    """What a description says besides the default, and the default; "" where it says none."""
    if end := DEFAULT.search(description):
        return description[: end.start()], end["default"]
    chosen = CHOSEN.search(description)
    return description, code(chosen["default"]) if chosen else ""


def _declared_default(info: Any) -> str:
    if info.is_required():
        return "must be written"
    if info.default_factory is not None:
        return "those of its fields"
    return code(info.default) if info.default not in (None, {}) else ""


def _option_default(path: FieldPath) -> str:
    """Of a strategy's option, where all strategies that have it agree."""
    if path[:1] != ("strategy",) or len(path) == 1:
        return ""
    owners = [one.options for one in strategies.nameable().values() if path[1] in declared(one.options)]
    found = {owner.__dataclass_fields__[path[1]].default for owner in owners}
    return code(str(found.pop()).lower()) if len(found) == 1 and found != {None} else ""


def _of_preset(path: FieldPath) -> str:
    """A section's preset states what the section does not."""
    siblings = schema.known_fields()
    return "the preset's" if (*path[:-1], "preset") in siblings and path[-1] not in ("preset", "hf", "dims") else ""


def _property(root: Mapping[str, Any], path: Sequence[str]) -> Mapping[str, Any]:
    """The schema of a field."""
    node: Mapping[str, Any] = root
    for step in path:
        node = _object(root, node)
        node = node["items"] if step == schema.ITEM else node["properties"][step]
    return node


def _object(root: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reference leads to, or the object among several kinds."""
    while "$ref" in node:
        node = root["$defs"][node["$ref"].rpartition("/")[2]]
    if "anyOf" in node and "properties" not in node:
        opened = [_object(root, one) for one in node["anyOf"]]
        return next(one for one in opened if "properties" in one or "items" in one)
    return node


def takes(node: Mapping[str, Any], path: FieldPath) -> str:
    """A kind of value, in words."""
    if (unit := schema.unit_of(path) if path else None) is not None:
        return f"{unit.quantity} in {unit.base}, as {code(unit.example)}{', or `none`' if unit.none else ''}"
    if "anyOf" in node:
        return " or ".join(dict.fromkeys(takes(one, ()) for one in node["anyOf"]))
    if "$ref" in node or node.get("type") == "object":
        return "a section" if "$ref" in node or "properties" in node else "a mapping"
    if names := node.get("enum"):
        listed = next((link for link, known in lists().items() if set(known) == set(names)), "")
        return f"a name of {listed}" if listed else ", ".join(map(code, names))
    if node.get("type") == "array":
        return f"a list, each {takes(node.get('items', {}), ())}"
    return _plain(node)


def lists() -> dict[str, Sequence[str]]:
    """Names that other pages explain, by a link to these."""
    presets = {f"[{kind}](presets.md#{kind})": schema.READY.names(kind) for kind in KINDS}
    offered = {
        "strategies": tuple(strategies.nameable()),
        "compressors": compressors.names(),
        "tasks": tuple(tasks.catalogue()),
    }
    return presets | {f"[{kind}](offers.md#{kind})": names for kind, names in offered.items()}


def _plain(node: Mapping[str, Any]) -> str:
    words = {"integer": "a whole number", "number": "a number", "boolean": "`true` or `false`", "string": "text"}
    limits = [("minimum", ">="), ("exclusiveMinimum", ">"), ("maximum", "<=")]
    found = [f"{sign} {node[name]}" for name, sign in limits if name in node and node[name] < BEYOND]
    return " ".join([words.get(node.get("type", ""), "a value of the field"), " and ".join(found)]).strip()
