"""`prism-sim cite`: BibTeX of a scenario's uses, of PRISM and of prism_sim itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from importlib.metadata import version

from prism_sim import compressors, strategies
from prism_sim.citing.bibtex import bibliography
from prism_sim.citing.publications import OWN, Publication, publications_in
from prism_sim.citing.uses import Use, strategy_uses, uses_of
from prism_sim.scenario import Scenario

TITLE = "prism_sim: a network-and-compute simulator for Transformer inference spread over edge devices"
AUTHORS = ("The prism_sim authors",)
YEAR = 2026  # of this version
PRISM = "prism"  # the strategy that the package exists for


def cite(scenario: Scenario | None = None) -> str:
    """BibTeX, prism_sim's own entry first. scenario: None: as for one that only uses PRISM.

    Above each entry stands what it is cited for. What names no publication is told in a comment at the end.
    """
    uses = list(strategy_uses(PRISM)) if scenario is None else uses_of(scenario)
    ours = this_package()
    purposes: dict[str, list[str]] = {ours.identity: ["prism_sim itself"]}
    found = {ours.identity: ours}
    for use in uses:
        for publication in [ours] if use.source == OWN else use.publications():
            identity = publication.identity
            found[identity] = found[identity].with_more(publication) if identity in found else publication
            if use.what not in purposes.setdefault(identity, []):
                purposes[identity].append(use.what)
    known = _known()
    entries = {one.with_more(known.get(one.identity, one)): purposes[one.identity] for one in found.values()}
    return bibliography(entries) + _unpublished(uses, purposes.values())


def this_package() -> Publication:
    """prism_sim, as it is installed."""
    return Publication(TITLE, AUTHORS, YEAR, places=(f"version {version('prism-sim')}",), key=OWN)


def _known() -> dict[str, Publication]:
    """What strategies and compressors say of the papers that others name by their ids alone."""
    sources = [entry.source for entry in strategies.catalogue().values()]
    sources += [entry.source for entry in compressors.catalogue().values()]
    found: dict[str, Publication] = {}
    for publication in (one for source in sources for one in publications_in(source)):
        known = found.get(publication.identity, publication)
        found[publication.identity] = replace(known.with_more(publication), places=())
    return found


def _unpublished(uses: Iterable[Use], purposes: Iterable[list[str]]) -> str:
    cited = {what for whats in purposes for what in whats}
    silent = list(dict.fromkeys(use.what for use in uses if use.what not in cited))
    return f"\n% no publication is named for: {', '.join(silent)}\n" if silent else ""
