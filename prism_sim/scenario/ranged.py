"""Numbers that may have the interval of their fit beside them: those that decide how long something takes."""

from __future__ import annotations

from collections.abc import Mapping

# A preset's field, and the numbers of a device's or network's spec that it gives.
RANGED: Mapping[str, tuple[str, ...]] = {
    "compute": ("flops_per_s",),
    "compute_float16": ("float16_flops_per_s",),
    "compute_int8": ("int8_flops_per_s",),
    "compute_q8_0": ("q8_0_flops_per_s",),
    "compute_q4_0": ("q4_0_flops_per_s",),
    "memory_bandwidth": ("memory_bytes_per_s",),
    "memory_overlap": ("memory_overlap",),
    "op_overhead": ("op_overhead_s",),
    "staging_bandwidth": ("staging_bytes_per_s",),
    "staging_latency": ("staging_latency_s",),
    "staging_ramp": ("staging_ramp_s",),
    "dispatch": ("dispatch_s",),
    "dispatch_restart": ("restart_s",),
    "handling_bandwidth": ("handling_bytes_per_s",),
    "message_overhead": ("message_overhead_s",),
    "bandwidth": ("up_bits_per_s", "down_bits_per_s"),
    "up": ("up_bits_per_s",),
    "down": ("down_bits_per_s",),
    "efficiency": ("efficiency",),
    "latency": ("latency_s",),
    "broadcast_rate": ("broadcast_bits_per_s",),
}
