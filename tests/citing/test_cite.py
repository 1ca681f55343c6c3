"""`prism-sim cite`: BibTeX that parses, of what a scenario uses and nothing else."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from prism_sim import strategies
from prism_sim.citing.bibtex import bibliography
from prism_sim.citing.cite import AUTHORS, TITLE, YEAR, cite, this_package
from prism_sim.citing.publications import Publication, publications_in
from prism_sim.cli import main
from prism_sim.scenario import load_scenario

ROOT = Path(__file__).parents[2]
READY = sorted((ROOT / "scenarios").glob("*.yaml"))
PRISM = {"2507.12145", "2605.25682"}


def entries(text: str) -> dict[str, dict[str, str]]:
    """Fields of each entry by its key, read by the grammar of BibTeX as far as braces go; comments by `%`."""
    found: dict[str, dict[str, str]] = {}
    rest = "\n".join(line for line in text.splitlines() if not line.startswith("%")).strip()
    while rest:
        head = re.match(r"@misc\{([^\s,{}]+),\s*", rest)
        assert head, rest[:80]
        assert head[1] not in found, f"{head[1]} twice"
        rest, found[head[1]] = rest[head.end() :], {}
        while not rest.startswith("}"):
            name = re.match(r"(\w+) = (?=\{)", rest)
            assert name, rest[:80]
            value = braced(rest[name.end() :])
            found[head[1]][name[1]] = value[1:-1]
            rest = rest[name.end() + len(value) :].lstrip(", \n")
        rest = rest[1:].lstrip()
    return found


def braced(text: str) -> str:
    """From its first brace to the one that closes it; those behind a backslash are text."""
    depth = 0
    for match in re.finditer(r"\\.|[{}]", text):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth == 0:
            return text[: match.end()]
    raise AssertionError(f"unbalanced: {text[:80]}")


def cited(text: str) -> set[str]:
    """Ids of papers."""
    return {entry["eprint"] for entry in entries(text).values() if "eprint" in entry}


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "name: mine\nmodel: {preset: bert-base-uncased}\ndevices:\n  - {preset: raspberry-pi-5, count: 2}\n"
        "network: {bandwidth: 100 Mbit/s, latency: 1 ms}\nstrategy: {name: voltage}\n"
    )
    return path


@pytest.mark.parametrize("path", READY, ids=lambda path: path.stem)
def test_of_every_ready_scenario_it_is_bibtex_with_keys_of_their_own(path: Path):
    found = entries(cite(load_scenario(path)))
    assert next(iter(found)) == "prism_sim"
    assert all(entry["title"] for entry in found.values())


def test_without_a_scenario_it_is_prism_sim_and_prism(capsys: pytest.CaptureFixture[str]):
    assert main(["cite"]) == 0
    found = entries(capsys.readouterr().out)
    assert list(found) == ["prism_sim", "qazi2025prism", "qazi2026profilingdriven"]
    assert found["qazi2025prism"] == {
        "title": "{PRISM: Distributed Inference for Foundation Models at Edge}",
        "author": "Qazi and Iosifidis and Zhang",
        "year": "2025",
        "eprint": "2507.12145",
        "archiveprefix": "arXiv",
        "url": "https://arxiv.org/abs/2507.12145",
    }


@pytest.mark.parametrize("name", strategies.nameable())
def test_every_strategy_that_a_scenario_names_is_cited(scenario: Path, name: str):
    text = cite(load_scenario(scenario, [f"strategy.name={name}"]))
    among = strategies.catalogue() if name == "auto" else {name: strategies.find(name)}
    for strategy in among.values():
        assert f"% strategy {strategy.name}\n" in text
        assert {one.arxiv for one in publications_in(strategy.source) if one.arxiv} <= cited(text)
    assert "no publication" not in text
    assert ("2507.12145" in cited(text)) == (name in ("prism", "auto"))


def test_what_a_device_s_numbers_were_fitted_to_is_cited_by_runtime(scenario: Path):
    def urls(runtime: str, *more: str) -> set[str]:
        overrides = ["devices[0].preset=raspberry-pi-4", f"devices[0].runtime={runtime}", *more]
        return {one.get("url", "") for one in entries(cite(load_scenario(scenario, overrides))).values()}

    ncnn, ours = "https://github.com/Tencent/ncnn", "https://github.com/b4rtaz/distributed-llama"
    assert ncnn in urls("ncnn")
    assert ncnn not in urls("distributed-llama")
    assert ours in urls("distributed-llama")
    # the only number that its rows told, stated by the scenario itself
    assert ours not in urls("distributed-llama", "devices[0].memory_bandwidth=1 GB/s")


def test_compressors_networks_tasks_and_the_hub_are_cited_where_they_are_used(scenario: Path):
    overrides = ["strategy.name=prism", "strategy.compressor=token_merging+int8", "network.preset=wifi-6e"]
    text = cite(load_scenario(scenario, [*overrides, "model.weights=pretrained"]))
    assert {"2210.09461", "1712.05877", *PRISM, "1810.04805"} == cited(text)
    assert "{huggingface.co/google-bert/bert-base-uncased}" in text
    digits = cite(load_scenario(ROOT / "scenarios" / "accuracy-digits.yaml"))
    assert "alpaydin1998optical" in entries(digits)


def test_what_a_sweep_names_is_cited_too():
    text = cite(load_scenario(ROOT / "scenarios" / "study-compression.yaml"))
    for what in ("strategy voltage", "strategy single", "model gpt2", "model bert-base-uncased"):
        assert f"% {what}\n" in text


def test_a_plug_in_states_its_own(scenario: Path, no_plugins: None, capsys: pytest.CaptureFixture[str]):
    plugin = str(ROOT / "extensions" / "rare.py")
    assert main(["cite", str(scenario), "--plugin", plugin, "--set", "strategy.name=rare"]) == 0
    text = capsys.readouterr().out
    assert "% strategy rare\n" in text
    assert "2507.12145" in cited(text)


def test_what_names_no_publication_is_told(scenario: Path):
    text = cite(load_scenario(scenario, ["network.preset=5g", "network.bandwidth=null", "network.latency=null"]))
    assert text.endswith("\n% no publication is named for: network 5g\n")


def test_an_override_without_a_scenario_is_refused(capsys: pytest.CaptureFixture[str]):
    assert main(["cite", "--set", "seed=1"]) == 2
    assert capsys.readouterr().err == "prism-sim: cite: --set changes a scenario's field; name a scenario\n"


def test_keys_differ_and_texts_are_escaped():
    one, other = (
        Publication(r"50 % of {a_b} \ & more", ("Ben Allal", "others"), 2025),
        Publication("50", ("Ben Allal",), 2025),
    )
    found = entries(bibliography({one: ["x"], other: ["y"]}))
    assert list(found) == ["benallal202550", "benallal202550b"]
    assert found["benallal202550"]["title"] == r"{50 \% of \{a\_b\} \textbackslash{} \& more}"
    assert found["benallal202550"]["author"] == "{Ben Allal} and others"


def test_the_citation_file_says_what_the_package_and_cite_say():
    """CITATION.cff, by version 1.2.0 of its schema: its required keys, and ours."""
    stated = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert stated["cff-version"] == "1.2.0"
    assert stated["message"]
    assert (stated["version"], stated["license"]) == (project["version"], project["license"])
    assert (stated["title"], [one["name"] for one in stated["authors"]]) == (TITLE, list(AUTHORS))
    assert this_package().places == (f"version {project['version']}",)
    references = [
        Publication(
            one["title"],
            tuple(author["family-names"] for author in one["authors"]),
            one["year"],
            one["identifiers"][0]["value"].removeprefix("arXiv:"),
        )
        for one in stated["references"]
    ]
    assert references == list(publications_in(strategies.find("prism").source))
    assert all(one["url"].endswith(known.arxiv) for one, known in zip(stated["references"], references, strict=True))


def test_the_changelog_begins_with_this_version_or_with_what_is_to_come():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    versions = dict(re.findall(r"^## \[(.+?)\](?: - (\d{4})-\d\d-\d\d)?$", text, re.MULTILINE))
    assert next(iter(versions)) in ("Unreleased", project["version"])
    assert versions.get(project["version"], str(YEAR)) == str(YEAR)  # the day of this version is in the year to cite
