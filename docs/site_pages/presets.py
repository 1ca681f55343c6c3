"""Ready models, devices and networks: every number with its source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prism_sim import families
from prism_sim.syntax import presets
from site_pages.markdown import code, table

HEADINGS = ("field", "value", "90 % of the fit", "source")


def models_page() -> str:
    return table(
        ("model", "family", "blocks", "width", "heads", "tokens", "on the hub", "source"), map(_model, presets.models())
    )


def devices_page() -> str:
    return "\n".join(_hardware(preset) for preset in presets.devices())


def networks_page() -> str:
    return "\n".join(_hardware(preset) for preset in presets.networks())


def _model(preset: presets.ModelPreset) -> tuple[str, ...]:
    family = families.find(preset.config["model_type"])
    sizes = family.dimensions(preset.config)
    tokens = str(sizes.max_tokens) if family.fixed_tokens(sizes) else f"up to {sizes.most_tokens}"
    shape = map(str, (sizes.n_blocks, sizes.width, sizes.n_heads))
    return (code(preset.name), preset.config["model_type"], *shape, tokens, code(preset.hub_id), preset.source)


def _hardware(preset: presets.HardwarePreset) -> str:
    """What holds under every runtime, then what each adds."""
    common = [*((code(name), code(value), "", "") for name, value in preset.settings), *_rows(preset.figures)]
    parts = [f"### {preset.name}\n\n{preset.summary}\n", *([table(HEADINGS, common)] if common else [])]
    for runtime, figures in preset.by_runtime.items():
        usual = ", which a silent scenario means" if runtime == preset.runtime else ""
        parts.append(f"Under `runtime: {runtime}`{usual}:\n\n{table(HEADINGS, _rows(figures))}")
    return "\n".join(parts)


def _rows(figures: Iterable[presets.Figure]) -> Iterator[tuple[str, ...]]:
    for one in figures:
        interval = "" if one.interval is None else "{} to {}".format(*one.interval)
        yield code(one.field), one.text, interval, one.source
