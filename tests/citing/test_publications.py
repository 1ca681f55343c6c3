"""What a source's text names: papers, repositories, pages; and nothing where it names none."""

from __future__ import annotations

import pytest

from prism_sim import compressors, strategies
from prism_sim.boards.rows import board_rows
from prism_sim.citing.publications import OWN, Publication, publications_in
from prism_sim.citing.uses import Use
from prism_sim.syntax import presets

ARXIV = "https://arxiv.org/abs/"
CASES = {
    "Touvron et al. (2023), Llama 2, arXiv 2307.09288, Table 1; the hub's config.json": [
        Publication("Llama 2", ("Touvron", "others"), 2023, "2307.09288", places=("Table 1",))
    ],
    "Devlin et al. (2019), arXiv 1810.04805, section 3": [
        Publication("", ("Devlin", "others"), 2019, "1810.04805", places=("section 3",))
    ],
    "Hill et al., The Goldilocks Principle, arXiv 1511.02301": [
        Publication("The Goldilocks Principle", ("Hill", "others"), 2015, "1511.02301")
    ],
    "A, B and C (2020), One, two, three, arXiv 2001.00001": [
        Publication("One, two, three", ("A", "B", "C"), 2020, "2001.00001")
    ],
    "PipeEdge, arXiv 2110.14895; EdgeShard, arXiv 2405.14371": [
        Publication("PipeEdge", year=2021, arxiv="2110.14895"),
        Publication("EdgeShard", year=2024, arxiv="2405.14371"),
    ],
    "arXiv 2507.12145 and 2605.25682": [
        Publication(year=2025, arxiv="2507.12145"),
        Publication(year=2026, arxiv="2605.25682"),
    ],
    "fitted to the six rows of arXiv 2605.25682 (2026), Table 4, by prism-sim fit: 561 to 703; cuBLAS": [
        Publication(year=2026, arxiv="2605.25682", places=("Table 4",))
    ],
    "Radford et al. (2019), Language Models are Unsupervised Multitask Learners, Table 2": [
        Publication(
            "Language Models are Unsupervised Multitask Learners", ("Radford", "others"), 2019, places=("Table 2",)
        )
    ],
    "Meta (2024), Llama 3.2 model card; the hub's config.json": [Publication("Llama 3.2 model card", ("Meta",), 2024)],
    "DistilGPT2 model card (2019)": [Publication("DistilGPT2 model card", year=2019)],
    "NVIDIA forum 348662 (as of 2026): the least of a tuned board": [Publication("NVIDIA forum 348662", year=2026)],
    "geerlingguy/sbc-reviews results.yml (as of 2026): HPL float64 30 to 38 GFLOP/s; somewhat less than twice that": [
        Publication(
            "geerlingguy/sbc-reviews",
            year=2026,
            url="https://github.com/geerlingguy/sbc-reviews",
            places=("results.yml",),
        )
    ],
    "github ysyisyourbrother/Jupiter images/evaluation.png = its main table (arXiv 2504.08242, INFOCOM 2025)": [
        Publication(year=2025, arxiv="2504.08242"),
        Publication(
            "ysyisyourbrother/Jupiter",
            url="https://github.com/ysyisyourbrother/Jupiter",
            places=("images/evaluation.png = its main table (arXiv 2504.08242, INFOCOM 2025)",),
        ),
    ],
    "github mit-han-lab/hat latency.csv (2000 architectures, ACL 2020)": [
        Publication(
            "mit-han-lab/hat",
            url="https://github.com/mit-han-lab/hat",
            places=("latency.csv (2000 architectures, ACL 2020)",),
        )
    ],
    "huggingface.co/hardware/jetson-tx2 (as of 2026): 8 GB": [
        Publication("huggingface.co/hardware/jetson-tx2", year=2026, url="https://huggingface.co/hardware/jetson-tx2")
    ],
    "Input/output of one, arXiv 2001.00001": [Publication("Input/output of one", year=2020, arxiv="2001.00001")],
    "llama.cpp (2024): its README": [Publication("llama.cpp", year=2024)],
    "https://example.org/a": [Publication("example.org/a", url="https://example.org/a")],
}
NOT_ONE = (
    "",
    OWN,
    "assumption",
    "assumption: half a peak (WLED issue 4206)",
    "assumption: 4 GB/s expected, moved by what its other numbers were fitted to",
    "derived: 244 bytes per 1392 us (Silicon Labs documentation, as of 2026)",
    "fitted (2026) to 10 rows of boards.csv: deit-tiny",
    "the hub's config.json (2024)",
    "as python-text",
    "TCP/IP as usual",
    "made up",
)


@pytest.mark.parametrize("source", CASES)
def test_a_source_names_what_it_names(source: str):
    assert list(publications_in(source)) == CASES[source]


@pytest.mark.parametrize("source", NOT_ONE)
def test_assumptions_derivations_and_prose_name_nothing(source: str):
    assert publications_in(source) == ()


def test_every_strategy_of_the_package_names_a_publication_or_is_its_own():
    for strategy in strategies.catalogue().values():
        assert strategy.source == OWN or publications_in(strategy.source), strategy.name


def test_every_compressor_names_a_publication():
    for entry in compressors.catalogue().values():
        assert publications_in(entry.source), entry.name


def test_every_ready_model_names_a_publication():
    for preset in presets.models():
        assert publications_in(preset.source), preset.name


def test_every_measured_row_that_is_used_is_cited_in_words_if_need_be():
    for row in board_rows():
        assert row.left_out or Use("row", row.source.partition(";")[0], True).publications(), row.source
    words = "quoted in a public list"
    assert Use("row", words, True).publications() == (Publication(words),)
    assert Use("row", words).publications() == ()


def test_two_sources_of_one_publication_complete_each_other():
    short, long = Publication(arxiv="1", places=("Table 1",)), Publication("T", ("A",), 2020, "1", places=("eq. 2",))
    assert short.with_more(long) == Publication("T", ("A",), 2020, "1", places=("Table 1", "eq. 2"))
    assert short.identity == long.identity
