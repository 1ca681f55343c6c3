"""A device's numbers are found from the times of its kernels."""

from __future__ import annotations

import dataclasses
import json
import random
from pathlib import Path

import pytest

from prism_sim.calibration.device import fit_device, in_step
from prism_sim.calibration.measure import fit_staging, measure_device
from prism_sim.live.timed import Copy, TimedStep
from prism_sim.plan import Kernel
from prism_sim.scenario import load_scenario
from prism_sim.timing import Device

TINY = {
    "model_type": "vit", "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64,
    "image_size": 16, "patch_size": 8, "num_channels": 3,
}  # fmt: skip
KNOWN = Device("known", 9e10, 1.2e10, op_overhead_s=3e-5, memory_overlap=0.4)


def steps_of(device: Device, noise: float = 0.0) -> list[TimedStep]:
    """As a device of exactly these numbers would take, give or take noise."""
    chance = random.Random(0)
    found = []
    for rows in (8, 32, 100, 400):
        kernels = [Kernel(f"product {n}", 2 * rows * 768 * n, 4 * (rows * (768 + n) + 768 * n)) for n in (768, 3072)]
        kernels.append(Kernel("norm", 0, 8 * rows * 768))
        seconds = [device.kernel_s(kernel) * (1 + noise * chance.uniform(-1, 1)) for kernel in kernels]
        label = f"{rows} rows"
        found += [TimedStep(label, kernel.name, (kernel,), one) for kernel, one in zip(kernels, seconds, strict=True)]
        found.append(TimedStep(label, "", tuple(kernels), sum(seconds), (sum(seconds),) * 3))
    return found


def test_the_numbers_that_made_the_times_are_found_again():
    found = fit_device(steps_of(KNOWN))
    assert found.flops_per_s == pytest.approx(KNOWN.flops_per_s, rel=1e-3)
    assert found.memory_bytes_per_s == pytest.approx(KNOWN.memory_bytes_per_s, rel=1e-3)
    assert found.op_overhead_s == pytest.approx(KNOWN.op_overhead_s, rel=1e-2)
    assert found.memory_overlap == pytest.approx(KNOWN.memory_overlap, abs=1e-2)
    assert abs(found.worst.error) < 1e-3


def test_noise_of_a_few_percent_moves_a_pass_by_no_more():
    found = fit_device(steps_of(KNOWN, noise=0.04))
    assert all(abs(one.fitted_s / KNOWN.compute_s(kernels) - 1) < 0.04 for one, kernels in zip(
        found.passes, [step.kernels for step in steps_of(KNOWN) if not step.name], strict=True
    ))  # fmt: skip


def test_one_pass_tells_no_device():
    with pytest.raises(ValueError, match="at least two passes"):
        fit_device([step for step in steps_of(KNOWN) if step.label == "8 rows"])


def test_cores_in_step_take_as_long_as_the_slowest_of_each_moment():
    kernels = (Kernel("product", 1_000, 1_000),)
    first = [TimedStep("a", "product", kernels, 2.0), TimedStep("a", "", kernels, 4.0, (3.0, 5.0))]
    second = [TimedStep("a", "product", kernels, 2.0), TimedStep("a", "", kernels, 4.0, (5.0, 3.0))]
    together = in_step([first, second])
    assert [step.seconds for step in together] == [2.5, 5.0]
    assert [step.seconds for step in in_step([first])] == [2.0, 4.0]


def test_cores_that_did_different_things_are_not_set_side_by_side():
    step = TimedStep("a", "", (Kernel("product", 1, 1),), 1.0, (1.0,))
    with pytest.raises(ValueError, match="same passes"):
        in_step([[step], [dataclasses.replace(step, label="b")]])


def test_staging_is_a_line_over_bytes():
    found = fit_staging(tuple(Copy(size, 2e-5 + size / 6e9) for size in (1_000, 100_000, 10_000_000)))
    assert found.latency_s == pytest.approx(2e-5, rel=1e-4)
    assert found.bytes_per_s == pytest.approx(6e9, rel=1e-4)


def test_this_machine_is_measured_and_its_section_is_a_scenario_s(tmp_path: Path):
    found = measure_device(TINY, busy=1, rounds=2, timeout_s=100)
    assert found.busy == 1
    json.dumps(found.to_json())
    path = tmp_path / "here.yaml"
    rest = "model: {preset: bert-tiny}\nnetwork: {preset: loopback}\nstrategy: {name: single}\n"
    path.write_text(found.to_yaml() + rest)
    device = load_scenario(path).devices[0]
    assert device.flops_per_s == pytest.approx(found.estimate.flops_per_s, rel=1e-3)
    assert device.memory_overlap == pytest.approx(found.estimate.memory_overlap, abs=1e-3)


@pytest.mark.parametrize(("field", "value"), [("threads", 0), ("busy", -1), ("rounds", 1)])
def test_numbers_that_make_no_sense_are_refused(field: str, value: int):
    with pytest.raises(ValueError, match=field):
        measure_device(TINY, **{field: value})
