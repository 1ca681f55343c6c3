"""prism-sim calibrate: what this machine really reaches, as sections of a scenario."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from prism_sim.commands import base

SCHEMA = "prism-sim/calibration/1"


@dataclass(frozen=True, slots=True)
class CalibratedSection:
    """section: lines of a scenario (YAML). described: for JSON. remark: how good it is."""

    section: str
    described: Mapping[str, Any]
    remark: str


def measure_link(options: argparse.Namespace) -> CalibratedSection:
    from prism_sim.live import link

    found = link.measure_link(options.seconds, options.timeout)
    largest = max(probe.payload_bytes for probe in found.probes)
    remark = (
        f"loopback, by {len(found.probes)} kinds of probe up to {largest} bytes; "
        f"half of them within {100 * found.typical_error:.0f} % of the fit"
    )
    return CalibratedSection(found.to_yaml(), asdict(found), remark)


def measure_device(options: argparse.Namespace) -> CalibratedSection:
    from prism_sim.calibration import measure
    from prism_sim.catalogue import look_up
    from prism_sim.syntax import presets

    model = look_up("model", options.model, {preset.name: preset for preset in presets.models()})
    how = (options.name, options.busy, options.threads, options.on, options.rounds, options.timeout)
    found = measure.measure_device(dict(model.config), *how)
    fit = found.estimate
    remark = (
        f"{found.threads} thread(s) on {found.where}, {found.busy} other process(es) as busy; {len(fit.passes)} passes "
        f"through blocks of {options.model}, {found.rounds} rounds: half of them within "
        f"{100 * fit.typical_error:.1f} % of the fit, the worst {100 * fit.worst.error:+.0f} % ({fit.worst.label}); "
        f"from time to time, a pass varies by {100 * fit.spread:.0f} %"
    )
    return CalibratedSection(found.to_yaml(), found.to_json(), remark)


# what can be measured, each under an option of its name: help, and how
PARTS: dict[str, tuple[str, Callable[[argparse.Namespace], CalibratedSection]]] = {
    "device": ("this machine's processor, or its accelerator: rate, memory, kernel overhead", measure_device),
    "link": ("two processes on this machine: latency, bandwidth, message overhead", measure_link),
}


def _count(least: int) -> Callable[[str], int]:
    def count(text: str) -> int:
        if (value := int(text)) < least:
            raise argparse.ArgumentTypeError(f"{text} must be >= {least}")
        return value

    return count


def prepare(parser: argparse.ArgumentParser) -> None:
    for name, (text, _) in PARTS.items():
        parser.add_argument(f"--{name}", action="store_true", help=text)
    parser.add_argument("--seconds", type=float, default=10.0, metavar="S", help="of --link: how long (default 10)")
    parser.add_argument("--rounds", type=_count(2), default=8, metavar="N", help="of --device: how often (default 8)")
    parser.add_argument("--model", default="vit-base-patch16-224", help="of --device: whose kernels (a preset)")
    parser.add_argument("--name", default="this-machine", help="of --device: what to call it")
    parser.add_argument("--threads", type=_count(1), default=1, metavar="N", help="of --device: threads (default 1)")
    parser.add_argument(
        "--busy", type=_count(0), metavar="N", help="of --device: other processes at work (default: all other cores)"
    )
    parser.add_argument("--on", default="cpu", metavar="WHERE", help="of --device: a torch device (default cpu)")
    parser.add_argument("--out", type=base.file_path, metavar="FILE", help="write the sections there (YAML)")
    parser.add_argument("--timeout", type=float, default=300.0, metavar="S", help="give up after that (default 300)")
    base.takes_json(parser)


def run(options: argparse.Namespace) -> int:
    from prism_sim.live.launcher import LiveError

    chosen = {name: measure for name, (_, measure) in PARTS.items() if getattr(options, name)}
    if not chosen or not (options.seconds > 0 and options.timeout > 0):
        wrong = "seconds and timeout must be > 0" if chosen else "say what to measure"
        return base.fail(f"{wrong}: {' or '.join(f'--{name}' for name in PARTS)}")
    base.needs("torch", "transformers")
    results = {}
    try:
        for name, measure in chosen.items():
            with base.progress(f"measuring {name}"):
                results[name] = measure(options)
    except ValueError as error:
        return base.fail(error)
    except LiveError as error:
        return base.fail(error, base.FAILED)
    sections = "".join(f"# {found.remark}\n{found.section}" for found in results.values())
    if options.json != base.STANDARD_OUTPUT:
        print(sections, end="")
    if options.out is not None:
        base.write_files({options.out: sections})
    if options.json is not None:
        described = {name: found.described for name, found in results.items()}
        base.write_files({options.json: base.as_json({"schema": SCHEMA, **described})})
    return 0


COMMAND = base.Command(
    "calibrate", "what this machine and its links reach, for a scenario", prepare, run, base.TRUST, 2
)
