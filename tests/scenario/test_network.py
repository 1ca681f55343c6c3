"""Networks: each medium takes the fields that it uses and refuses the others; links make a connected graph."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import get_args

import pytest

from prism_sim import timing
from prism_sim.scenario import LinkSpec, ScenarioError, load_scenario, sweep_axes
from prism_sim.scenario.network import USED_BY
from prism_sim.simulation import hardware
from prism_sim.simulation.simulate import simulate
from prism_sim.syntax import presets, schema, sections
from prism_sim.timing.media.links import SWITCHING
from prism_sim.timing.media.switch import SHARING

TEXT = """\
model: {preset: bert-tiny}
devices: [{name: pi, preset: raspberry-pi-5, count: 3}]
network:
  %s
strategy: {name: prism, segments: 4}
"""
SWITCH = "{medium: switch, bandwidth: 8 Mbit/s}"
SHARED = "{medium: shared, bandwidth: 8 Mbit/s}"
STAR = (
    "[{between: [0, r], bandwidth: 1 Gbit/s}, {between: [1, r], preset: lte}, "
    "{between: [r, pi-2], up: 3 Mbit/s, down: 4 Mbit/s, latency: 5 ms}]"
)
LINKS = f"{{medium: links, links: {STAR}}}"
NETWORK_OF = {"switch": SWITCH, "shared": SHARED, "links": LINKS}
OF_EVERY_MEDIUM = {"preset", "medium", "message_overhead", "collective", "slow_start"}


@pytest.fixture
def load(tmp_path: Path):
    def load_network(network: str = SWITCH, overrides=()):
        file = tmp_path / "x.yaml"
        file.write_text(TEXT % network, encoding="utf-8")
        return load_scenario(file, overrides)

    return load_network


def refusal(load, network: str, overrides=()) -> ScenarioError:
    with pytest.raises(ScenarioError) as caught:
        load(network, overrides)
    return caught.value


def test_a_scenario_has_the_names_that_the_timing_has():
    assert set(get_args(sections.Medium)) == set(timing.NETWORKS) == set(NETWORK_OF)
    assert set(get_args(sections.Sharing)) == set(SHARING)
    assert set(get_args(sections.Switching)) == set(SWITCHING)
    assert set(get_args(sections.Collective)) == set(timing.CHOICES)


def test_every_field_is_of_all_media_or_of_those_that_are_named():
    assert set(USED_BY) | OF_EVERY_MEDIUM == set(sections.NetworkSection.model_fields)
    assert not set(USED_BY) & OF_EVERY_MEDIUM
    assert all(set(media) < set(NETWORK_OF) for media in USED_BY.values())


# (network, the timing model's network)
PLAYED = [
    (
        "{bandwidth: 8 Mbit/s, latency: 1 ms, message_overhead: 2 ms, sharing: fair, collective: tree,"
        " slow_start: true}",
        timing.Switch(8e6, 8e6, 1e-3, 2e-3, "fair", "tree", True),
    ),
    ("{up: 3 Mbit/s, down: 4 Mbit/s}", timing.Switch(3e6, 4e6, sharing="fair", collective="quickest")),
    (
        "{medium: shared, bandwidth: 8 Mbit/s, latency: 1 ms, message_overhead: 2 ms, collective: broadcast,"
        " access_point: pi-1, broadcast_rate: 1 Mbit/s, slow_start: true}",
        timing.SharedRadio(8e6, 1e-3, 2e-3, "broadcast", False, 1, 1e6, True),
    ),
    (
        "{medium: shared, bandwidth: 8 Mbit/s, direct: true}",
        timing.SharedRadio(8e6, direct=True, collective="quickest"),
    ),
    (
        f"{{medium: links, links: {STAR}, message_overhead: 2 ms, collective: ring, slow_start: true,"
        " switching: store-and-forward}",
        timing.Links(
            (
                timing.Link(0, "r", 1e9, 1e9),
                timing.Link(1, "r", 47.6e6, 91.6e6, 20e-3),
                timing.Link("r", 2, 3e6, 4e6, 5e-3),
            ),
            2e-3,
            "ring",
            "store-and-forward",
            True,
        ),
    ),
]


@pytest.mark.parametrize(("network", "played"), PLAYED)
def test_every_field_reaches_the_timing(load, network, played):
    assert hardware.network(load(network).network) == played


def test_every_field_of_the_timings_networks_can_be_written():
    """A field that is new in the timing is missed here, not by a user."""
    written = {
        "up_bits_per_s": "up",
        "down_bits_per_s": "down",
        "bits_per_s": "bandwidth",
        "broadcast_bits_per_s": "broadcast_rate",
        "latency_s": "latency",
        "message_overhead_s": "message_overhead",
    }
    for medium, network in timing.NETWORKS.items():
        for field in fields(network):
            name = written.get(field.name, field.name)
            assert medium in USED_BY.get(name, (medium,))
            assert ("network", name) in schema.known_fields()


# (field, a value)
EXAMPLES = {
    "bandwidth": "1 Mbit/s",
    "up": "1 Mbit/s",
    "down": "1 Mbit/s",
    "efficiency": "0.9",
    "latency": "1 ms",
    "sharing": "fair",
    "direct": "false",
    "access_point": "0",
    "broadcast_rate": "1 Mbit/s",
    "switching": "cut-through",
    "links": STAR,
}
USELESS = [(field, medium) for field, media in USED_BY.items() for medium in NETWORK_OF if medium not in media]


@pytest.mark.parametrize(("field", "medium"), USELESS)
def test_a_field_that_the_medium_cannot_use_is_refused_naming_one_that_can(load, field, medium):
    error = refusal(load, NETWORK_OF[medium][:-1] + f", {field}: {EXAMPLES[field]}}}")
    assert error.field == f"network.{field}"
    assert f"used by medium {' and '.join(USED_BY[field])}, but the medium is {medium}; " in str(error)
    assert error.line == 4


def test_a_preset_that_settles_the_medium_is_named(load):
    assert "(of the preset wifi-5)" in str(refusal(load, "{preset: wifi-5, sharing: fair}"))


# (network, what it equals)
GIVING_WAY = [
    ("{preset: wifi-5, medium: switch}", "{bandwidth: 520 Mbit/s, latency: 1.5 ms, message_overhead: 0.3 ms}"),
    ("{preset: ble, medium: switch}", "{bandwidth: 1402 kbit/s, latency: 7.5 ms, message_overhead: 1 ms}"),
    (
        "{preset: lte, medium: shared, bandwidth: 8 Mbit/s}",
        "{medium: shared, bandwidth: 8 Mbit/s, latency: 20 ms, message_overhead: 0.3 ms}",
    ),
    (f"{{preset: 5g, medium: links, links: {STAR}}}", f"{LINKS[:-1]}, message_overhead: 0.3 ms}}"),
]


@pytest.mark.parametrize(("network", "same"), GIVING_WAY)
def test_what_a_preset_says_gives_way_to_a_stated_medium_that_cannot_use_it(load, network, same):
    one, other = load(network), load(same)
    assert replace(one.network, preset=None) == other.network
    assert one.hash == other.hash


def test_a_station_uses_the_air_twice_through_an_access_point_and_once_without(load):
    def hops(network: str) -> int:
        return hardware.network(load(network).network).hops(0, 1)

    assert [hops(f"{{preset: wifi-{kind}}}") for kind in (4, 5, 6)] == [2, 2, 2]
    assert [hops(f"{{preset: {name}}}") for name in ("wifi-6e", "ble", "ieee-802.15.4")] == [1, 1, 1]
    assert hops("{preset: wifi-5, direct: true}") == hops("{preset: wifi-5, access_point: 1}") == 1


def test_the_air_is_shared_so_the_same_bandwidth_takes_longer_than_on_a_switch(load):
    switch, direct, relayed = (
        simulate(load(network)).timeline.breakdown_s for network in (SWITCH, SHARED[:-1] + ", direct: true}", SHARED)
    )
    time = [sum(parts[name] for name in ("transfer", "queue")) for parts in (switch, direct, relayed)]
    assert time[0] < time[1] < time[2]


def test_wireless_presets_are_shared_and_others_are_not():
    shared = {preset.name for preset in presets.networks() if preset.fields["medium"] == "shared"}
    assert shared == {
        "wifi-4",
        "wifi-5",
        "wifi-5-raspberry-pi-4",
        "wifi-5-raspberry-pi-5",
        "wifi-6",
        "wifi-6e",
        "ble",
        "ieee-802.15.4",
    }


VARIANTS = [
    SWITCH,
    SWITCH[:-1] + ", sharing: fifo}",
    SWITCH[:-1] + ", collective: ring}",
    SWITCH[:-1] + ", slow_start: true}",
    SHARED,
    SHARED[:-1] + ", direct: true}",
    SHARED[:-1] + ", access_point: 2}",
    SHARED[:-1] + ", broadcast_rate: 1 Mbit/s}",
    LINKS,
    LINKS[:-1] + ", switching: store-and-forward}",
    LINKS.replace("5 ms", "6 ms"),
    LINKS.replace("[0, r]", "[1, 0]"),
]


def test_the_hash_tells_all_networks_apart(load):
    assert len({load(network).hash for network in VARIANTS}) == len(VARIANTS)


# --- links ---------------------------------------------------------------------------------------------------------


def test_a_node_is_a_device_by_index_or_name_or_a_router(load):
    network = load(LINKS).network
    assert [(link.a, link.b) for link in network.links] == [(0, "r"), (1, "r"), ("r", 2)]
    assert load(LINKS.replace("[0, r]", "[pi-0, r]")).hash == load(LINKS).hash
    assert (network.up_bits_per_s, network.down_bits_per_s, network.latency_s) == (None, None, 0.0)


def test_a_link_is_of_a_preset_or_of_its_own_numbers_up_from_the_first_to_the_second(load):
    plain, lte, own = load(LINKS).network.links
    assert plain == LinkSpec(0, "r", 1e9, 1e9, 0.0)
    assert lte == LinkSpec(1, "r", 47.6e6, 91.6e6, 20e-3)
    assert own == LinkSpec("r", 2, 3e6, 4e6, 5e-3)


def test_a_links_field_overrides_its_preset(load):
    (_, lte, _) = load(LINKS.replace("preset: lte", "preset: lte, down: 5 Mbit/s, latency: 0 s")).network.links
    assert lte == LinkSpec(1, "r", 47.6e6, 5e6, 0.0)


def test_an_override_of_a_links_bandwidth_drops_its_directions_and_no_other_links(load):
    changed = load(LINKS, ["network.links[2].bandwidth=7 Mbit/s"]).network.links
    assert changed[:2] == load(LINKS).network.links[:2]
    assert changed[2] == LinkSpec("r", 2, 7e6, 7e6, 5e-3)


def test_a_link_can_be_swept(load):
    scenario = load(LINKS, ["sweep.network.links[0].bandwidth={from: 1 Mbit/s, to: 9 Mbit/s, points: 3}"])
    (axis,) = sweep_axes(scenario)
    assert (axis.numbers, axis.unit) == (pytest.approx((1e6, 5e6, 9e6)), "bit/s")
    assert scenario.with_overrides({axis.field: axis.values[1]}).network.links[0].up_bits_per_s == 5e6


def test_a_graph_of_links_is_played(load):
    slow, fast = (simulate(load(LINKS.replace("5 ms", text))).latency_s for text in ("500 ms", "5 ms"))
    assert slow - fast > 2 * 0.495  # the input and a block's summaries cross the link


# (network, field, parts of the message)
WRONG = [
    (f"{{links: {STAR}}}", "links", ["used by medium links", "medium: links"]),
    ("{medium: links}", "links", ["missing", "between"]),
    ("{medium: links, links: []}", "links", ["empty"]),
    ("{medium: links, links: 3}", "links", ["list"]),
    ("{preset: lte, medium: shared}", "bandwidth", ["missing"]),
    ("{medium: radio, bandwidth: 1 Mbit/s}", "medium", ["switch, shared, links"]),
    ("{medium: shared, bandwidth: 1 Mbit/s, sharing: fair}", "sharing", ["used by medium switch"]),
    ("{bandwidth: 1 Mbit/s, sharing: fare}", "sharing", ["did you mean 'fair'"]),
    ("{bandwidth: 1 Mbit/s, collective: rng}", "collective", ["did you mean 'ring'"]),
    ("{bandwidth: 1 Mbit/s, slow_start: 1}", "slow_start", ["true nor false"]),
    ("{bandwidth: 1 Mbit/s, sharing: fair, collective: broadcast}", "collective", ["fair"]),
    (f"{LINKS[:-1]}, collective: broadcast}}", "collective", ["reaches all", "tree"]),
    ("{medium: shared, bandwidth: 1 Mbit/s, access_point: router}", "access_point", ["not the name of a device"]),
    ("{medium: shared, bandwidth: 1 Mbit/s, access_point: 3}", "access_point", ["0 to 2"]),
    ("{preset: ble, access_point: 0}", "access_point", ["direct: true", "direct: false"]),
    ("{preset: wifi-5, broadcast_rate: 6}", "broadcast_rate", ["bare number"]),
]


@pytest.mark.parametrize(("network", "field", "parts"), WRONG)
def test_a_wrong_network_is_refused_at_its_place(load, network, field, parts):
    error = refusal(load, network)
    assert (error.field, error.line in (3, 4)) == (f"network.{field}", True)
    for part in parts:
        assert part in str(error)


# (a third link after 0 - 1 and 1 - 2, the field within it, parts of the message)
WRONG_LINKS = [
    ("{between: [0, 3], bandwidth: 1 Mbit/s}", ".between[1]", ["0 to 2"]),
    ("{between: [0, -1], bandwidth: 1 Mbit/s}", ".between[1]", ["-1"]),
    ("{between: [pie-1, 0], bandwidth: 1 Mbit/s}", ".between[0]", ["'pie-1'", "did you mean 'pi-1'"]),
    ("{between: [0, zzz], bandwidth: 1 Mbit/s}", ".between[1]", ["'zzz'", "joins two links"]),
    ("{between: [pi-0, 0], bandwidth: 1 Mbit/s}", ".between", ["itself"]),
    ("{between: [r, r], bandwidth: 1 Mbit/s}", ".between", ["itself"]),
    ("{between: [1, pi-0], bandwidth: 1 Mbit/s}", ".between", ["network.links[0]", "keep one"]),
    ("{between: [0], bandwidth: 1 Mbit/s}", ".between", ["pair"]),
    ("{between: [0, 1, 2], bandwidth: 1 Mbit/s}", ".between", ["pair"]),
    ("{between: [0, true], bandwidth: 1 Mbit/s}", ".between", ["pair"]),
    ("{between: 0, bandwidth: 1 Mbit/s}", ".between", ["pair"]),
    ("{bandwidth: 1 Mbit/s}", ".between", ["missing"]),
    ("{between: [0, 2]}", ".bandwidth", ["missing"]),
    ("{between: [0, 2], up: 1 Mbit/s}", ".down", ["missing"]),
    ("{between: [0, 2], bandwith: 1 Mbit/s}", ".bandwith", ["did you mean 'bandwidth'"]),
    ("{between: [0, 2], bandwidth: 1 Mbit/s, up: 1 Mbit/s}", ".bandwidth", ["network.links[2].up"]),
    ("{between: [0, 2], preset: wifi-5}", ".preset", ["radio"]),
]


@pytest.mark.parametrize(("link", "field", "parts"), WRONG_LINKS)
def test_a_wrong_link_is_refused_at_its_place(load, link, field, parts):
    error = refusal(load, graph("{between: [0, 1], preset: lte}", "{between: [1, 2], preset: lte}", link))
    assert (error.field, error.line) == (f"network.links[2]{field}", 4)
    for part in parts:
        assert part in str(error)


# (pairs that are joined, from where to where no links lead)
APART = [
    ([(0, 1)], "from pi-0 to pi-2"),
    ([(1, 2)], "from pi-0 to pi-1, pi-2"),
    ([(0, "r"), (1, "r"), (2, "s"), ("s", "t"), ("t", 2)], "from pi-0 to pi-2"),
]


@pytest.mark.parametrize(("pairs", "part"), APART)
def test_a_device_out_of_reach_is_named_at_the_links(load, pairs, part):
    error = refusal(load, graph(*(f"{{between: [{a}, {b}], preset: lte}}" for a, b in pairs)))
    assert (error.field, error.line) == ("network.links", 4)
    assert f"no links lead {part}; " in str(error)


def graph(*links: str) -> str:
    return f"{{medium: links, links: [{', '.join(links)}]}}"


@pytest.mark.parametrize(
    ("overrides", "parts"),
    [
        (["strategy.name=tensor_parallel"], ["tensor_parallel", "3 ranks", "attention heads", "has 2"]),
        (["strategy.name=galaxy"], ["galaxy", "attention heads"]),
        (["strategy.name=pipeline"], ["pipeline", "3 ranks", "blocks", "has 2"]),
        (["strategy.name=pipeline", "ranks=[0, 1]", "strategy.micro_batches=2"], ["micro_batches", "batch of 1"]),
    ],
)
def test_what_a_strategy_cannot_serve_is_placed_at_its_section(load, overrides, parts):
    scenario = load(SWITCH, overrides)
    with pytest.raises(ScenarioError) as caught:
        simulate(scenario)
    assert (caught.value.field, caught.value.line is None or caught.value.line == 5) == ("strategy", True)
    for part in parts:
        assert part in str(caught.value)
