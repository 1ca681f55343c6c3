import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="6. Shared air")

with app.setup:
    import altair as alt
    import checks
    import marimo as mo
    import pandas as pd
    from scenario_text import scenario_of

    from prism_sim.figures.style import PART_COLOURS, STRATEGY_STYLES
    from prism_sim.simulation.simulate import simulate
    from prism_sim.timing import SharedRadio, Switch
    from prism_sim.validation.small_plans import play, rounds


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # 6. Shared air

    **Time:** about 25 minutes. **You need:** lessons 1 and 3.

    On a switch each board has a cable of its own, and all of them send at once. On Wi-Fi they share one channel: while
    one sends, all others keep silent. The same bytes at the same "100 Mbit/s" then take several times as long, and the
    more boards there are, the worse it gets. Afterwards you will know

    - how to count the time that an exchange keeps the air busy, and why an access point doubles it,
    - when one transmission to all is better, although radios send it slowly,
    - why on a radio there is a *best number* of boards, and why it is small.
    """)
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## One exchange, three media

    $n$ boards hand each other $S$ bytes each (an all-gather, lesson 3). There are $n(n-1)$ messages.

    $$\text{switch: } \frac{(n-1)\,8S}{B} \qquad
      \text{one channel: } \frac{n(n-1)\,8S}{B} \qquad
      \text{through an access point: } \frac{2\,n(n-1)\,8S}{B}$$

    $B$ is the rate of a cable, or of the channel, in bit/s. On a switch the $n$ cables work side by side; on one
    channel the messages queue. Between two stations of an ordinary Wi-Fi network each message is sent twice, to the
    access point and from it (IEEE 802.11, infrastructure mode), so the channel is taken twice. The bars below are
    messages of the simulator, each while it is being sent. Count on one channel: no two bars overlap.
    """)
    return


@app.cell(hide_code=True)
def _():
    boards = mo.ui.slider(2, 8, value=4, show_value=True, label="boards")
    payload = mo.ui.slider(steps=[10, 50, 100, 200, 400], value=200, show_value=True, label="bytes of each, kB")
    medium = mo.ui.dropdown(["switch", "one channel", "through an access point"], value="one channel", label="medium")
    mo.vstack([boards, payload, medium])
    return boards, medium, payload


@app.cell
def _(boards, medium, payload):
    rate = 100e6  # bit/s
    media = {
        "switch": Switch(rate, rate),
        "one channel": SharedRadio(rate, direct=True),
        "through an access point": SharedRadio(rate),
    }
    exchange = rounds("all_gather", [payload.value * 1000] * boards.value)
    timelines = {name: play(exchange, network) for name, network in media.items()}
    uses = [
        use
        for message in timelines[medium.value].messages
        for use in (
            (f"board {message.source}", message.destination, message.uplink_start_s, message.uplink_end_s),
            ("access point", message.destination, message.downlink_start_s, message.arrival_s),
        )
        if use[0] != "access point" or medium.value == "through an access point"
    ]
    sent = pd.DataFrame(
        [
            {"sender": sender, "for": f"board {to}", "from": 1e3 * start_s, "to": 1e3 * end_s}
            for sender, to, start_s, end_s in uses
        ]
    )
    lanes = (
        alt.Chart(sent, title=f"Who sends when: {medium.value}, 100 Mbit/s", width="container")
        .mark_bar(stroke="white", strokeWidth=0.5)
        .encode(
            x=alt.X("from", title="time (ms)"),
            x2="to",
            y=alt.Y("sender", title=None),
            color=alt.Color("for", title="message for", scale=alt.Scale(scheme="viridis")),
            tooltip=["sender", "for", alt.Tooltip("from", format=".1f"), alt.Tooltip("to", format=".1f")],
        )
        .configure_legend(orient="bottom")
    )
    said = ", ".join(f"{name} **{one.latency_s * 1e3:.0f} ms**" for name, one in timelines.items())
    mo.vstack([lanes, mo.md(f"{boards.value} boards, {payload.value} kB of each: {said}.")])
    return


@app.cell(hide_code=True)
def _():
    answer_1 = mo.ui.number(label="ms")
    mo.vstack(
        [
            mo.md(
                "**Question 1.** Four boards are on a Wi-Fi network with an access point that carries 100 Mbit/s. Each "
                "has 200 kB for all others. For how long is the air busy? Work it out, then look."
            ),
            answer_1,
        ]
    )
    return (answer_1,)


@app.cell
def _(answer_1):
    four = play(rounds("all_gather", [200_000] * 4), SharedRadio(100e6)).latency_s * 1e3
    question_1 = checks.number(
        four,
        unit="ms",
        reason=f"12 messages of 16 ms, each sent twice: {four:.0f} ms. A switch needs 48.",
        hint="How many messages are there, how long is one, and how often is each on the air?",
        mistakes={
            four / 2: "Each message goes to the access point and from there on: it uses the air twice.",
            four / 8: "That is a switch, where four cables work side by side. Here they share one channel.",
            four / 4: "Twice on the air is right, but all four boards need the same channel.",
            four * 4 / 3: "A board does not send to itself: 4 boards have 12 messages, not 16.",
            2 * four * 4 / 3: "A board does not send to itself: 4 boards have 12 messages, not 16.",
            four / 16: "You have 8 bits a byte in mind? This is too small by 16.",
        },
    )
    verdict_1 = question_1.check(answer_1.value)
    verdict_1
    return question_1, verdict_1


@app.cell(hide_code=True)
def _():
    answer_2 = mo.ui.code_editor(
        "def airtime_s(n_boards, payload_bytes, bits_per_s, hops):\n    ...\n", language="python", label="airtime_s"
    )
    mo.vstack(
        [
            mo.md(
                "**Question 2.** Complete the function: for how many seconds does an all-gather of `n_boards`, each "
                "with `payload_bytes`, keep the channel busy? `hops` is 1 where stations reach each other directly, 2 "
                f"through an access point. It is compared with the simulator on {checks.N_DRAWS} random cases."
            ),
            answer_2,
        ]
    )
    return (answer_2,)


@app.cell
def _(answer_2):
    def played_s(n_boards, payload_bytes, bits_per_s, hops):
        radio = SharedRadio(bits_per_s, direct=hops == 1)
        return play(rounds("all_gather", [payload_bytes] * n_boards), radio).latency_s

    question_2 = checks.function(
        "airtime_s",
        like=played_s,
        draw=lambda rng: (
            int(rng.integers(2, 7)),
            int(rng.integers(1e3, 1e6)),
            float(10 ** rng.uniform(6, 9)),
            int(rng.integers(1, 3)),
        ),
        reason="hops x n (n - 1) x 8 S / B. It grows as the square of the number of boards.",
    )
    verdict_2 = question_2.check(answer_2.value)
    verdict_2
    return question_2, verdict_2


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## One transmission for all

    A radio is heard by everybody. If a board sends its $S$ bytes *once to all*, an exchange needs $n$ transmissions in
    place of $n(n-1)$. There is a catch: a transmission to all is not acknowledged, so it must be understood by the
    weakest station, and Wi-Fi sends it at a slow *basic rate* $R$, possibly as low as 6 Mbit/s
    ([RFC 9119](https://www.rfc-editor.org/rfc/rfc9119), 2021, section 3.1). Directly between stations that is

    $$\frac{n\,8S}{R} \quad\text{against}\quad \frac{n(n-1)\,8S}{B}.$$
    """)
    return


@app.cell(hide_code=True)
def _():
    basic_rate = mo.ui.slider(steps=[1, 6, 12, 24, 54, 100], value=6, show_value=True, label="basic rate, Mbit/s")
    basic_rate
    return (basic_rate,)


@app.cell
def _(basic_rate):
    channel = 100e6  # bit/s

    def ways_ms(n):
        exchange = rounds("all_gather", [20_000] * n)
        to_all = SharedRadio(channel, direct=True, collective="broadcast", broadcast_bits_per_s=basic_rate.value * 1e6)
        return {
            "one by one": 1e3 * play(exchange, SharedRadio(channel, direct=True)).latency_s,
            "once to all": 1e3 * play(exchange, to_all).latency_s,
        }

    ways = pd.DataFrame([{"boards": n, "sent": way, "ms": ms} for n in range(2, 13) for way, ms in ways_ms(n).items()])
    (
        alt.Chart(
            ways, title="An all-gather of 20 kB each, stations in reach of each other", width="container", height=220
        )
        .mark_line(point=True)
        .encode(
            x=alt.X("boards:Q", title="boards", axis=alt.Axis(tickMinStep=1)),
            y=alt.Y("ms", title="time on the air (ms)"),
            color=alt.Color("sent", scale=alt.Scale(range=["#0072B2", "#D55E00"])),
            strokeDash=alt.StrokeDash("sent", legend=None),
            tooltip=["boards", "sent", alt.Tooltip("ms", format=".1f")],
        )
        .configure_legend(orient="bottom")
    )
    return


@app.cell(hide_code=True)
def _():
    answer_3 = mo.ui.number(label="Mbit/s")
    mo.vstack(
        [
            mo.md(
                "**Question 3.** Six boards reach each other directly on a channel of 100 Mbit/s. From which basic "
                "rate on is sending once to all the quicker way?"
            ),
            answer_3,
        ]
    )
    return (answer_3,)


@app.cell
def _(answer_3):
    question_3 = checks.number(
        100 / 5,
        unit="Mbit/s",
        reason="n / R = n (n - 1) / B, so R = B / (n - 1) = 20 Mbit/s, whatever the bytes. Each transmission reaches "
        "five, so it may be five times as slow.",
        hint="Set both expressions equal; S and one n cancel.",
        mistakes={
            100 / 6: "A board need not send to itself: one transmission replaces five, not six.",
            100 * 5: "The other way round: one transmission may be slower than each of those that it replaces.",
        },
    )
    verdict_3 = question_3.check(answer_3.value)
    verdict_3
    return question_3, verdict_3


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## A whole model on the air

    Now BERT-base on Raspberry Pi 4 boards. Computing falls as $1/n$. Before each block every board sends its summary to
    all others: all its $N/n$ rows with Voltage, $L$ means with PRISM. On one channel these bytes add up to

    $$\text{Voltage: } n(n-1)\,\frac{N}{n}\,D = (n-1)\,N D \qquad \text{PRISM: } n(n-1)\,L D$$

    numbers a block. So on the air one part falls with $n$ and the other grows: somewhere between is a best $n$.
    """)
    return


@app.cell
def _():
    text = """
    name: BERT-base on Raspberry Pi 4
    model: {preset: bert-base-uncased, head: sequence_classification}
    workload: {batch: 1, tokens: 256}
    devices: [{name: pi, preset: raspberry-pi-4, count: 8}]
    network: {preset: wifi-5-raspberry-pi-4}
    strategy: {name: prism, segments: 8}
    """
    scenario = scenario_of(text)
    mo.md(f"```yaml{text}```".replace("\n    ", "\n"))
    return (scenario,)


@app.cell(hide_code=True)
def _():
    names = {
        "Wi-Fi 5 of a Raspberry Pi 4 (108 Mbit/s, shared)": "wifi-5-raspberry-pi-4",
        "Wi-Fi 5, two antennas (520 Mbit/s, shared)": "wifi-5",
        "Fast Ethernet (94 Mbit/s, a cable each)": "fast-ethernet",
    }
    network = mo.ui.dropdown(names, value=next(iter(names)), label="network")
    segments = mo.ui.slider(steps=[1, 2, 4, 8, 16], value=8, show_value=True, label="means of each board, L")
    mo.vstack([network, segments])
    return network, segments


@app.cell
def _(network, scenario, segments):
    counts = (1, 2, 3, 4, 6, 8)

    def over(n, strategy, **changes):
        return simulate(scenario.with_overrides({"ranks": list(range(n)), "strategy.name": strategy, **changes}))

    runs = {
        (strategy, n): over(n, strategy, **{"network.preset": network.value, "strategy.segments": segments.value})
        for strategy in ("prism", "voltage")
        for n in counts
    }
    latencies = pd.DataFrame(
        [{"strategy": strategy, "boards": n, "seconds": run.latency_s} for (strategy, n), run in runs.items()]
    )
    (
        alt.Chart(latencies, title="BERT-base, 256 tokens", width="container", height=220)
        .mark_line(point=True)
        .encode(
            x=alt.X("boards:Q", axis=alt.Axis(tickMinStep=1)),
            y=alt.Y("seconds", title="latency (s)"),
            color=alt.Color(
                "strategy",
                scale=alt.Scale(
                    domain=["prism", "voltage"], range=[STRATEGY_STYLES[one].colour for one in ("prism", "voltage")]
                ),
            ),
            strokeDash=alt.StrokeDash("strategy", legend=None),
            tooltip=["strategy", "boards", alt.Tooltip("seconds", format=".2f")],
        )
        .configure_legend(orient="bottom")
    )
    return counts, over, runs


@app.cell
def _(counts, runs):
    parts = pd.DataFrame(
        [
            {"boards": n, "part": part, "seconds": seconds}
            for n in counts
            for part, seconds in runs["prism", n].breakdown_s.items()
            if seconds
        ]
    )
    order = [part for part in PART_COLOURS if part in set(parts["part"])]
    (
        alt.Chart(parts, title="PRISM: what its latency is made of", width="container", height=200)
        .mark_bar()
        .encode(
            x=alt.X("boards:O", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("seconds", title="latency (s)"),
            color=alt.Color("part", scale=alt.Scale(domain=order, range=[PART_COLOURS[part] for part in order])),
            tooltip=["boards", "part", alt.Tooltip("seconds", format=".3f")],
        )
        .configure_legend(orient="bottom")
    )
    return


@app.cell(hide_code=True)
def _():
    answer_4 = mo.ui.number(label="boards")
    mo.vstack(
        [
            mo.md(
                "**Question 4.** On the Raspberry Pi's own Wi-Fi 5 and with 8 means: over how many of the boards is "
                "PRISM fastest?"
            ),
            answer_4,
        ]
    )
    return (answer_4,)


@app.cell
def _(counts, answer_4, over):
    by_count = {n: over(n, "prism").latency_s for n in counts}
    best = min(by_count, key=by_count.__getitem__)
    question_4 = checks.number(
        best,
        unit="boards",
        within=0,
        reason=f"{best} boards take {by_count[best]:.2f} s, all eight {by_count[8]:.2f} s. Beyond {best}, each further "
        "board adds more on the air than it takes off the others.",
        hint="Set both controls to these values and look for the lowest point of the blue line.",
    )
    verdict_4 = question_4.check(answer_4.value)
    verdict_4
    return best, by_count, question_4, verdict_4


@app.cell(hide_code=True)
def _():
    answer_5 = mo.ui.radio(
        [
            "its arithmetic grows with every board",
            "each board still sends all of its rows to all others, so the bytes on the air grow with every board",
            "its rows get larger with every board",
        ],
        label="because",
    )
    mo.vstack(
        [
            mo.md("**Question 5.** Voltage on this Wi-Fi gains nothing from a third board and loses by more. Why?"),
            answer_5,
        ]
    )
    return (answer_5,)


@app.cell
def _(answer_5, over):
    rows_bytes = {n: sum(over(n, "voltage").sent_bytes) / 1e6 for n in (2, 4, 8)}
    question_5 = checks.choice(
        "each board still sends all of its rows to all others, so the bytes on the air grow with every board",
        reason=f"(n - 1) N D numbers a block: {rows_bytes[2]:.0f} MB a pass over 2 boards, {rows_bytes[4]:.0f} over 4, "
        f"{rows_bytes[8]:.0f} over 8. On a switch the same bytes go side by side.",
        hints={
            "its arithmetic grows with every board": "Its bars of computing get shorter with every board.",
            "its rows get larger with every board": "A row has 768 numbers, whoever has it.",
        },
    )
    verdict_5 = question_5.check(answer_5.value)
    verdict_5
    return question_5, rows_bytes, verdict_5


@app.cell(hide_code=True)
def _():
    answer_6 = mo.ui.number(label="Mbit/s")
    mo.vstack(
        [
            mo.md(
                "**Question 6.** How slow may this Wi-Fi be before four boards with PRISM (8 means) are no faster than "
                "one alone? Find the bandwidth, to 10 %. Hint: what is left of the latency when the channel is "
                "endlessly fast, and how long may the air then take?"
            ),
            answer_6,
        ]
    )
    return (answer_6,)


@app.cell
def _(answer_6, by_count, over):
    def at_s(mbit_per_s):
        return over(4, "prism", **{"network.bandwidth": f"{mbit_per_s} Mbit/s"}).latency_s

    slow, fast = 0.5, 108.0
    while fast / slow > 1.02:
        middle = (slow * fast) ** 0.5
        slow, fast = (middle, fast) if at_s(middle) > by_count[1] else (slow, middle)
    question_6 = checks.number(
        fast,
        unit="Mbit/s",
        within=0.1,
        reason=f"At {fast:.1f} Mbit/s all four need the {by_count[1]:.1f} s of one board. So little is enough because "
        "a block's means are 8 rows of 256; ask `prism-sim breakeven` for Voltage and compare.",
        hint=f"One board takes {by_count[1]:.2f} s; four take {at_s(1e6):.2f} s when bytes cost nothing. At 108 Mbit/s "
        f"the bytes cost {at_s(108) - at_s(1e6):.2f} s, and half the bandwidth doubles that.",
    )
    verdict_6 = question_6.check(answer_6.value)
    verdict_6
    return fast, question_6, verdict_6


@app.cell(hide_code=True)
def _():
    student = mo.ui.text(label="Your name, for the file")
    mo.vstack([mo.md("## Your answers"), student])
    return (student,)


@app.cell(hide_code=True)
def _(
    answer_1,
    answer_2,
    answer_3,
    answer_4,
    answer_5,
    answer_6,
    student,
    verdict_1,
    verdict_2,
    verdict_3,
    verdict_4,
    verdict_5,
    verdict_6,
):
    results = checks.Results(
        "06_shared_air",
        student.value,
        [one.value for one in (answer_1, answer_2, answer_3, answer_4, answer_5, answer_6)],
        [verdict_1, verdict_2, verdict_3, verdict_4, verdict_5, verdict_6],
    )
    results
    return (results,)


@app.cell(hide_code=True)
def _(best, fast):
    mo.md(f"""
    ## What to take along

    - "100 Mbit/s" of a channel is what all stations have *together*, and a message between two of them uses it twice.
    - Exchanges between all grow as $n(n-1)$ on the air. A radio has a best number of boards: here {best} of eight.
    - Few bytes make a slow radio usable: PRISM with 8 means still pays from {fast:.1f} Mbit/s on.
    - Sending once to all helps where many listen and the basic rate is not too low: $R > B/(n-1)$.
    - The channel here is a perfect queue. A real one also loses time to contention, collisions and repeats, and to
      neighbours: measure yours (`prism-sim calibrate --link`) and state what it really carries.

    **Read next:** lesson 7, where a model writes text and sends a little for every token. In the repository:
    `scenarios/bert-base-pis-wifi.yaml`, which states a `broadcast_rate`.
    """)
    return


if __name__ == "__main__":
    app.run()
