"""What no run of a plan can be faster than, without playing it: work and bytes, each alone at its device's rate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from prism_sim import timing
from prism_sim.plan import Exchange, Plan, Wait, shapes_of
from prism_sim.timing.media.switch import per_device

ROUNDING = 1e-9  # relative; sums in another order differ by less


def least_latency_s(
    plan: Plan, devices: Sequence[timing.Device], device_of: Sequence[int], network: timing.Network
) -> float:
    """The longest of what each device has to compute and of what each port of a switch has to carry.

    Whatever the algorithms of the exchanges: what is due to a device crosses its downlink, and what it alone has its
    uplink, once at least. Other networks carry bytes in ways of their own, of which nothing is taken for granted.
    """
    longest_s = max(_computed_s(plan, devices, device_of))
    if isinstance(network, timing.Switch):
        longest_s = max(longest_s, *_carried_s(plan, device_of, network, len(devices)))
    return (1 - ROUNDING) * longest_s


def _computed_s(plan: Plan, devices: Sequence[timing.Device], device_of: Sequence[int]) -> list[float]:
    """Of each device, which computes one thing at a time. Steps that share kernels are added up once."""
    found_s, known_s = [0.0] * len(devices), dict[tuple[int, int], float]()
    for participant in plan.participants:
        device = device_of[participant]
        for step in plan.computes(participant):
            key = device, id(step.kernels)
            if key not in known_s:
                known_s[key] = devices[device].compute_s(step.kernels)
            found_s[device] += known_s[key]
    return found_s


def _carried_s(plan: Plan, device_of: Sequence[int], network: timing.Switch, n_devices: int) -> Iterator[float]:
    """Of each port, of exchanges for which all members wait: only these are sure to have ended with the run."""
    leaving, coming = [0] * n_devices, [0] * n_devices
    waits = Counter(
        exchange for program in plan.programs for exchange in {step.exchange for step in program if type(step) is Wait}
    )
    shapes, numbers = shapes_of(
        one for number, one in zip(plan.exchange_ids, plan.exchanges, strict=True) if waits[number] == len(one.group)
    )
    n_alike = Counter(numbers)
    for shape, exchange in enumerate(shapes):
        on = [device_of[member] for member in exchange.group]
        if len(set(on)) == 1:
            continue
        for device in set(on):
            own = sum(size for where, size in zip(on, exchange.bytes_by_rank, strict=True) if where == device)
            is_root = exchange.root is not None and device_of[exchange.root] == device
            out_bytes, in_bytes = _crossing(exchange, own, is_root)
            leaving[device] += n_alike[shape] * out_bytes
            coming[device] += n_alike[shape] * in_bytes
    up = per_device("up_bits_per_s", network.up_bits_per_s, n_devices)
    down = per_device("down_bits_per_s", network.down_bits_per_s, n_devices)
    yield from (8 * n / rate for n, rate in zip((*leaving, *coming), (*up, *down), strict=True))


def _crossing(exchange: Exchange, own: int, is_root: bool) -> tuple[int, int]:
    """Bytes that leave a device, and that come to it, at least. own: those of its members."""
    whole = sum(exchange.bytes_by_rank)
    match exchange.kind:
        case "all_gather":
            return own, whole - own
        case "reduce_scatter":
            return whole - own, own
        case "all_reduce":
            return exchange.bytes_by_rank[0], exchange.bytes_by_rank[0]
        case "scatter":
            return (whole - own, 0) if is_root else (0, own)
        case "gather":
            return (0, whole - own) if is_root else (own, 0)
        case _:  # broadcast and send: the root's payload
            return (whole, 0) if is_root else (0, whole)
