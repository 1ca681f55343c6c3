"""A scenario's byte budget over its blocks: kept, deterministic, against brute force, and beside equal segments."""

from __future__ import annotations

import json
from io import StringIO
from itertools import product

import pytest
from rich.console import Console

from prism_sim.cli import main
from prism_sim.loss import budget as room
from prism_sim.loss.bench import Bench
from prism_sim.loss.budget import BudgetRequest, budget, sent_bytes
from prism_sim.numeric import threads
from prism_sim.reports.budget import sentences, show_budget
from prism_sim.scenario import ScenarioError
from prism_sim.simulation.simulate import simulate

BLOCKS, MOST = 3, 6  # of the tiny scenario: blocks, and tokens of a partition


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small models are slower on two."""
    monkeypatch.setattr(threads, "THREADS", 1)


def bytes_with(load, segments) -> int:
    return sent_bytes(simulate(load({"strategy.segments": segments})))


@pytest.mark.parametrize("measure", ["residual", "kl"])
def test_a_search_comes_to_what_brute_force_finds(load, measure):
    scenario = load()
    found = budget(scenario, BudgetRequest(measure=measure, evaluations=15))
    bench = Bench(scenario, simulate(scenario).job, measure)
    allowed = [one for one in product(range(1, MOST + 1), repeat=BLOCKS) if sum(one) <= 2 * BLOCKS]
    best = min(map(bench.loss, allowed))
    assert found.spent.found_loss == bench.loss(found.spent.found)
    uniform = bench.loss([2] * BLOCKS)
    assert found.spent.uniform_loss == uniform
    assert best <= found.spent.found_loss <= best + 0.1 * (uniform - best)


@pytest.mark.parametrize(
    "order",
    [BudgetRequest(), BudgetRequest(segments=3), BudgetRequest(budget_bytes=3000), BudgetRequest(budget_bytes=2000)],
)
def test_no_budget_is_exceeded_by_what_is_really_sent(load, order):
    found = budget(load(), order)
    assert bytes_with(load, list(found.spent.found)) == found.sent_bytes <= found.budget_bytes
    assert sent_bytes(found.uniform) <= found.budget_bytes
    assert found.spent.found_loss <= found.spent.uniform_loss


def test_the_budget_is_what_the_scenario_sends_unless_another_is_given(load):
    assert budget(load()).budget_bytes == bytes_with(load, 2)
    assert budget(load(), BudgetRequest(segments=4)).budget_bytes == bytes_with(load, 4)
    assert budget(load(), BudgetRequest(segments=4)).spent.uniform == (4,) * BLOCKS
    assert budget(load(["strategy.segments=[1, 2, 4]"])).budget_bytes == bytes_with(load, [1, 2, 4])


def test_a_budget_for_everything_loses_nothing(load):
    for order in (BudgetRequest(segments=MOST), BudgetRequest(segments=100), BudgetRequest(budget_bytes=10**6)):
        found = budget(load(), order)
        assert found.spent.found == (MOST,) * BLOCKS
        assert found.spent.found_loss < 1e-9
        assert "Nothing better than 6 segments in every block was found." in list(sentences(found))


def test_a_budget_for_one_segment_leaves_no_choice(load):
    assert budget(load(), BudgetRequest(segments=1)).spent.found == (1,) * BLOCKS


def test_the_same_question_has_the_same_answer_and_is_asked_once(load, monkeypatch, own_cache):
    first = budget(load())
    with monkeypatch.context() as patch:
        patch.setattr(room, "spend", lambda *given: pytest.fail("computed twice"))
        assert budget(load()).spent == first.spent
    monkeypatch.setenv("PRISM_SIM_CACHE", str(own_cache.parent / "another"))
    assert budget(load()).spent == first.spent


def test_a_text_is_one_input_and_the_answer_says_so(load, tmp_path):
    (tmp_path / "text.txt").write_text("a quick brown fox jumps over the lazy dog")
    found = budget(load(["workload.input=text.txt"]))
    assert found.spent.elsewhere == ()
    if found.spent.found != found.spent.uniform:
        assert "is not known" in " ".join(sentences(found))


def test_other_inputs_are_not_those_of_the_search(load):
    found = budget(load())
    assert found.spent.found != found.spent.uniform
    losses = [uniform for uniform, _ in found.spent.elsewhere]
    assert len({*losses, found.spent.uniform_loss}) == len(losses) + 1
    assert found.to_json()["better_than_uniform"] is found.spent.holds


@pytest.mark.parametrize(
    ("overrides", "order", "words"),
    [
        (["strategy.name=voltage"], BudgetRequest(), "voltage sends no segments.*prism does"),
        (["strategy.compressor=identity"], BudgetRequest(), "loses nothing"),
        (["ranks=[0]"], BudgetRequest(), "name more ranks"),
        ([], BudgetRequest(budget_bytes=1), "1 bytes are too few"),
        ([], BudgetRequest(budget_bytes=1, segments=1), "give one of them"),
        ([], BudgetRequest(segments=0), r"segments\(=0\) must be >= 1"),
        ([], BudgetRequest(evaluations=0), r"evaluations\(=0\) must be >= 1"),
        (["model.head=none"], BudgetRequest(measure="kl"), "no KL divergence without logits"),
    ],
)
def test_what_leaves_nothing_to_choose_is_refused(load, overrides, order, words):
    with pytest.raises(ScenarioError, match=words):
        budget(load(overrides), order)


def test_without_logits_the_residual_stream_is_what_counts(load):
    assert budget(load(["model.head=none"])).spent.measure == "residual"
    assert budget(load()).spent.measure == "kl"


def test_the_report_shows_both_lists_and_one_to_paste(load):
    found = budget(load())
    console = Console(file=StringIO(), width=80)
    show_budget(found, console)
    text = console.file.getvalue()
    assert f"  segments: {list(found.spent.found)}" in text
    assert "equal" in text
    pasted = load({"strategy.segments": list(found.spent.found)})
    assert pasted.strategy.options.segments == found.spent.found


def test_the_command_takes_bytes_with_a_unit(tmp_path, load, capsys):
    path = str(load().path)
    assert main(["budget", path, "--bytes", "3 kB", "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == "prism-sim/budget/1"
    assert found["budget_bytes"] == 3000 >= found["sent_bytes"]
    assert found["loss"] <= found["uniform"]["loss"]
    for wrong in (["--bytes", "3000"], ["--bytes", "3 s"], ["--bytes", "3 kB", "--segments", "2"], ["--segments", "x"]):
        with_status = _status(["budget", path, *wrong])
        message = capsys.readouterr().err.splitlines()
        assert with_status == 2
        assert len([line for line in message if line.startswith("prism-sim: ")]) == 1


def _status(arguments: list[str]) -> int:
    try:
        return main(arguments)
    except SystemExit as end:
        return int(end.code or 0)
