"""Model families: one a file, found by itself. A module that offers `FAMILY` is in the catalogue."""

from __future__ import annotations

import difflib
from importlib.util import find_spec
from pathlib import Path

from prism_sim.catalogue import collect
from prism_sim.families.base import Dimensions, Family, Head
from prism_sim.plugins import remembered

__all__ = ["Dimensions", "Family", "Head", "catalogue", "find", "misspelt"]

LIKENESS = 0.75  # of a misspelt name: one letter of four; a name that shares half its letters is another one


@remembered()
def catalogue() -> dict[str, Family]:
    """All families by Hugging Face's `model_type`, in alphabetical order."""
    return collect("families", Family)  # type: ignore[type-abstract]


def find(model_type: str) -> Family:
    """Raises ValueError with the name that was meant, or all names, if there is no such family."""
    known = catalogue()
    if model_type in known:
        return known[model_type]
    hint = misspelt(model_type) or f"; known: {', '.join(known)}"
    raise ValueError(f"model family {model_type!r} is unknown{hint}")


def misspelt(model_type: str) -> str:
    """' (did you mean ...?)' for a slip of the pen; nothing for the name of another architecture, such as roberta.

    Who followed that hint would read one model as another.
    """
    written = model_type.strip().lower()
    close = difflib.get_close_matches(written, list(catalogue()), n=1, cutoff=LIKENESS)
    return f"; did you mean {close[0]!r}?" if close and not _is_another(written) else ""


def _is_another(model_type: str) -> bool:
    """Whether transformers knows an architecture of this name, read from its own table without importing it."""
    found = find_spec("transformers")
    if found is None or not found.submodule_search_locations or model_type in catalogue():
        return False
    models = Path(found.submodule_search_locations[0]) / "models"
    tables = [models / "auto" / f"{name}.py" for name in ("auto_mappings", "configuration_auto")]
    entry = f'("{model_type}", "'
    return any(entry in table.read_text(encoding="utf-8") for table in tables if table.is_file())
