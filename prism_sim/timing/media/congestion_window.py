"""How much a TCP connection may have under way: a window that grows with what is acknowledged and falls with idleness.

A connection is a stream of bytes, whatever the messages that it is cut into. Bytes leave at the rate of the path while
fewer are under way than the window allows, and each is acknowledged one round trip after it left. It then widens the
window by a byte (slow start, RFC 5681, 3.1), so that a busy connection's doubles every round trip, but no wider than
twice the most that was under way: a window that is not used does not open (RFC 2861, 3; the factor: Linux,
`tcp_is_cwnd_limited`). Each retransmission timeout of idleness halves it (RFC 2861, 3), down to the initial window
(RFC 5681, 4.1). Nothing is lost, so slow start never ends; the window soon covers what the path holds.
"""

from __future__ import annotations

from collections import deque
from math import inf

INITIAL_WINDOW_BYTES = 10 * 1460  # RFC 6928
LEAST_VARIATION_S = 0.2  # of a retransmission timeout, which is the round trip and its variation (RFC 6298); Linux
ROUNDING_BYTES = 0.5  # there are no halves of bytes


class _Burst:
    """Bytes that left without a pause. acknowledged_s: when the first of them that isn't acknowledged yet will be."""

    __slots__ = ("acknowledged_s", "n_bytes")

    def __init__(self, acknowledged_s: float) -> None:
        self.acknowledged_s, self.n_bytes = acknowledged_s, 0.0


class CongestionWindow:
    """Of one connection, as if it had its path to itself.

    bits_per_s, round_trip_s: of the path.  left_s: when the last byte sent so far leaves.
    Cost: each burst is looked at once when its acknowledgement comes, so n messages take O(n) in all.
    """

    __slots__ = ("bursts", "byte_s", "left_s", "most_bytes", "round_trip_s", "under_way_bytes", "window_bytes")

    def __init__(self, bits_per_s: float, round_trip_s: float) -> None:
        self.byte_s, self.round_trip_s = 8 / bits_per_s, round_trip_s
        self.window_bytes: float = INITIAL_WINDOW_BYTES
        self.under_way_bytes = self.most_bytes = 0.0  # now, and at most since the window was last halved
        self.bursts: deque[_Burst] = deque()  # what is under way, the oldest first
        self.left_s = 0.0

    def send(self, payload_bytes: int, now_s: float) -> float:
        """Sends a message after those before it; returns the seconds in which no byte of it may leave.

        Its last byte then leaves at `left_s`: the stall and 8 payload_bytes / bits_per_s after the later of now_s and
        what `left_s` was.
        """
        at_s, left_bytes, stalled_s = max(now_s, self.left_s), float(payload_bytes), 0.0
        self._acknowledge_until(at_s)
        while left_bytes:
            acknowledged_s = self.bursts[0].acknowledged_s if self.bursts else at_s + self.round_trip_s
            if acknowledged_s <= at_s:
                n_bytes, at_s = self._send_as_acknowledged(left_bytes, at_s)
            else:
                n_bytes, at_s = self._send_in_window(left_bytes, at_s, acknowledged_s)
            left_bytes -= n_bytes
            if not n_bytes:
                stalled_s += acknowledged_s - at_s
                at_s = acknowledged_s
        self.left_s = at_s
        return stalled_s

    def idle(self, idle_s: float) -> None:
        """No byte has left for idle_s."""
        n_timeouts = idle_s // (self.round_trip_s + LEAST_VARIATION_S)
        if n_timeouts >= 1:
            self._acknowledge_until(inf)  # a round trip is less than a timeout
            self.window_bytes = max(INITIAL_WINDOW_BYTES, self.window_bytes * 0.5**n_timeouts)
            self.most_bytes = 0.0

    def _send_as_acknowledged(self, left_bytes: float, at_s: float) -> tuple[float, float]:
        """Acknowledgements come at the rate at which bytes leave: what is under way stays as it is.

        Returns the bytes that leave, and when they have.
        """
        # those of a burst that is still leaving never cease
        endless = len(self.bursts) == 1 and self._goes_on(at_s)
        n_bytes = left_bytes if endless else min(left_bytes, self.bursts[0].n_bytes)
        end_s = at_s + n_bytes * self.byte_s
        self._leave(n_bytes, at_s, end_s)
        self._acknowledge(n_bytes, end_s)
        return n_bytes, end_s

    def _send_in_window(self, left_bytes: float, at_s: float, acknowledged_s: float) -> tuple[float, float]:
        """What the window allows before the next acknowledgement.  Returns the bytes that leave, and when they have."""
        room_bytes = self.window_bytes - self.under_way_bytes
        n_bytes = left_bytes if left_bytes - room_bytes < ROUNDING_BYTES else room_bytes
        if n_bytes < min(left_bytes, ROUNDING_BYTES):
            return 0.0, at_s
        end_s = at_s + n_bytes * self.byte_s
        if end_s > acknowledged_s:
            n_bytes, end_s = min(n_bytes, (acknowledged_s - at_s) / self.byte_s), acknowledged_s
        self._leave(n_bytes, at_s, end_s)
        self.most_bytes = max(self.most_bytes, self.under_way_bytes)
        return n_bytes, end_s

    def _goes_on(self, at_s: float) -> bool:
        """Whether what leaves from at_s on follows the last burst without a pause."""
        return at_s - self.left_s <= ROUNDING_BYTES * self.byte_s

    def _leave(self, n_bytes: float, at_s: float, end_s: float) -> None:
        if not self.bursts or not self._goes_on(at_s):
            self.bursts.append(_Burst(at_s + self.round_trip_s))
        self.bursts[-1].n_bytes += n_bytes
        self.under_way_bytes += n_bytes
        self.left_s = end_s

    def _acknowledge_until(self, at_s: float) -> None:
        while self.bursts and self.bursts[0].acknowledged_s < at_s:
            oldest = self.bursts[0]
            due_bytes = (at_s - oldest.acknowledged_s) / self.byte_s if self.byte_s else inf
            self._acknowledge(min(due_bytes, oldest.n_bytes), at_s)

    def _acknowledge(self, n_bytes: float, at_s: float) -> None:
        """The next bytes of the oldest burst, the last of them at at_s."""
        oldest = self.bursts[0]
        oldest.n_bytes -= n_bytes
        oldest.acknowledged_s = at_s
        if oldest.n_bytes < ROUNDING_BYTES:
            n_bytes += oldest.n_bytes
            self.bursts.popleft()
        self.under_way_bytes = self.under_way_bytes - n_bytes if self.bursts else 0.0
        self.window_bytes = max(self.window_bytes, min(self.window_bytes + n_bytes, 2 * self.most_bytes))
