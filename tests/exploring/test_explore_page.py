"""The page of `explore` in a real browser, with the real server: it answers as the command line does, and alone."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from pages import SCENARIO, Served, served

from prism_sim import cli
from prism_sim.units_text import bytes_text, seconds_text

pytestmark = pytest.mark.slow
SECONDS = 90_000.0  # ms, however busy the machine
ANSWER = "[data-cell-name=answer]"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("explored") / "boards.yaml"
    path.write_text(SCENARIO)
    return path


@pytest.fixture(scope="module")
def server(file: Path) -> Iterator[Served]:
    with served(file) as one:
        yield one


@pytest.fixture(scope="module")
def shown(browser: Any, server: Served) -> Iterator[Page]:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    context.set_default_timeout(SECONDS)
    yield Page(context.new_page(), server)
    context.close()


@pytest.fixture
def page(shown: Page) -> Page:
    """As the scenario is."""
    shown.reset()
    return shown


class Page:
    def __init__(self, page: Any, server: Served) -> None:
        self.page = page
        self.requests: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("websocket", lambda socket: self.requests.append(socket.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        page.goto(server.address)
        self.first = self.answer()

    def answer(self) -> str:
        self.page.wait_for_selector(f"{ANSWER} .verdict")
        return str(self.page.inner_text(ANSWER))

    def figures(self) -> dict[str, str]:
        names, values = (self.page.locator(f".figures {kind}").all_inner_texts() for kind in ("dt", "dd"))
        return dict(zip(names, values, strict=True))

    def parts(self) -> dict[str, str]:
        rows = self.page.locator("[aria-label^='Where the latency goes'] tbody tr")
        return dict(row.split("\t")[:2] for row in rows.all_inner_texts())

    def changes(self, do: Callable[[], object]) -> str:
        """The answer after something that changes it."""
        before = self.answer()
        do()
        shown = "([cell, before]) => document.querySelector(cell).innerText !== before"
        self.page.wait_for_function(shown, arg=[ANSWER, before])
        return self.answer()

    def type(self, text: str) -> None:
        self.page.get_by_label("Other fields").fill(text)

    def press(self, slider: str, key: str) -> None:
        self.page.get_by_role("slider", name=slider).press(key)

    def reset(self) -> None:
        if self.page.locator(".problem").count() or self.answer() != self.first:
            self.page.get_by_role("button", name="Back to the scenario").click()
            self.page.wait_for_selector(".problem", state="detached")
            shown = "([cell, first]) => document.querySelector(cell).innerText === first"
            self.page.wait_for_function(shown, arg=[ANSWER, self.first])


def told(file: Path, overrides: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """By the command line."""
    options = [option for override in overrides for option in ("--set", override)]
    assert cli.main(["run", str(file), "--no-numerics", "--json", "-", *options]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


GRID: dict[str, tuple[list[tuple[str, str]], list[str]]] = {
    "as it is": ([], []),
    "a slower network": ([("Bandwidth", "ArrowLeft")], ["network.bandwidth=2.5 Mbit/s"]),
    "one more device": ([("Devices", "ArrowRight")], ["devices[0].count=3", "ranks=[0, 1, 2]"]),
    "fewer means, later": (
        [("Segments", "Home"), ("Network latency", "End")],
        ["strategy.segments=1", "network.latency=1000 ms"],
    ),
}


@pytest.mark.parametrize("point", GRID)
def test_its_numbers_are_those_of_run(page: Page, file: Path, point: str, capsys: pytest.CaptureFixture[str]) -> None:
    keys, overrides = GRID[point]
    for slider, key in keys:
        page.changes(lambda slider=slider, key=key: page.press(slider, key))
    found = told(file, overrides, capsys)
    figures = page.figures()
    assert figures["Latency"] == seconds_text(found["latency_s"])
    assert figures["Sent between devices"] == bytes_text(
        sum(one["sent_bytes"] for one in found["ranks"]) + _terminal(found)
    )
    assert figures["Compression"] == f"L = {found['segments']}, CR {found['compression_rate']:.3g}"
    assert page.parts() == {part: seconds_text(seconds) for part, seconds in found["breakdown_s"].items()}


def _terminal(found: dict[str, Any]) -> int:
    return int(found["terminal"]["sent_bytes"])


@pytest.mark.parametrize("slider", ["Segments", "Devices", "Bandwidth", "Network latency", "Batch", "Tokens"])
def test_each_slider_changes_the_answer(page: Page, slider: str) -> None:
    assert page.changes(lambda: page.press(slider, "Home")) != page.first


def test_the_strategy_changes_the_answer_and_says_whether_it_is_exact(page: Page) -> None:
    strategy = page.page.get_by_label("Strategy")
    assert strategy.input_value() == "prism (lossy)"
    answer = page.changes(lambda: strategy.select_option("voltage (exact)"))
    assert "voltage over 2 device" in answer
    assert page.figures()["Outputs"] == "exact"
    page.page.get_by_text("voltage is exact").wait_for()


@pytest.mark.parametrize(
    "typed", ["network.bandwith=1", "devices[0].compute=5", "strategy.shares=[0.5, 0.6]", "devices[0].memory=1 kB"]
)
def test_a_wrong_value_gets_the_message_of_the_command_line(
    page: Page, file: Path, typed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["run", str(file), "--no-numerics", "--set", typed]) == 2
    message = capsys.readouterr().err.removeprefix("prism-sim: ").strip()
    page.changes(lambda: page.type(typed))
    assert page.page.locator(".problem [role=alert]").inner_text() == message
    assert "Last good answer" in page.answer()
    assert page.figures()["Latency"] in page.first


def test_a_field_without_a_control_is_typed(page: Page, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page.changes(lambda: page.type("--set devices[0].compute=5 MFLOP/s\n\nnetwork.latency=2 ms"))
    found = told(file, ["devices[0].compute=5 MFLOP/s", "network.latency=2 ms"], capsys)
    assert page.figures()["Latency"] == seconds_text(found["latency_s"])


def test_what_is_copied_is_a_scenario_that_answers_alike(
    page: Page, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page.changes(lambda: page.press("Bandwidth", "End"))
    page.changes(lambda: page.type("terminal: 0\n".replace(": ", "=") + "devices[0].compute=20 MFLOP/s"))
    page.page.get_by_label("Copy to clipboard").first.click()
    copied = tmp_path / "copied.yaml"
    copied.write_text(page.page.evaluate("navigator.clipboard.readText()"))
    ours = told(copied, [], capsys)
    theirs = told(file, ["network.bandwidth=10000 Mbit/s", "devices[0].compute=20 MFLOP/s"], capsys)
    assert ours == theirs
    assert page.figures()["Latency"] == seconds_text(ours["latency_s"])


def test_figures_follow_the_answer(page: Page) -> None:
    for cell in ("strategies", "flips", "compression", "timeline"):
        page.page.wait_for_selector(f"[data-cell-name={cell}] :is(svg, canvas)[class*=marks]")
    strategies = page.page.locator("[data-cell-name=strategies]")
    before = strategies.inner_text()
    page.changes(lambda: page.press("Bandwidth", "End"))
    page.page.wait_for_function(
        "before => document.querySelector('[data-cell-name=strategies]').innerText !== before", arg=before
    )
    assert "Without loss" in strategies.inner_text()


@pytest.mark.parametrize("width", [380, 1280])
def test_nothing_is_wider_than_the_window(page: Page, width: int) -> None:
    page.page.set_viewport_size({"width": width, "height": 800})
    page.page.wait_for_function("width => document.querySelector('#App').scrollWidth <= width", arg=width)


def test_a_name_is_text_whatever_it_says(page: Page) -> None:
    assert page.page.get_by_role("heading", level=1).inner_text() == "two boards & <b>a name</b>"


def test_it_asks_this_machine_alone_and_has_no_errors(page: Page, server: Served) -> None:
    hosts = {urlsplit(url).netloc for url in page.requests if not url.startswith(("data:", "blob:"))}
    assert hosts == {urlsplit(server.origin).netloc}
    assert any(url.startswith("ws:") for url in page.requests)
    assert page.errors == []
    assert server.token not in page.page.url


def answered(server: Served, path: str, method: str = "GET", cookie: str = "", **headers: str) -> int:
    """The status of an answer; redirections are not followed."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    port = server.origin.rpartition(":")[2]
    sent = {"Cookie": f"prism_sim_{port}={cookie}", **headers} if cookie else headers
    body = b"{}" if method == "POST" else None
    request = urllib.request.Request(server.origin + path, body, sent, method=method)
    try:
        return int(urllib.request.build_opener(Stay).open(request, timeout=60).status)
    except urllib.error.HTTPError as error:
        return error.code


ANYTHING = ("/", "/health", "/favicon.ico", "/assets/", "/api/status", "/api/files/list_files", "/auth/login")


@pytest.mark.parametrize("path", ANYTHING)
def test_nothing_is_answered_without_the_token(server: Served, path: str) -> None:
    assert answered(server, path) == 403
    assert answered(server, path, cookie="x" * len(server.token)) == 403
    assert answered(server, f"{path}?token={server.token[:-1]}") == 403


def test_the_token_of_the_address_becomes_a_cookie(server: Served) -> None:
    assert answered(server, f"/?token={server.token}") == 303
    assert answered(server, "/", cookie=server.token) == 200


def test_nobody_else_s_page_is_answered(server: Served) -> None:
    """Neither under a name that somebody points to this machine, nor for a script of another port."""
    assert answered(server, "/", cookie=server.token, Host="evil.example") == 403
    assert answered(server, "/", cookie=server.token, Origin="http://127.0.0.1:1") == 403
    assert answered(server, f"/?token={server.token}", Host="evil.example") == 403


ELSEWHERE = {
    "GET": (
        "/?file=/etc/passwd",
        "/api/files/roots",
        "/api/status",
        "/api/usage",
        "/@file/1-x",
        "/public/page.py",
        "/og/thumbnail",
    ),
    "POST": (
        "/api/files/list_files",
        "/api/files/open",
        "/api/kernel/read_code",
        "/api/kernel/run",
        "/api/kernel/execute",
        "/api/kernel/save",
        "/api/kernel/shutdown",
        "/api/kernel/function_call",
        "/api/export/html",
        "/api/packages/add",
        "/api/ai/completion",
        "/api/home/workspace_files",
    ),
}


@pytest.mark.parametrize(("method", "path"), [(method, path) for method, paths in ELSEWHERE.items() for path in paths])
def test_there_is_no_file_and_no_editor_even_with_the_token(server: Served, method: str, path: str) -> None:
    assert answered(server, path, method, cookie=server.token) == 404


def test_it_ends_with_one_line(file: Path) -> None:
    with served(file, "--port", "0") as one:
        assert answered(one, "/", cookie=one.token) == 200
        assert one.line.startswith("two boards")
        assert one.ended() == (130, "prism-sim: the page is closed\n")


def test_a_port_that_is_taken_is_told(server: Served, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    port = server.origin.rpartition(":")[2]
    assert cli.main(["explore", str(file), "--no-browser", "--port", port]) == 2
    told = capsys.readouterr().err
    assert told == f"prism-sim: --port {port}: address already in use; name another, or none for one that is free\n"


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_what_is_no_port_is_told(file: Path, port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["explore", str(file), f"--port={port}"])
    assert ended.value.code == 2
    assert f"'{port}' is no port" in capsys.readouterr().err
