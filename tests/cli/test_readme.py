"""What README and documentation show runs, and prints what is shown; see `shown_blocks` for what a page may hold.

python tests/cli/test_readme.py [PAGE ...]        writes what is printed into the pages
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest
from shown_blocks import BLOCK, ROOT, Reader, furnished

DOCS = ROOT / "docs"
PAGES = [
    *(ROOT / "README.md", DOCS / "tutorial.md", DOCS / "reference" / "python.md"),
    *sorted((DOCS / "guides").glob("*.md")),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_shows_is_what_is_printed(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_plugins: None
) -> None:
    furnished(tmp_path)
    monkeypatch.chdir(tmp_path)
    text = page.read_text(encoding="utf-8")
    assert Reader().page(text) == text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_block_that_does_not_run_says_why(page: Path) -> None:
    left_out = [block for block in BLOCK.finditer(page.read_text(encoding="utf-8")) if block["how"]]
    assert all(len(block["note"].split()) > 3 for block in left_out)


@pytest.mark.parametrize(("guide", "name"), [("my-strategy.md", "rare.py"), ("my-plug-ins.md", "int2.py")])
def test_an_extension_is_shown_as_it_is(guide: str, name: str) -> None:
    shown = next(
        block["body"] for block in BLOCK.finditer((DOCS / "guides" / guide).read_text("utf-8")) if name in block[0]
    )
    assert shown == f"# {name}\n{(ROOT / 'extensions' / name).read_text('utf-8')}"


def test_a_page_that_shows_something_else_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    furnished(tmp_path)
    monkeypatch.chdir(tmp_path)
    command = "$ prism-sim check scenarios/vit-base-orin-nano.yaml --set seed=x\n"
    true = Reader().page(f"```console\n{command}wrong\n```")
    assert "seed: 'x'" in true
    assert Reader().page(true) == true
    assert "seed: 'x'" in Reader().page(f"```console\n{command}...\n```")  # a failure is not left out
    elided = "```console\n$ prism-sim list tasks\n...\ndigits ...\n```"
    assert "python-text" in Reader().page(elided)
    elided = "```console\n$ prism-sim check scenarios/vit-base-orin-nano.yaml\n...\n```"
    assert Reader().page(elided) == elided
    assert Reader().page("```python\nprint(1)\n```\n\n```text\n2\n```") == "```python\nprint(1)\n```\n\n```text\n1\n```"


if __name__ == "__main__":
    for page in map(Path.resolve, map(Path, sys.argv[1:])) if sys.argv[1:] else PAGES:
        with tempfile.TemporaryDirectory() as folder:
            furnished(Path(folder))
            os.environ["PRISM_SIM_CACHE"] = f"{folder}/cache"
            os.chdir(folder)
            page.write_text(Reader().page(page.read_text(encoding="utf-8")), encoding="utf-8")
            os.chdir(ROOT)
