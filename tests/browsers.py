"""A real browser for tests of pages: Debian's chromium, driven by playwright.

Where there is none, and none can be installed, the test that asks for it is skipped, with the reason.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import pytest
from playwright.sync_api import Browser, sync_playwright

WAITS = ("-o", "DPkg::Lock::Timeout=300")  # for another worker that installs the same
INSTALL = ("apt-get", *WAITS, "install", "--yes", "--quiet", "--no-install-recommends", "chromium")


@cache
def chromium() -> str | None:
    """Where it is; installed first, where this machine lets us and has a source for it."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None and shutil.which(INSTALL[0]) and os.geteuid() == 0:
        for command in (("apt-get", *WAITS, "update", "--quiet"), INSTALL):
            with_no_questions = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            subprocess.run(command, env=with_no_questions, capture_output=True, check=False)
        found = shutil.which("chromium")
    return found


@contextmanager
def a_browser() -> Iterator[Browser]:
    """Headless; skips the test that asks where the machine has none and lets us install none."""
    path = chromium()
    if path is None:
        pytest.skip("no chromium on this machine, and none could be installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()
