"""Vega, Vega-Lite and Vega-Embed as one script, in the version for which altair writes its charts."""

from __future__ import annotations

from typing import Any

from prism_sim.kept.cache import Kept, cache_folder
from prism_sim.progress import Progress

SCRIPT: Kept[str] = Kept(
    "Vega's script", "prism-sim/vega/1", lambda script: {"script": script}, lambda found: str(found["script"])
)


def vega_script(progress: Progress) -> str:
    """Makes `vegaEmbed` known to a page; kept, as bundling it takes seconds.

    Raises ModuleNotFoundError without the extra `report`.
    """
    from importlib.metadata import version

    import vl_convert
    from altair import SCHEMA_VERSION

    written_for = "_".join(SCHEMA_VERSION.removeprefix("v").split(".")[:2])
    kept = cache_folder("pages") / f"vega-{written_for}-{version('vl-convert-python')}.json"
    bundle: Any = vl_convert.javascript_bundle  # whose stub asks for a snippet that it does without
    return SCRIPT.at(kept, lambda: str(bundle(vl_version=written_for)).replace("</script", "<\\/script"), progress)
