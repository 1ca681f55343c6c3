"""Ready scenarios by name: listed with their questions, copied whole, never over what a user has."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

import prism_sim as package
from prism_sim.cli import main
from prism_sim.ready import copies, examples
from prism_sim.ready.examples import ReadyScenario
from prism_sim.scenario import load_scenario

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "scenarios").glob("*.yaml"))
ORIN = "vit-base-orin-nano"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


def test_every_file_of_the_folder_is_an_example_that_opens_with_a_question():
    assert [one.path.name for one in examples.catalogue().values()] == [path.name for path in FILES]
    for path in FILES:
        question = examples.find(path.stem).question
        assert question.endswith("?")
        comment = path.read_text().replace("\n# ", " ")
        assert comment.startswith(f"# {question}"), path.name


def test_the_listing_names_each_with_its_question(here: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["example"]) == 0
    said = capsys.readouterr().out
    assert {path.stem for path in FILES} <= {line.split()[0] for line in said.splitlines() if line.strip()}
    assert "From which batch size on" in said


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ([], f"{ORIN}.yaml"),
        (["-o", "mine.yaml"], "mine.yaml"),
        (["-o", "new"], f"new/{ORIN}.yaml"),
        (["-o", "there.is"], f"there.is/{ORIN}.yaml"),
    ],
)
def test_an_example_is_written_whole_and_can_be_loaded(here: Path, capsys, given: list[str], place: str):
    (here / "there.is").mkdir()  # a folder, whatever its name
    assert main(["example", ORIN, *given]) == 0
    assert (here / place).read_bytes() == package.example(ORIN).read_bytes()
    assert load_scenario(here / place).hash == load_scenario(ROOT / "scenarios" / f"{ORIN}.yaml").hash
    assert f"prism-sim run {place}" in capsys.readouterr().out


def test_an_example_goes_to_standard_output_too(here: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["example", f"{ORIN}.yaml", "-o", "-"]) == 0
    assert capsys.readouterr().out == package.example(ORIN).read_text()
    assert not list(here.iterdir())


def test_what_the_user_changed_is_written_over_only_by_force(here: Path, capsys: pytest.CaptureFixture[str]):
    mine = here / f"{ORIN}.yaml"
    mine.write_text("name: mine\n")
    assert main(["example", ORIN]) == 2
    assert capsys.readouterr().err == (
        f"prism-sim: {ORIN}.yaml: is there already, and differs; "
        "name another place with -o, or write over it with --force\n"
    )
    assert mine.read_text() == "name: mine\n"
    assert main(["example", ORIN, "--force"]) == 0
    assert mine.read_bytes() == package.example(ORIN).read_bytes()
    capsys.readouterr()
    assert main(["example", ORIN]) == 0  # nothing is lost: it is the same
    assert "wrote" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["vit-base-orin-nan"], "'vit-base-orin-nan' is unknown; did you mean 'vit-base-orin-nano'?"),
        (["-o", "x.yaml"], "says where to write, but not which"),
    ],
)
def test_a_wrong_name_is_answered_with_the_nearest(here: Path, capsys, arguments: list[str], message: str):
    assert main(["example", *arguments]) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert said.err.count("\n") == 1
    assert not list(here.iterdir())


@pytest.mark.parametrize("command", ["run", "check"])
@pytest.mark.parametrize(
    ("path", "more"),
    [
        (f"scenarios/{ORIN}.yaml", f" -o scenarios/{ORIN}.yaml"),
        (f"{ORIN}.yaml", ""),
        (ORIN, ""),
        (f"my folder/{ORIN}.yaml", f" -o 'my folder/{ORIN}.yaml'"),
    ],
)
def test_a_ready_scenario_that_is_not_there_yet_is_told_with_what_writes_it(
    here, capsys, command, path: str, more: str
):
    """As where a command of the README is typed without a clone."""
    assert main([command, path]) == 2
    remedy = f"a ready one of this name is written there by: prism-sim example {ORIN}{more}\n"
    assert capsys.readouterr().err.endswith(f"give the path of a scenario file; {remedy}")
    assert main(shlex.split(f"example {ORIN}{more}")) == 0
    assert (here / path).with_suffix(".yaml").is_file()
    assert main([command, f"{ORIN}.json"]) == 2
    assert "prism-sim example" not in capsys.readouterr().err


def test_files_that_a_scenario_names_come_with_it(here: Path):
    """Those that lie beside it, as they lie: presets of one's own, pictures, tables."""
    kept = here / "ready"
    (kept / "data").mkdir(parents=True)
    (kept / "mine.yaml").write_text(
        "# Is it there?\nname: mine\npresets: [data/boards.yaml, /etc/hostname]\nworkload: {input: cat.png}\n"
    )
    (kept / "data" / "boards.yaml").write_text("devices: {}\n")
    (kept / "cat.png").write_bytes(b"\x89PNG\x00")
    (kept / "other.yaml").touch()
    copies.write(ReadyScenario(kept / "mine.yaml").copies(here / "new" / "yours.yaml"))
    written = {path.relative_to(here / "new").as_posix() for path in (here / "new").rglob("*") if path.is_file()}
    assert written == {"yours.yaml", "data/boards.yaml", "cat.png"}
    assert (here / "new" / "cat.png").read_bytes() == b"\x89PNG\x00"


def test_nothing_is_written_if_one_file_is_taken(here: Path):
    (here / "two").write_text("mine")
    with pytest.raises(copies.WouldOverwriteError, match=r"two: is there already"):
        copies.write({here / "one": b"1", here / "two": b"2"})
    assert not (here / "one").exists()
    assert copies.write({here / "one": b"1", here / "two": b"2"}, force=True) == [here / "one", here / "two"]
