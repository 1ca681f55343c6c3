"""Single packets over a star of ports: closed forms of their own, and what the part makes of them."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import PackageNotFoundError

import pytest

from prism_sim.plan import Exchange, Start, Wait
from prism_sim.progress import SILENT
from prism_sim.validation.base import ValidationSettings
from prism_sim.validation.packet_star import PACKET_BYTES, PacketStar, latency_s
from prism_sim.validation.parts import packets
from prism_sim.validation.small_plans import board, plan, rounds, stages, work

pytest.importorskip("ns.port", reason="packets need the extra ns.py")

RATE, WIRE_S, N = 100e6, 0.3e-3, 40
PACKET_S, S = 8 * PACKET_BYTES / RATE, N * PACKET_BYTES
STAR = PacketStar((RATE,) * 3, (RATE,) * 3, WIRE_S)


def near(value: float) -> object:
    return pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize("interleaved", [False, True])
def test_a_message_takes_its_packets_and_one_more_that_the_switch_stores(interleaved: bool):
    star = replace(STAR, interleaved=interleaved)
    assert latency_s(rounds("send", [S, 0]), star, board()) == near((N + 1) * PACKET_S + WIRE_S)
    assert latency_s(rounds("send", [S + 1, 0]), star, board()) == near((N + 1) * PACKET_S + 8 / RATE + WIRE_S)


def test_the_slower_port_sets_the_pace():
    narrow = replace(STAR, down_bits_per_s=(RATE, RATE / 10, RATE))
    assert latency_s(rounds("send", [S, 0]), narrow, board()) == near(10 * N * PACKET_S + PACKET_S + WIRE_S)


def first_of_two(star: PacketStar) -> float:
    """0 sends to 1 and to 2; 1 then works for long, so that its message decides."""
    sends = [Exchange("send", (0, to), (S, 0), 0, "send") for to in (1, 2)]
    return latency_s(plan([[Start(0), Start(1)], [Wait(0), work(1.0)], [Wait(1)]], sends), star, board()) - 1.0


def test_hosts_send_messages_in_turn_or_a_packet_of_each():
    assert first_of_two(STAR) == near((N + 1) * PACKET_S + WIRE_S)
    assert first_of_two(replace(STAR, interleaved=True)) == near((2 * N - 1 + 1) * PACKET_S + WIRE_S)


def test_what_waits_for_others_is_sent_on_when_they_have_come():
    ring = replace(STAR, collective="ring")
    assert latency_s(rounds("all_gather", [S] * 3), ring, board()) == near(2 * ((N + 1) * PACKET_S + WIRE_S))
    assert latency_s(stages([0.1, 0.1, 0.1], S), STAR, board()) == near(0.3 + 2 * ((N + 1) * PACKET_S + WIRE_S))


def test_a_rank_that_waits_for_ever_is_an_error():
    send = Exchange("send", (0, 1), (S, 0), 0, "send")
    with pytest.raises(ValueError, match="nobody sends"):
        latency_s(plan([[], [Wait(0)]], [send]), STAR, board())


def test_the_part_holds_and_tells_which_sharing_is_nearer():
    outcome = packets.run(ValidationSettings(quick=True), SILENT)
    assert outcome.holds
    assert len(outcome.rows) == 2 * packets.N_QUICK
    assert [remark.partition(",")[0] for remark in outcome.remarks[1:]] == [
        "Where hosts send in turn",
        "Where hosts send interleaved",
    ]


def test_a_network_that_is_off_by_a_tenth_breaks_the_laws(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(packets.PacketCase, "predicted_s", lambda case, sharing: 1.1 * case.packets_s("in turn"))
    assert not any(one.holds for one in packets.run(ValidationSettings(quick=True), SILENT).judgements)


def test_the_part_is_skipped_without_the_package(monkeypatch: pytest.MonkeyPatch):
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(packets, "version", missing)
    outcome = packets.run(ValidationSettings(), SILENT)
    assert outcome.skipped is not None
    assert "prism-sim[packets]" in outcome.skipped
    assert outcome.holds
    assert not outcome.rows
