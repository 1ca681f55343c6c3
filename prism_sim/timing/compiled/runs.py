"""Compiled runs: a plan once, each exchange by the quickest algorithm, and requests back to back."""

from __future__ import annotations

from math import inf

from prism_sim.timing.compiled import layout as at
from prism_sim.timing.compiled.carriers import go_on, send
from prism_sim.timing.compiled.clock import pop, push, rec
from prism_sim.timing.compiled.exchanges import deliver
from prism_sim.timing.compiled.fair.changes import open_gates
from prism_sim.timing.compiled.jit import inner
from prism_sim.timing.compiled.layout import Cells, Floats
from prism_sim.timing.compiled.machine import play
from prism_sim.timing.compiled.rhythm import is_known, note_moment
from prism_sim.timing.compiled.walk import add_up, walk


@inner
def play_wanted(m: Cells, s: Floats, once: bool, stream: bool, tie: float) -> None:
    """Chooses algorithms, then plays the plan once, adds that up, and plays requests back to back, as asked for.

    FAILURE says why it ended early; the answers lie in the sections ENDS, SEGMENTS, REQUESTS, PARTICIPANTS and DEVICES.
    """
    choose(m, s, tie)
    if once and m[at.FAILURE] == at.FINE:
        _begin(m, s, 0, m[at.N_EXCHANGES], 1, m[at.LOGGED])
        _play_all(m, s, m[at.PROGRAMS])
        if m[at.LOGGED] and m[at.FAILURE] == at.FINE:
            latency_s, cause = 0.0, at.NO_CAUSE
            for participant in range(m[at.N_PARTICIPANTS]):
                end = rec(m, at.ENDS, participant, at.END)
                if not participant or s[end + at.END_END_S] > latency_s:
                    latency_s, cause = s[end + at.END_END_S], m[end + at.END_CAUSE]
            walk(m, s, latency_s, cause)
            add_up(m, s, latency_s)
    if stream and m[at.FAILURE] == at.FINE:
        _stream(m, s)


@inner
def _begin(m: Cells, s: Floats, first_exchange: int, end_exchange: int, n_requests: int, keep: int) -> None:
    """Nothing has happened yet; these exchanges are going to be played."""
    if m[at.MEDIUM] == at.FAIR:
        open_gates(m, s)
    for count in range(at.FAILURE, at.NOW_S):
        m[count] = 0
    m[at.FREE_FLIGHT] = m[at.FIRST_POSTED] = m[at.LAST_POSTED] = at.NONE
    m[at.KEEP], m[at.FIRST_EXCHANGE], m[at.END_EXCHANGE] = keep, first_exchange, end_exchange
    for exchange in range(first_exchange, end_exchange):
        m[m[at.FIRST_MESSAGE_OF] + exchange] = m[at.N_MESSAGES]
        m[at.N_MESSAGES] += m[
            rec(m, at.LOWERINGS, m[m[at.LOWERING_OF] + exchange], at.LOWERING) + at.LOWERING_N_MESSAGES
        ]
    s[at.NOW_S] = 0.0
    for device in range(m[at.N_DEVICES]):
        processor = rec(m, at.PROCESSORS, device, at.PROCESSOR)
        s[processor + at.PROCESSOR_FREE_S] = s[processor + at.PROCESSOR_HOST_FREE_S] = 0.0
        s[processor + at.PROCESSOR_RESTART_S] = s[processor + at.PROCESSOR_HANDLING_S] = 0.0
        m[processor + at.PROCESSOR_HOLDER] = at.NO_CAUSE
    for number in range(m[at.N_LINES]):
        line = rec(m, at.LINES, number, at.LINE)
        m[line + at.LINE_FIRST_BOOKING] = m[line + at.LINE_LAST_BOOKING] = at.NONE
        s[line + at.LINE_FREE_S] = 0.0
    if keep:
        for place in range(m[at.N_LINES] * m[at.N_DEVICES]):
            s[m[at.LINE_SECONDS] + place] = 0.0
    for request in range(n_requests):
        m[m[at.SLOT_OF] + request] = at.NONE


@inner
def _sit_down(m: Cells, s: Floats, process: int, program: int, request: int) -> None:
    me = rec(m, at.PROCESSES, process, at.PROCESS)
    m[me + at.PROCESS_AT], m[me + at.PROCESS_END] = m[program + at.PROGRAM_FROM], m[program + at.PROGRAM_TO]
    m[me + at.PROCESS_REQUEST], m[me + at.PROCESS_STANDING] = request, at.AT_STEP
    m[me + at.PROCESS_CAUSE], s[me + at.PROCESS_SINCE_S] = at.NO_CAUSE, 0.0


@inner
def _happen(m: Cells, s: Floats, kind: int, who: int) -> None:
    """An event that resumes no participant and belongs to no stream."""
    if kind == at.POSTED:
        s[rec(m, at.FLIGHTS, who, at.FLIGHT) + at.FLIGHT_POSTED_S] = s[at.NOW_S]
        send(m, s, who)
    elif go_on(m, s, kind, who):
        deliver(m, s, who)


@inner
def _play_all(m: Cells, s: Floats, programs: int) -> None:
    """`Engine.once`: when each participant ends, and what that is bound to; FAILURE says if they did."""
    n_open = m[at.N_PARTICIPANTS]
    for participant in range(n_open):
        _sit_down(m, s, participant, programs + participant * at.PROGRAM, 0)
        if play(m, s, participant, participant):
            n_open -= 1
            _ended(m, s, participant)
    while m[at.N_EVENTS] and m[at.FAILURE] == at.FINE:
        kind, who = pop(m, s)
        if kind != at.RESUME:
            _happen(m, s, kind, who)
        elif play(m, s, who, who):
            n_open -= 1
            _ended(m, s, who)
    if n_open and m[at.FAILURE] == at.FINE:
        m[at.FAILURE] = at.STUCK


@inner
def _ended(m: Cells, s: Floats, participant: int) -> None:
    end = rec(m, at.ENDS, participant, at.END)
    s[end + at.END_END_S] = s[at.NOW_S]
    m[end + at.END_CAUSE] = m[rec(m, at.PROCESSES, participant, at.PROCESS) + at.PROCESS_CAUSE]


@inner
def choose(m: Cells, s: Floats, tie: float) -> None:
    """`quickest`: the lowering of each exchange; of a shape that has one only, that."""
    n_exchanges, n_choices = m[at.N_EXCHANGES], m[at.N_CHOICES]
    m[at.FAILURE] = at.FINE
    for shape in range(m[at.N_SHAPES]):
        choices, exchange = m[at.CHOICES] + shape * n_choices, n_exchanges + shape
        best, best_s = m[choices], inf
        place = 0
        while n_choices > 1 and m[choices + 1] != at.NONE and place < n_choices and m[choices + place] != at.NONE:
            m[m[at.LOWERING_OF] + exchange] = m[choices + place]
            _begin(m, s, exchange, exchange + 1, 1, 0)
            _play_all(m, s, m[at.ALONE] + shape * m[at.N_PARTICIPANTS] * at.PROGRAM)
            if m[at.FAILURE] != at.FINE:
                return
            alone_s = 0.0
            for participant in range(m[at.N_PARTICIPANTS]):
                alone_s = max(alone_s, s[rec(m, at.ENDS, participant, at.END) + at.END_END_S])
            if alone_s < best_s * (1 - tie):
                best, best_s = m[choices + place], alone_s
            place += 1
        m[m[at.LOWERING_OF] + exchange] = best
    for exchange in range(n_exchanges):
        m[m[at.LOWERING_OF] + exchange] = m[m[at.LOWERING_OF] + n_exchanges + m[m[at.SHAPE_OF] + exchange]]


@inner
def _stream(m: Cells, s: Floats) -> None:
    """`stream.play_stream`: completions of all rounds, in REQUESTS, and N_PLAYED, how many were played.

    Programs of the ranks come first, then the terminal's, one a request of a round.
    """
    n_ranks, n_rounds, in_flight = m[at.N_PARTICIPANTS] - 1, m[at.N_ROUNDS], m[at.IN_FLIGHT]
    n_terminals, programs = m[at.N_TERMINALS], rec(m, at.PROGRAMS, m[at.N_PARTICIPANTS], at.PROGRAM)
    _begin(m, s, 0, m[at.N_EXCHANGES], n_rounds, 0)
    m[at.N_DONE] = m[at.N_WINDOWS] = m[at.N_MOMENTS] = 0
    for participant in range(m[at.N_PARTICIPANTS]):
        m[m[at.N_STEPS] + participant] = 0
    m[m[at.WINDOWS] + at.WINDOW_FROM] = m[m[at.WINDOWS] + at.WINDOW_N_POSTED] = 0
    s[m[at.WINDOWS] + at.WINDOW_AT_S] = 0.0
    for request in range(n_rounds):
        m[rec(m, at.REQUESTS, request, at.REQUEST) + at.REQUEST_UNFINISHED] = n_ranks + n_terminals
    m[at.N_ADMITTED] = min(in_flight, n_rounds)
    for request in range(m[at.N_ADMITTED]):
        push(m, s, 0.0, at.ADMIT, request)
    for rank in range(n_ranks):
        _sit_down(m, s, rank, rec(m, at.PROGRAMS, rank, at.PROGRAM), 0)
        _go_on_serving(m, s, rank)
    while m[at.N_EVENTS] and m[at.FAILURE] == at.FINE:
        n_before = m[at.N_DONE]
        kind, who = pop(m, s)
        if kind == at.RESUME:
            _go_on_serving(m, s, who)
        elif kind == at.ADMIT:
            for place in range(n_terminals):
                process = n_ranks + who * n_terminals + place
                _sit_down(m, s, process, programs + place * at.PROGRAM, who)
                _go_on_serving(m, s, process)
        elif kind != at.NOTHING:
            _happen(m, s, kind, who)
        note_moment(m, s)
        if m[at.N_DONE] != n_before and not m[at.WHOLE] and is_known(m, s):
            return
    m[at.N_PLAYED] = m[at.N_DONE]
    if m[at.N_DONE] < n_rounds and m[at.FAILURE] == at.FINE:
        m[at.FAILURE] = at.STUCK


@inner
def _go_on_serving(m: Cells, s: Floats, process: int) -> None:
    """A rank's requests one after another, or a terminal's program for one."""
    n_ranks = m[at.N_PARTICIPANTS] - 1
    me = rec(m, at.PROCESSES, process, at.PROCESS)
    while play(m, s, process, min(process, n_ranks)):
        number = m[me + at.PROCESS_REQUEST]
        request = rec(m, at.REQUESTS, number, at.REQUEST)
        m[request + at.REQUEST_UNFINISHED] -= 1
        if not m[request + at.REQUEST_UNFINISHED]:
            s[rec(m, at.REQUESTS, m[at.N_DONE], at.REQUEST) + at.REQUEST_COMPLETION_S] = s[at.NOW_S]
            m[at.N_DONE] += 1
            if m[m[at.SLOT_OF] + number] != at.NONE:
                m[rec(m, at.SLOTS, m[m[at.SLOT_OF] + number], at.SLOT) + at.SLOT_OVER] = 1
            if m[at.N_ADMITTED] < m[at.N_ROUNDS]:
                push(m, s, s[at.NOW_S], at.ADMIT, m[at.N_ADMITTED])
                m[at.N_ADMITTED] += 1
        if process >= n_ranks or number + 1 == m[at.N_ROUNDS]:
            push(m, s, s[at.NOW_S], at.NOTHING, process)  # the end of its process
            return
        cause = m[me + at.PROCESS_CAUSE]
        _sit_down(m, s, process, rec(m, at.PROGRAMS, process, at.PROGRAM), number + 1)
        m[me + at.PROCESS_CAUSE] = cause
