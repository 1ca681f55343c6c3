"""Laws of the seam: a Plan says what it holds, refuses what makes no sense, and survives a file."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from prism_sim.plan import Compute, Exchange, Kernel, Plan, Start, Wait

PRODUCT = Kernel("product", 6, 40)
NORM = Kernel("norm", 0, 8)

# what makes it: an error must show the value and the rule
INVALID_EXCHANGES: dict[str, tuple[Callable[[], Exchange], str]] = {
    "unknown kind": (lambda: Exchange("shout", (0, 1), (1, 1), None, "x"), "'shout' is not one of all_gather"),
    "too few sizes": (lambda: Exchange("all_gather", (0, 1), (1,), None, "x"), r"group \(0, 1\).*each of \(1,\)"),
    "twice the same": (lambda: Exchange("all_gather", (1, 1), (1, 1), None, "x"), r"group \(1, 1\).*distinct"),
    "negative size": (lambda: Exchange("all_gather", (0, 1), (1, -1), None, "x"), r"\(1, -1\).*>= 0"),
    "nobody": (lambda: Exchange("all_gather", (), (), None, "x"), "one or more sizes"),
    "root outside": (lambda: Exchange("gather", (0, 1), (1, 1), 2, "x"), r"root 2 is not in group \(0, 1\)"),
}


def two_ranks() -> Plan:
    """Rank 0 computes and sends to rank 1; the terminal looks on."""
    return Plan(
        n_ranks=2,
        programs=(
            (Compute("block 0", (PRODUCT, NORM)), Compute("norms only", (NORM,)), Start(0), Wait(0)),
            (Start(0), Wait(0)),
            (),
        ),
        exchanges=(Exchange("send", (0, 1), (7, 0), 0, "boundary"),),
        weight_bytes=(1, 2, 3),
        activation_bytes=(4, 5, 6),
    )


def test_a_plan_read_back_from_json_is_the_same_plan() -> None:
    plan = two_ranks()
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


def test_a_file_of_another_schema_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"'prism-sim/plan/9' is not 'prism-sim/plan/1'"):
        Plan.from_json({**two_ranks().to_json(), "schema": "prism-sim/plan/9"})


@pytest.mark.parametrize("case", INVALID_EXCHANGES)
def test_an_exchange_that_makes_no_sense_is_refused_with_value_and_rule(case: str) -> None:
    make, message = INVALID_EXCHANGES[case]
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("field", ["programs", "weight_bytes", "activation_bytes"])
def test_a_plan_needs_an_entry_for_each_rank_and_the_terminal(field: str) -> None:
    plan = two_ranks()
    fields = {name: getattr(plan, name) for name in ("programs", "exchanges", "weight_bytes", "activation_bytes")}
    with pytest.raises(ValueError, match=rf"{field} must have n_ranks \+ 1 = 3 entries"):
        Plan(n_ranks=2, **{**fields, field: getattr(plan, field)[:-1]})


def test_the_terminal_comes_after_the_ranks() -> None:
    assert two_ranks().terminal == 2


def test_a_compute_costs_what_its_kernels_cost() -> None:
    assert Compute("three", (PRODUCT, NORM, PRODUCT)).flops == 2 * PRODUCT.flops


def test_computes_are_a_participants_work_in_order() -> None:
    assert [step.label for step in two_ranks().computes(0)] == ["block 0", "norms only"]
    assert two_ranks().computes(1) == ()


def test_observable_keeps_labels_flops_and_exchanges_and_drops_what_no_run_can_see() -> None:
    seen = two_ranks().observable()
    assert seen.programs == (
        (Compute("block 0", (Kernel("", PRODUCT.flops, 0),)), Start(0), Wait(0)),  # no norms, names, moved bytes
        (Start(0), Wait(0)),
        (),
    )
    assert seen.exchanges == two_ranks().exchanges
    assert seen.weight_bytes == seen.activation_bytes == (0, 0, 0)


def test_what_is_observable_stays_observable() -> None:
    once = two_ranks().observable()
    assert once.observable() == once


def test_plans_that_differ_in_one_flop_differ_when_observed() -> None:
    plan = two_ranks()
    more = Compute("block 0", (Kernel("product", PRODUCT.flops + 1, 40), NORM))
    other = Plan(2, ((more, *plan.programs[0][1:]), *plan.programs[1:]), plan.exchanges, (1, 2, 3), (4, 5, 6))
    assert plan.observable() != other.observable()
