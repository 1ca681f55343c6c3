"""A page in one file: its style, its script and Vega within it, so that it opens from a disk without a network."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from markupsafe import Markup

from prism_sim.pages.markup import joined
from prism_sim.pages.vega import vega_script
from prism_sim.progress import SILENT, Progress

FORBIDS = (  # whatever a page may not do: ask anybody for anything
    "default-src 'none'; img-src data: blob:; font-src data:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline' 'unsafe-eval'"  # Vega compiles expressions
)
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{forbids}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="prism-sim">
<title>{title}</title>
<style>
{style}
</style>
</head>
<body>
<a class="skip" href="#answer">To the answer</a>
<header><h1>{title}</h1>
{lead}
</header>
<nav aria-label="Contents">
{contents}
</nav>
<main id="answer">
{body}
</main>
<footer>
{foot}
</footer>
<noscript><p class="warning">The figures need JavaScript; their numbers are in the tables too.</p></noscript>
<script>
{vega}
</script>
<script>
{script}
</script>
</body>
</html>
"""


@dataclass(frozen=True)
class PageSection:
    """A part of a page under a heading of its own."""

    title: str
    body: Markup

    @property
    def name(self) -> str:
        """As links name it."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")

    def __html__(self) -> Markup:
        opened = Markup('<section aria-labelledby="{}"><h2 id="{}">{}</h2>').format(self.name, self.name, self.title)
        return Markup("{}\n{}\n</section>").format(opened, self.body)


@dataclass(frozen=True)
class PageHead:
    """What a page begins and ends with. lead: the answer, in words."""

    title: str
    lead: Markup
    foot: Markup


def page(head: PageHead, sections: Sequence[PageSection], progress: Progress = SILENT) -> str:
    """The whole file. Raises ModuleNotFoundError without the extra `report`."""
    links = joined(Markup('<li><a href="#{}">{}</a></li>').format(one.name, one.title) for one in sections)
    return str(
        Markup(PAGE).format(
            title=head.title,
            forbids=FORBIDS,
            style=Markup(_static("report.css")),
            lead=head.lead,
            contents=Markup("<ol>{}</ol>").format(links),
            body=joined(one.__html__() for one in sections),
            foot=head.foot,
            vega=Markup(vega_script(progress)),
            script=Markup(_static("report.js")),
        )
    )


def _static(name: str) -> str:
    return resources.files("prism_sim.pages").joinpath("static", name).read_text(encoding="utf-8")
