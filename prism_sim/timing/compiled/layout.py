"""How a plan, its hardware and a run lie in memory for compiled code: one array of 64-bit cells.

`m` is that array read as integers, `s` the same read as floats (seconds, mostly): a function that takes these two is
compiled in a tenth of the time that one with fifty arrays takes. The first cells hold single values, then the begin of
each section; a section is records of one kind, a record the fields below, in this order. A field with a unit at its end
is a float, and so are rates. Indices: participants and devices as in a plan; a *lowering* is a shape of exchange under
one algorithm, a *message* one of a lowering's, counted through all of them; a *flight* is a message of one exchange of
one request.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Cells = NDArray[np.int64]
Floats = NDArray[np.float64]

NONE = -1  # no such index
NO_CAUSE = -(2**62)  # as `ids.Cause`: a hold counts up from 0, a flight down from -1

COMPUTE, START, WAIT = range(3)  # what a step is; its subject is a set of kernels, or an exchange
FIFO, FAIR, AIR, LINKS = range(4)  # what a medium is
COMPUTING, STAGING, OVERHEAD = range(3)  # what holds a processor
TRANSFER, PROPAGATION, QUEUE = range(3)  # what a stretch of a flight's way is
# what an event is; `who` is a process, a flight, a request, or the number of an awaited end
RESUME, POSTED, HEAD, ARRIVE, CHANGE, FLOWN, ADMIT, NOTHING, RELAY, RECEIVED, NODE = range(11)
AT_STEP, AFTER_START, WOKEN = range(3)  # where a process stands
ARRIVED = 2**62  # a flight's index, once its record is free for another
FINE, TOO_SMALL, STARTED_TWICE, STUCK = range(4)  # why a run ended early

# single values. LOGGED: whether a plan played once leaves its log. MOST_*: room.
# KEEP: whether all flights, holds and their like are kept; else flights are forgotten on arrival, and of the others
# there are only numbers. Of exchanges, those from FIRST_EXCHANGE to END_EXCHANGE are played
(
    N_PARTICIPANTS,
    N_DEVICES,
    N_EXCHANGES,
    N_SHAPES,
    N_CHOICES,
    N_TERMINALS,
    N_LINES,
    MEDIUM,
    CUT_THROUGH,
    LOGGED,
    N_ROUNDS,
    IN_FLIGHT,
    WHOLE,
    MOST_EVENTS,
    MOST_FLIGHTS,
    MOST_SLOTS,
    MOST_HOLDS,
    MOST_BLOCKED,
    MOST_LEGS,
    MOST_BOOKINGS,
    MOST_MOMENTS,
    MOST_STACKED,
    MOST_SEGMENTS,
    N_DONE,
    N_PLAYED,
    N_ADMITTED,
    N_WINDOWS,
    N_MOMENTS,
    N_SEGMENTS,
    FAILURE,
    KEEP,
    N_EVENTS,
    N_ORDERED,
    N_FLIGHTS,
    N_RECORDS,
    FREE_FLIGHT,
    N_HOLDS,
    N_BLOCKED,
    N_LEGS,
    N_BOOKINGS,
    N_BUSY,
    N_BEGUN,
    N_BUSY_GATES,
    N_TOUCHED,
    N_TIED,
    N_RANKED,
    LATEST_TIED,
    LATEST_END,
    IS_CHANGING,
    FIRST_POSTED,
    LAST_POSTED,
    N_SLOTS,
    FIRST_EXCHANGE,
    END_EXCHANGE,
    N_MESSAGES,
    NOW_S,
    OVERHEAD_S,
    LATENCY_S,
    NEXT_END_S,
) = range(59)
N_VALUES = 59

# sections. Plain cells: DEVICE_OF of each participant; NUMBERS, lists of messages, and COPY_OUT, seconds before each;
# STARTS (exchanges, participants): who starts what; after a plan's exchanges comes one more of each shape, and ALONE
# (shapes, participants) are programs that play it alone; SEAT_AT (exchanges, participants): the seat of who takes part
# in it, FIRST_SEAT of each exchange and, last, how many there are, MEMBERS: whose each seat is; SHAPE_OF each exchange;
# CHOICES (shapes, n_choices): lowerings; COPY_IN, as PARTS; HOPS (devices, devices): how often a message uses the air;
# HOP_LINES: what routes are made of; of an exchange LOWERING_OF and FIRST_MESSAGE_OF (in a slot); BLOCKERS,
# TRANSMISSIONS (slots, messages); SLOT_OF a request; under fair sharing CALENDAR: busy connections, a heap by their
# ends; THROUGH (gates, devices): those of a gate; TOUCHED, TIED, FULL: gates; LINE_SECONDS (lines, devices); MOMENTS of
# events; N_STEPS that each participant has taken; LEADS (rounds, participants and one): how many of them are ahead of
# what is completed and, last, how many messages have been sent for that
(
    DEVICE_OF,
    NUMBERS,
    PROGRAMS,
    ALONE,
    STEPS,
    STARTS,
    SEAT_AT,
    FIRST_SEAT,
    MEMBERS,
    SHAPE_OF,
    CHOICES,
    LOWERINGS,
    MESSAGES,
    PARTS,
    COSTS,
    HOSTS,
    COPY_OUT,
    COPY_IN,
    PORTS,
    HOPS,
    ROUTES,
    HOP_LINES,
    LINES,
    EVENTS,
    PROCESSES,
    PROCESSORS,
    FLIGHTS,
    LOWERING_OF,
    FIRST_MESSAGE_OF,
    SEATS,
    BLOCKERS,
    TRANSMISSIONS,
    SLOT_OF,
    SLOTS,
    CONNECTIONS,
    CALENDAR,
    GATES,
    THROUGH,
    TOUCHED,
    TIED,
    FULL,
    RANKED,
    LINE_SECONDS,
    HOLDS,
    BLOCKED,
    LEGS,
    BOOKINGS,
    STACK,
    ENDS,
    REQUESTS,
    WINDOWS,
    MOMENTS,
    N_STEPS,
    LEADS,
    SEGMENTS,
    PARTICIPANTS,
    DEVICES,
    INTERVALS,
) = range(59, 117)
N_HEAD = 117

# records: their fields, and how many cells they take
(
    PROGRAM_FROM,
    PROGRAM_TO,
) = range(2)
PROGRAM = 2
(
    STEP_OP,
    STEP_SUBJECT,
) = range(2)
STEP = 2
(
    LOWERING_FIRST,
    LOWERING_N_MESSAGES,
    LOWERING_BROADCASTS,
) = range(3)
LOWERING = 3
(
    MESSAGE_SOURCE,
    MESSAGE_DESTINATION,
    MESSAGE_PAYLOAD_BYTES,
    MESSAGE_SOURCE_DEVICE,
    MESSAGE_DESTINATION_DEVICE,
    MESSAGE_BLOCKERS,
    MESSAGE_RIDES,
    MESSAGE_TO_ALL,
    MESSAGE_FOLLOWERS_FROM,
    MESSAGE_FOLLOWERS_TO,
) = range(10)
MESSAGE = 10
(
    PART_SENDS_FROM,
    PART_SENDS_TO,
    PART_FORWARDS_FROM,
    PART_FORWARDS_TO,
    PART_LOCAL_FROM,
    PART_LOCAL_TO,
    PART_INCOMING,
    PART_COPIED_BYTES,
) = range(8)
PART = 8
(
    COST_N_KERNELS,
    COST_DURATION_S,
    COST_LAUNCH_S,
    COST_FED_S,
    COST_FED_AFTER_COPY_S,
) = range(5)
COST = 5
(
    HOST_IS_FED,
    HOST_DISPATCH_S,
    HOST_RESTART_S,
    HOST_HANDLING_BYTES_PER_S,
) = range(4)
HOST = 4
(
    PORT_UP_BITS_PER_S,
    PORT_DOWN_BITS_PER_S,
) = range(2)
PORT = 2
(
    ROUTE_FROM,
    ROUTE_TO,
) = range(2)
ROUTE = 2
(
    LINE_FIRST_BOOKING,
    LINE_LAST_BOOKING,
    LINE_BITS_PER_S,
    LINE_LATENCY_S,
    LINE_FREE_S,
) = range(5)
LINE = 5
(
    EVENT_ORDER,
    EVENT_WHAT,
    EVENT_AT_S,
) = range(3)
EVENT = 3
KIND_BITS = 4  # WHAT: the last bits say of which kind the event is, those before whose: less is moved in the heap
(
    PROCESS_AT,
    PROCESS_END,
    PROCESS_STANDING,
    PROCESS_REQUEST,
    PROCESS_CAUSE,
    PROCESS_SINCE_S,
) = range(6)
PROCESS = 6
(
    PROCESSOR_HOLDER,
    PROCESSOR_FREE_S,
    PROCESSOR_HOST_FREE_S,
    PROCESSOR_RESTART_S,
    PROCESSOR_HANDLING_S,
) = range(5)
PROCESSOR = 5
(
    FLIGHT_INDEX,
    FLIGHT_MESSAGE,
    FLIGHT_EXCHANGE,
    FLIGHT_SLOT,
    FLIGHT_CAUSE,
    FLIGHT_AHEAD,
    FLIGHT_AHEAD_DOWN,
    FLIGHT_RIDES,
    FLIGHT_NEXT,
    FLIGHT_HOP,
    FLIGHT_FIRST_LEG,
    FLIGHT_LAST_LEG,
    FLIGHT_POSTED_S,
    FLIGHT_UPLINK_START_S,
    FLIGHT_UPLINK_END_S,
    FLIGHT_HEAD_S,
    FLIGHT_DOWNLINK_START_S,
    FLIGHT_ARRIVAL_S,
    FLIGHT_LOST_S,
    FLIGHT_LAST_BIT_S,
) = range(20)
FLIGHT = 20
(
    SEAT_REMAINING,
    SEAT_LAST,
    SEAT_STARTED,
    SEAT_COPIED_IN,
    SEAT_WAITER,
) = range(5)
SEAT = 5
(
    SLOT_UNDER_WAY,
    SLOT_OVER,
) = range(2)
SLOT = 2
(
    REQUEST_UNFINISHED,
    REQUEST_COMPLETION_S,
) = range(2)
REQUEST = 2
(
    CONNECTION_GATES,
    CONNECTION_BEGUN,
    CONNECTION_FIRST,
    CONNECTION_LAST,
    CONNECTION_PLACE,
    CONNECTION_PLACE_OUT,
    CONNECTION_PLACE_IN,
    CONNECTION_LEFT_BITS,
    CONNECTION_SLACK_BITS,
    CONNECTION_LOST_S,
    CONNECTION_SINCE_S,
    CONNECTION_END_S,
    CONNECTION_RATE,
    CONNECTION_ALONE,
    CONNECTION_NEW_RATE,
) = range(15)
CONNECTION = 15
(
    GATE_N_BUSY,
    GATE_N_GROWING,
    GATE_SEEN,
    GATE_IS_TOUCHED,
    GATE_CAPACITY,
    GATE_LEFT,
) = range(6)
GATE = 6
(
    RANKED_ITEM,
    RANKED_KEY,
) = range(2)
RANK = 2
(
    HOLD_PARTICIPANT,
    HOLD_KIND,
    HOLD_SUBJECT,
    HOLD_CAUSE,
    HOLD_START_S,
    HOLD_END_S,
    HOLD_LAUNCH_S,
) = range(7)
HOLD = 7
(
    WAITED_PARTICIPANT,
    WAITED_EXCHANGE,
    WAITED_LAST,
    WAITED_START_S,
    WAITED_END_S,
) = range(5)
WAITED = 5
(
    LEG_KIND,
    LEG_NEXT,
    LEG_START_S,
    LEG_END_S,
) = range(4)
LEG = 4
(
    BOOKING_OWNER,
    BOOKING_NEXT,
    BOOKING_START_S,
    BOOKING_END_S,
) = range(4)
BOOKING = 4
(
    END_CAUSE,
    END_END_S,
) = range(2)
END = 2
(
    WINDOW_FROM,
    WINDOW_N_POSTED,
    WINDOW_AT_S,
) = range(3)
WINDOW = 3
(
    SEGMENT_PART,
    SEGMENT_LENGTH_S,
) = range(2)
SEGMENT = 2
(
    PARTICIPANT_SENT_BYTES,
    PARTICIPANT_RECEIVED_BYTES,
    PARTICIPANT_BUSY_S,
    PARTICIPANT_WAIT_S,
) = range(4)
PARTICIPANT = 4
(
    DEVICE_FIRST_INTERVAL,
    DEVICE_N_INTERVALS,
    DEVICE_BUSY_S,
    DEVICE_AIR_S,
) = range(4)
DEVICE = 4
(
    INTERVAL_START_S,
    INTERVAL_STOP_S,
) = range(2)
INTERVAL = 2
