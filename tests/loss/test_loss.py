"""Where a scenario's loss arises, as study and command tell it."""

from __future__ import annotations

import json
import shutil
from io import StringIO

import pytest
from rich.console import Console

from prism_sim import strategies
from prism_sim.cli import main
from prism_sim.kept.cache import cache_folder
from prism_sim.loss import loss as room
from prism_sim.loss.loss import loss
from prism_sim.numeric import threads
from prism_sim.reports.loss import sentences, show_loss
from prism_sim.scenario import ScenarioError
from prism_sim.simulation.simulate import simulate

GPT2 = """\
name: causal
model:
  dims: {model_type: gpt2, n_embd: 16, n_layer: 3, n_head: 2, vocab_size: 300, n_positions: 64, initializer_range: 0.5}
workload: {tokens: 24, batch: 2}
devices:
  - {name: board, compute: 1 GFLOP/s, memory_bandwidth: 1 GB/s, count: 3}
network: {bandwidth: 100 Mbit/s, latency: 1 ms}
strategy: {name: prism, segments: 1}
"""
FLOAT32 = 1e-5  # roundings of float32 through three blocks, relative
DISTRIBUTED = [name for name, one in strategies.catalogue().items() if not one.one_rank]


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small models are slower on two."""
    monkeypatch.setattr(threads, "THREADS", 1)


def said(found, width: int = 80) -> str:
    console = Console(file=StringIO(), width=width)
    show_loss(found, console)
    return console.file.getvalue()


@pytest.mark.parametrize("name", [name for name in DISTRIBUTED if name != "prism"])
def test_a_lossless_strategy_loses_nothing_and_says_so(load, name):
    found = loss(load([f"strategy.name={name}"]))
    assert max(max(one.error, one.added) for one in found.blocks) < FLOAT32
    assert list(sentences(found)) == [f"{name} loses nothing: what is left is rounding."]


def test_as_many_segments_as_tokens_lose_nothing(load):
    found = loss(load(["strategy.segments=6"]))
    assert found.blocks[-1].error < FLOAT32
    assert loss(load(["strategy.segments=2"])).blocks[-1].error > 100 * FLOAT32


def test_more_segments_lose_less_in_every_block(load):
    few, more = (loss(load([f"strategy.segments={segments}"])) for segments in (1, 3))
    for one, other in zip(few.blocks, more.blocks, strict=True):
        assert other.added < one.added


def test_blocks_ranks_and_distances_are_of_the_same_rows(load):
    found = loss(load(text=GPT2))
    assert len(found.blocks) == 3
    assert found.ranks == [0, 1, 2]
    squares = [0.0, 0.0]
    for cell in found.residuals.cells:
        if cell.block == 2:
            squares = [squares[0] + cell.squared_error, squares[1] + cell.squared_norm]
    assert found.blocks[-1].error == pytest.approx((squares[0] / squares[1]) ** 0.5)
    assert found.of_rank(0)[2].error < FLOAT32  # sees no later token
    assert list(found.distances) == [(1, 1), (2, 2), (3, 4), (5, 8)]
    losing = [cell for cell in found.residuals.cells if cell.rank > 0]
    assert sum(cell.n_rows for cell in losing) == 3 * 2 * 16


def test_a_list_of_segments_moves_the_loss_to_where_there_are_few(load):
    found = loss(load(["strategy.segments=[6, 1, 6]"]))
    added = [one.added for one in found.blocks]
    assert max(added[0], added[2]) < FLOAT32 < 100 * FLOAT32 < added[1]
    assert found.worst_block == 1
    assert "Block 1 adds most" in said(found)


def test_what_is_kept_is_what_was_computed(load, monkeypatch):
    first = loss(load())
    with monkeypatch.context() as patch:
        patch.setattr(room, "_measure", lambda scenario, job: pytest.fail("computed twice"))
        assert loss(load()).residuals == first.residuals
    shutil.rmtree(cache_folder("residuals"))
    assert loss(load()).residuals == first.residuals  # computed anew, to the bit


def test_a_damaged_file_is_computed_anew(load):
    first = loss(load())
    (file,) = cache_folder("residuals").iterdir()
    file.write_text(file.read_text().replace('"rank"', '"rang"'))
    assert loss(load()).residuals == first.residuals


def test_the_report_names_what_it_shows_at_any_width(load):
    found = loss(load(text=GPT2))
    for width in (60, 80, 120):
        text = said(found, width)
        for words in ("By block", "By rank", "By distance", "random weights", "board-2", "accumulated"):
            assert words in text
        assert max(map(len, text.splitlines())) <= width


def test_a_strategy_that_cannot_serve_the_scenario_is_refused(load):
    with pytest.raises(ScenarioError, match="pipeline"):
        loss(load(["strategy.name=pipeline", "devices[0].count=4"]))


def test_the_command_writes_what_plots_read(tmp_path, capsys):
    scenario = tmp_path / "causal.yaml"
    scenario.write_text(GPT2)
    out = tmp_path / "out"
    assert main(["loss", str(scenario), "--out", str(out)]) == 0
    assert "causal" in capsys.readouterr().out
    written = json.loads((out / "loss.json").read_text())
    assert written["schema"] == "prism-sim/loss/1"
    assert [one["block"] for one in written["blocks"]] == [0, 1, 2]
    assert sorted(path.name for path in out.iterdir()) == ["blocks.png", "distance.png", "loss.json"]
    for kind, picture in (("loss-blocks", "blocks.png"), ("loss-distance", "distance.png")):
        title = f"causal: {simulate(room.load_scenario(scenario)).job.strategy}"
        assert main(["plot", kind, str(out), "-o", str(tmp_path / picture), "--title", title]) == 0
        assert (tmp_path / picture).read_bytes() == (out / picture).read_bytes()
    capsys.readouterr()
    assert main(["loss", str(scenario), "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out) == written


def test_one_rank_has_no_border_and_no_picture_of_it(tmp_path, capsys):
    scenario = tmp_path / "causal.yaml"
    scenario.write_text(GPT2)
    arguments = ["loss", str(scenario), "--set", "ranks=[0]", "--out", str(tmp_path / "out")]
    assert main(arguments) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["blocks.png", "loss.json"]
    assert "loses nothing" in capsys.readouterr().out
