"""The documentation as a site: it builds without a warning, asks nothing of the network, and leaves nothing out."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from site_pages import PARTS, fields, links, math_svg, written

from prism_sim import commands
from prism_sim.syntax import presets, schema

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
LOADED = {("link", "href"), ("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src")}  # by a browser


class Loaded(HTMLParser):
    """What a page asks a browser to load."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attributes if (tag, name) in LOADED]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `make docs` builds it."""
    folder = tmp_path_factory.mktemp("site")
    make = (ROOT / "Makefile").read_text()
    options = re.search(r"sphinx (?P<options>-[^$\n]*) docs ", make)
    assert options is not None
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *options["options"].split(), DOCS, folder], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
def test_every_page_is_built_and_loads_nothing_from_elsewhere(site: Path) -> None:
    sources = {path.relative_to(DOCS).with_suffix(".html") for path in DOCS.rglob("*.md")}
    pages = list(site.rglob("*.html"))
    assert sources <= {page.relative_to(site) for page in pages}
    for page in pages:
        reader = Loaded()
        reader.feed(page.read_text(encoding="utf-8"))
        assert [one for one in reader.found if re.match(r"(?:\w+:)?//", one)] == []
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert re.findall(r"(?:@import|url\()\s*['\"]?(?:https?:)?//", styles) == []


@pytest.mark.slow
def test_the_site_documents_what_the_package_offers(site: Path) -> None:
    import prism_sim

    python = (site / "reference" / "python.html").read_text(encoding="utf-8")
    for name in prism_sim.__all__:
        assert f'id="prism_sim.{name}"' in python, name
    prism = (site / "background" / "prism.html").read_text(encoding="utf-8")
    assert '<svg xmlns="http://www.w3.org/2000/svg"' in prism
    assert 'href="../accuracy.html#where-a-mean-stands"' in prism


def test_every_field_says_what_it_is() -> None:
    silent = [".".join(path) for path, info in schema.known_fields().items() if info and not info.description]
    assert silent == [], "add a description where the field is declared: editors show it too"
    assert all(one.meaning for one in fields.described().values()), "a default alone is no meaning"


def test_a_field_is_shown_with_its_unit_default_and_meaning() -> None:
    found = fields.described()
    bandwidth = found["network", "bandwidth"]
    assert (bandwidth.takes, bandwidth.default) == ("a bit rate in bit/s, as `100 Mbit/s`", "the preset's")
    assert found["workload", "batch"].default == "`1`"
    assert found["devices", "[]", "compute"].path == "devices[0].compute"
    assert found["strategy", "compressor"].default == "`segment_means`"
    assert found["network", "collective"].default == "`quickest`"
    assert found["devices",].default == "must be written"
    assert fields.split_default("how long; default 5 s") == ("how long", "5 s")


def test_the_reference_has_every_command_preset_and_option() -> None:
    for command in commands.catalogue():
        assert f"\n### {command.name}\n" in PARTS["commands"]()
    for kind, page in (("devices", PARTS["devices"]()), ("networks", PARTS["networks"]())):
        for preset in getattr(presets, kind)():
            assert f"### {preset.name}\n" in page
            sources = [one.source for group in (preset.figures, *preset.by_runtime.values()) for one in group]
            assert all(" ".join(source.split()).replace("|", "\\|") in page for source in sources)
    assert "| `segments` |" in PARTS["strategies"]()


def test_a_page_that_asks_for_an_unknown_part_is_an_error() -> None:
    with pytest.raises(KeyError, match="known are fields"):
        written("<!-- reference: feilds -->\n<!-- end -->")


def test_a_link_to_a_file_that_is_no_page_becomes_its_name() -> None:
    kept = "[a guide](my-board.md), [a page](../trust.md#here), ![a picture](../../plots/gallery/x.png)"
    page = f"[the example](../../extensions/rare.py) of {kept}"
    assert links.of_the_site(page, "guides/my-strategy") == f"`extensions/rare.py` of {kept}"
    assert links.of_the_site("[how](../CONTRIBUTING.md)", "trust") == "`CONTRIBUTING.md`"
    lines = ["takes `network.latency`, *options and a trailing_"]
    links.as_rst(lines)
    assert lines == ["takes ``network.latency``, \\*options and a trailing\\_"]


def test_a_formula_is_a_picture_that_says_what_it_is() -> None:
    picture = math_svg.svg(r"\frac{a}{b}")
    assert r'aria-label="\frac{a}{b}"' in picture
    assert picture.endswith("</svg>")
    with pytest.raises(ValueError, match="frac"):
        math_svg.svg(r"\frac{a")
