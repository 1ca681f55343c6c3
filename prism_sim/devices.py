"""What a device costs: seconds for a kernel, and for a copy between accelerator and host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite, sqrt

from prism_sim.plan import ATTENTION, Kernel


@dataclass(frozen=True)
class Device:
    """One edge device.

    flops_per_s, memory_bytes_per_s: what it reaches, not its data sheet's peak.
    memory_overlap: the part of the shorter of a kernel's arithmetic and memory traffic that hides behind the longer.
    attention_efficiency: the part of `flops_per_s` that attention's own products reach, softmax between them: each head
    is a small product by itself.
    op_overhead_s: what launching one kernel costs, beside the kernel itself.
    staging_bytes_per_s, staging_latency_s: copies between accelerator and host around a message; by default free.
    staging_ramp_s: how long a copy's rate climbs, evenly and from nothing, to `staging_bytes_per_s`.
    dispatch_s: what handing one kernel over takes the host, which runs ahead of its accelerator (`dispatch.py`).
    restart_s: what the host needs besides, over the launches of the first stretch after a copy.
    handling_bytes_per_s: at which, after these launches, the host sees to the bytes that came in.
    memory_bytes, idle_w, busy_w, radio_w: None where unknown.  radio_w comes on top while sending or receiving.
    storage_bytes_per_s: at which weights that find no room in memory are read anew for each pass; None: they are not.
    streamed: the part of each weight matrix that is read so.
    Raises ValueError that shows the field, its value and the rule.
    """

    name: str
    flops_per_s: float
    memory_bytes_per_s: float
    op_overhead_s: float = 0.0
    memory_overlap: float = 1.0
    attention_efficiency: float = 1.0
    staging_bytes_per_s: float = inf
    staging_latency_s: float = 0.0
    staging_ramp_s: float = 0.0
    dispatch_s: float = 0.0
    restart_s: float = 0.0
    handling_bytes_per_s: float = inf
    memory_bytes: int | None = None
    idle_w: float | None = None
    busy_w: float | None = None
    radio_w: float | None = None
    storage_bytes_per_s: float | None = None
    streamed: float = 0.0

    def __post_init__(self) -> None:
        check_positive(self, "flops_per_s", "memory_bytes_per_s", "staging_bytes_per_s", "handling_bytes_per_s")
        check_not_negative(self, "op_overhead_s", "staging_latency_s", "staging_ramp_s", "dispatch_s", "restart_s")
        if not 0 <= self.memory_overlap <= 1:
            raise ValueError(f"memory_overlap(={self.memory_overlap}) must be from 0 to 1")
        if not 0 < self.attention_efficiency <= 1:
            raise ValueError(f"attention_efficiency(={self.attention_efficiency}) must be above 0 and at most 1")
        if self.memory_bytes is not None:
            check_positive(self, "memory_bytes")
        self._check_storage()
        check_not_negative(self, *(name for name in ("idle_w", "busy_w", "radio_w") if getattr(self, name) is not None))
        if self.idle_w is not None and self.busy_w is not None and self.busy_w < self.idle_w:
            raise ValueError(f"busy_w(={self.busy_w}) must be >= idle_w(={self.idle_w})")

    def _check_storage(self) -> None:
        if self.storage_bytes_per_s is None:
            return
        check_positive(self, "storage_bytes_per_s")
        if self.memory_bytes is None:
            raise ValueError(f"storage_bytes_per_s(={self.storage_bytes_per_s}) needs memory_bytes, which may be short")

    def work_s(self, kernel: Kernel) -> float:
        """The slower of arithmetic and memory traffic (roofline, Williams et al., CACM 52(4), 2009).

        And the part of the other that does not hide behind it, as where a processor packs weights before it multiplies.
        """
        arithmetic_s, traffic_s = kernel.flops / self.flops_per_s, kernel.moved_bytes / self.memory_bytes_per_s
        if kernel.name == ATTENTION:
            arithmetic_s /= self.attention_efficiency
        return max(arithmetic_s, traffic_s) + (1 - self.memory_overlap) * min(arithmetic_s, traffic_s)

    def kernel_s(self, kernel: Kernel) -> float:
        return self.op_overhead_s + self.work_s(kernel)

    def compute_s(self, kernels: Sequence[Kernel]) -> float:
        """One after another, while what is missing of their weights is read: the longer of the two."""
        kernels_s = sum(map(self.kernel_s, kernels))
        return max(kernels_s, self.read_s(kernels)) if self.streamed else kernels_s

    def read_s(self, kernels: Sequence[Kernel]) -> float:
        """What storage takes to read the streamed part of their weights."""
        if self.storage_bytes_per_s is None:
            return 0.0
        return self.streamed * sum(kernel.weight_bytes for kernel in kernels) / self.storage_bytes_per_s

    def staging_s(self, payload_bytes: int) -> float:
        """One copy between accelerator and host; nothing to copy costs nothing.

        While the rate r climbs, r = t staging_bytes_per_s / staging_ramp_s, t seconds copy its integral: the time grows
        with the root of the bytes.
        """
        if not payload_bytes:
            return 0.0
        full_s = payload_bytes / self.staging_bytes_per_s
        if full_s >= self.staging_ramp_s / 2:
            return self.staging_latency_s + (full_s + self.staging_ramp_s / 2)
        return self.staging_latency_s + sqrt(2 * self.staging_ramp_s * full_s)

    @property
    def is_fed(self) -> bool:
        """Whether the host's feeding of the accelerator takes time of its own."""
        return bool(self.dispatch_s or self.restart_s or isfinite(self.handling_bytes_per_s))


def kinds_of(devices: Mapping[int, Device]) -> list[tuple[int, ...]]:
    """Their indices in groups of those that are alike but for their names, in the order in which they are given."""
    groups: dict[Device, list[int]] = {}
    for index, device in devices.items():
        groups.setdefault(replace(device, name=""), []).append(index)
    return [tuple(indices) for indices in groups.values()]


def check_positive(holder: object, *fields: str) -> None:
    for field in fields:
        value = getattr(holder, field)
        if not value > 0:
            raise ValueError(f"{field}(={value}) must be > 0")


def check_not_negative(holder: object, *fields: str) -> None:
    for field in fields:
        value = getattr(holder, field)
        if not (value >= 0 and isfinite(value)):
            raise ValueError(f"{field}(={value}) must be finite and >= 0")
