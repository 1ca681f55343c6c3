"""What a meeting costs, read off runs whose cost is known: simulated ones, of ranks with unequal work."""

from __future__ import annotations

import pytest

from prism_sim.live_runs.meeting import meeting_s, meetings_s
from prism_sim.timing import Switch
from prism_sim.validation.small_plans import board, play, rounds

LATENCY_S, OVERHEAD_S, BITS_PER_S, PAYLOAD_BYTES = 1e-3, 1e-4, 1e6, 100


LINK = Switch(BITS_PER_S, BITS_PER_S, LATENCY_S, OVERHEAD_S, collective="direct")


@pytest.mark.parametrize("work_s", [(1.0, 2.0), (2.0, 1.0), (1.0, 1.0)])
def test_a_meeting_lasts_from_when_the_last_has_come_until_all_go_on(work_s: tuple[float, float]):
    """Whoever comes first waits 1 s, which is not the meeting's; that is the way of the last one's message."""
    plan = rounds("all_reduce", (PAYLOAD_BYTES, PAYLOAD_BYTES), n=3, work_s=work_s)
    timeline = play(plan, LINK, board(), board())
    message_s = OVERHEAD_S + LATENCY_S + 8 * PAYLOAD_BYTES / BITS_PER_S
    assert list(meetings_s(plan, timeline)) == pytest.approx([message_s] * 3)
    assert meeting_s(plan, timeline) == pytest.approx(message_s)


def test_only_what_all_wait_for_is_a_meeting():
    plan = rounds("gather", (PAYLOAD_BYTES, PAYLOAD_BYTES))
    with pytest.raises(ValueError, match="does not tell what a meeting costs; choose tensor_parallel"):
        meeting_s(plan, play(plan, LINK, board(), board()))
