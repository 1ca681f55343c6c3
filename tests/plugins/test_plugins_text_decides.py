"""What is kept was computed by a text; another text of a plug-in asks anew, the same text does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from prism_sim import load_plugin, plugins, run
from prism_sim.outputs.fidelity import source_digest
from prism_sim.outputs.task_accuracy import DETERMINING
from prism_sim.scenario import load_scenario
from prism_sim.sweeping.files import identity_of
from prism_sim.tasks import find
from prism_sim.training.checkpoint import identity

EXTENSIONS = Path(__file__).parents[2] / "extensions"
PLOT = """\
from prism_sim.figures.base import Plot
def draw_nothing(table, *, title=""): ...
PLOT = Plot("nothing", "draws nothing", draw_nothing, ())
"""


@pytest.fixture
def int2(tmp_path: Path) -> Path:
    """A copy that a test may change."""
    path = tmp_path / "int2.py"
    path.write_text((EXTENSIONS / "int2.py").read_text())
    for name in ("rare", "bert_generation"):
        load_plugin(EXTENSIONS / f"{name}.py")
    load_plugin(path)
    return path


def change(path: Path) -> None:
    """Three bits in place of two, under the same name, and loaded again."""
    path.write_text(path.read_text().replace("partial(IntegerRows, 2)", "partial(IntegerRows, 3)"))
    load_plugin(path)


def test_a_changed_compressor_changes_bytes_and_outputs_though_all_is_kept(
    int2: Path, scenario_file: Path, tmp_path: Path
) -> None:
    def found() -> tuple[int, float]:
        result = run(load_scenario(scenario_file)).to_json()
        return result["ranks"][1]["sent_bytes"], result["fidelity"]["cosine"]

    kept = tmp_path / "cache" / "numerics"
    before = found()
    assert found() == before
    assert len(list(kept.iterdir())) == 1
    change(int2)
    after = found()
    assert after[0] - before[0] == 6 * 16 // 8  # a bit more of each element of 6 rows, 16 wide
    assert after[1] > before[1]
    assert len(list(kept.iterdir())) == 2


@pytest.mark.parametrize(
    "asked",
    [
        source_digest,
        lambda: source_digest(DETERMINING),
        lambda: identity(find("digits"), find("digits").reference.recipe, 0, "").digest,
    ],
    ids=["outputs", "accuracy", "training"],
)
def test_a_digest_holds_what_may_change_its_answer_and_no_more(asked, int2: Path) -> None:
    before = asked()
    change(int2)
    assert (asked() != before) == (asked is source_digest)


def test_a_sweep_does_not_go_on_with_the_figures_of_another_text(int2: Path, scenario_file: Path) -> None:
    before = identity_of(load_scenario(scenario_file), True)
    assert identity_of(load_scenario(scenario_file), True) == before
    change(int2)
    after = identity_of(load_scenario(scenario_file), True)
    assert {what for what in after if after[what] != before[what]} == {"version of prism_sim"}


def test_a_sweep_does_not_go_on_with_the_figures_of_other_boards(int2: Path, scenario_file: Path) -> None:
    before = identity_of(load_scenario(scenario_file), True)
    boards = scenario_file.with_name("boards.yaml")
    boards.write_text(boards.read_text() + "# a remark\n")
    assert identity_of(load_scenario(scenario_file), True) != before


def test_a_figure_from_outside_changes_no_result(tmp_path: Path) -> None:
    path = tmp_path / "nothing.py"
    path.write_text(PLOT)
    before = source_digest(), plugins.digest()
    load_plugin(path)
    assert (source_digest(), plugins.digest()) == before
