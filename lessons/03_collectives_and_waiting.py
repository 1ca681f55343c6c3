import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="3. Collectives, and who waits for whom")

with app.setup:
    import altair as alt
    import checks
    import marimo as mo
    import pandas as pd
    from scenario_text import scenario_of

    from prism_sim.devices import Device
    from prism_sim.figures.style import PART_COLOURS
    from prism_sim.plan import Exchange, Plan, Start, Wait
    from prism_sim.simulation.simulate import simulate
    from prism_sim.timing import Switch, play_once
    from prism_sim.timing.collectives import lower

    WAYS = ["direct", "ring", "tree", "star"]


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # 3. Collectives, and who waits for whom

    **Time:** about 25 minutes. **You need:** lesson 1 (bytes, bandwidth, latency).

    Devices that split a model do not send single messages: all of them exchange something at the same time, which is
    called a *collective*. Afterwards you will know

    - what an all-gather and an all-reduce are, and what they send,
    - why the best way to do one depends on the size of the message,
    - who waits when one device is slower, and what to do about it.
    """)
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## One task, several ways

    In an **all-gather** each of $P$ devices has a piece of $s$ bytes, and in the end all have all pieces (Voltage, and
    PRISM's means). In an **all-reduce** each has $s$ numbers, and in the end all have the sum (tensor parallelism).
    There are several ways to do either:

    | way | all-gather | rounds, one after another |
    |:---|:---|:---|
    | direct | each sends its piece to each of the others | 1 |
    | ring | each passes on to its neighbour what it got last | $P-1$ |
    | tree | distances double: 1, 2, 4, ... (Bruck's algorithm) | $\lceil\log_2 P\rceil$ |
    | star | all send to one, which sends to all | 2 |

    A round pays the latency of the link once. Below, the simulator plays one all-gather over a switch on which each
    device has a line of its own, up and down.
    """)
    return


@app.cell
def _():
    def collective(kind, n_devices, payload_bytes):
        """A plan of a single exchange among all of them, and nothing to compute."""
        exchange = Exchange(kind, tuple(range(n_devices)), (payload_bytes,) * n_devices, None, kind)
        programs = ((Start(0), Wait(0)),) * n_devices + ((),)
        return Plan(n_devices, programs, (exchange,), (0,) * (n_devices + 1), (0,) * (n_devices + 1))

    def played(kind, way, n_devices, payload_bytes, bits_per_s, latency_s):
        """Its timeline."""
        boards = [Device(f"board {n}", flops_per_s=1e9, memory_bytes_per_s=1e9) for n in range(n_devices)]
        network = Switch(bits_per_s, bits_per_s, latency_s, collective=way)
        return play_once(collective(kind, n_devices, payload_bytes), boards, (*range(n_devices), 0), network)

    return collective, played


@app.cell(hide_code=True)
def _():
    way = mo.ui.dropdown(WAYS, value="direct", label="way")
    n_boards = mo.ui.slider(2, 8, value=4, show_value=True, label="boards")
    kilobytes = mo.ui.slider(steps=[0.1, 1, 10, 100, 300, 1000], value=100, show_value=True, label="piece, kB")
    delay = mo.ui.slider(steps=[0.1, 1, 5, 20], value=5, show_value=True, label="latency, ms")
    mo.vstack([mo.md("### Try it (at 100 Mbit/s)"), mo.hstack([way, n_boards, kilobytes, delay], justify="start")])
    return delay, kilobytes, n_boards, way


@app.cell
def _(delay, kilobytes, n_boards, played, way):
    setting = (n_boards.value, round(kilobytes.value * 1e3), 100e6, delay.value / 1e3)
    shown = played("all_gather", way.value, *setting)
    lanes = pd.DataFrame(
        [
            {
                "message": f"{one.source} to {one.destination}",
                "part": part,
                "from": start_s * 1e3,
                "to": end_s * 1e3,
                "sender": f"board {one.source}",
            }
            for one in shown.messages
            for part, start_s, end_s in (
                ("queue", one.posted_s, one.uplink_start_s),
                ("transfer", one.uplink_start_s, one.uplink_end_s),
                ("propagation", max(one.uplink_end_s, one.uplink_start_s), one.arrival_s),
            )
            if end_s > start_s
        ]
    )
    parts = ["queue", "transfer", "propagation"]
    gantt = (
        alt.Chart(lanes, title=f"All-gather, {way.value}: each message by its sender", width=460)
        .mark_bar()
        .encode(
            x=alt.X("from", title="time (ms)"),
            x2="to",
            y=alt.Y("message", title=None, sort=None),
            row=alt.Row("sender", title=None, header=alt.Header(labelAngle=0, labelAlign="left")),
            color=alt.Color("part", scale=alt.Scale(domain=parts, range=[PART_COLOURS[part] for part in parts])),
            tooltip=["message", "part", alt.Tooltip("from", format=".2f"), alt.Tooltip("to", format=".2f")],
        )
        .resolve_scale(y="independent")
        .properties(height=alt.Step(14))
    )
    each = {name: played("all_gather", name, *setting).latency_s * 1e3 for name in WAYS}
    mo.vstack(
        [
            gantt,
            mo.md("All have everything after: " + ", ".join(f"{name} **{ms:.2f} ms**" for name, ms in each.items())),
        ]
    )
    return


@app.cell(hide_code=True)
def _():
    answer_1 = mo.ui.number(label="bytes")
    mo.vstack(
        [
            mo.md(
                "**Question 1.** Four boards all-gather pieces of 300,000 bytes, directly. How many bytes does each "
                "board send?"
            ),
            answer_1,
        ]
    )
    return (answer_1,)


@app.cell(hide_code=True)
def _(answer_1, played):
    sent_bytes = played("all_gather", "direct", 4, 300_000, 100e6, 1e-3).sent_bytes[0]
    question_1 = checks.number(
        sent_bytes,
        unit="bytes",
        within=0,
        reason="Its own piece to each of the other three. On a ring it sends as many: its own piece, and two others'.",
        hint="Its piece goes to each of the others, one by one.",
        mistakes={300_000: "Once to each of the others.", 1_200_000: "A board need not send to itself."},
    )
    verdict_1 = question_1.check(answer_1.value)
    verdict_1
    return question_1, verdict_1


@app.cell(hide_code=True)
def _():
    answer_2 = mo.ui.code_editor(
        "def ring_all_reduce_bytes(payload_bytes, n_devices):\n    ...\n",
        language="python",
        label="ring_all_reduce_bytes",
    )
    mo.vstack(
        [
            mo.md(
                r"""
                **Question 2.** A ring all-reduce cuts the numbers into $P$ chunks. First the chunks go round and are
                added up, $P-1$ steps; then the sums go round, $P-1$ steps. In each step each device sends one chunk.
                How many bytes does *a device* send in all, for a payload of so many bytes that $P$ divides? It is
                compared with the messages that the simulator makes of it.
                """
            ),
            answer_2,
        ]
    )
    return (answer_2,)


@app.cell(hide_code=True)
def _(answer_2, collective):
    def messages_bytes(payload_bytes, n_devices):
        """What the first device sends, of the package's own messages."""
        messages = lower(collective("all_reduce", n_devices, payload_bytes).exchanges[0], "ring")
        return sum(message.payload_bytes for message in messages if message.source == 0)

    def drawn(rng):
        """A number of devices, and a payload that it divides."""
        n_devices = int(rng.integers(2, 9))
        return n_devices * int(rng.integers(1, 100_000)), n_devices

    question_2 = checks.function(
        "ring_all_reduce_bytes",
        like=messages_bytes,
        draw=drawn,
        reason="2 (P - 1) chunks of 1 / P each: never twice the payload, however many devices. (Patarasuk and Yuan, "
        "2009, show that no way sends less.)",
    )
    verdict_2 = question_2.check(answer_2.value)
    verdict_2
    return question_2, verdict_2


@app.cell
def _(played):
    sizes = [100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000]
    by_size = pd.DataFrame(
        [
            {
                "payload (kB)": payload_bytes / 1e3,
                "way": name,
                "time (ms)": played("all_reduce", name, 8, payload_bytes, 100e6, 2e-3).latency_s * 1e3,
            }
            for payload_bytes in sizes
            for name in WAYS
        ]
    )
    small = by_size[by_size["payload (kB)"] == 0.1].set_index("way")["time (ms)"]
    big = by_size[by_size["payload (kB)"] == 1000].set_index("way")["time (ms)"]
    curves = (
        alt.Chart(by_size, title="All-reduce over 8 boards, 100 Mbit/s, 2 ms", width=520, height=240)
        .mark_line(point=True)
        .encode(
            x=alt.X("payload (kB)", scale=alt.Scale(type="log")),
            y=alt.Y("time (ms)", scale=alt.Scale(type="log")),
            color=alt.Color("way", sort=None),
            strokeDash=alt.StrokeDash("way", sort=None),
            tooltip=["way", "payload (kB)", alt.Tooltip("time (ms)", format=".2f")],
        )
    )
    mo.vstack([mo.md("## Small messages, large messages"), curves])
    return big, small


@app.cell(hide_code=True)
def _():
    answer_3 = mo.ui.radio(WAYS, label="quickest for 100 bytes")
    mo.vstack([mo.md("**Question 3.** Which of these is the quickest for a payload of 100 bytes?"), answer_3])
    return (answer_3,)


@app.cell(hide_code=True)
def _(answer_3, small):
    question_3 = checks.choice(
        "direct",
        reason=f"One round, one latency: {small['direct']:.2f} ms, against {small['ring']:.1f} ms round the ring with "
        f"its 14 rounds. Where latency is what counts, few rounds win.",
        hints={
            "ring": "It needs 2 (P - 1) = 14 rounds, and each pays 2 ms.",
            "tree": "Three rounds to the root and three back. Is there a way with fewer?",
            "star": "To the centre and back are two rounds. Is there a way with one?",
        },
    )
    verdict_3 = question_3.check(answer_3.value)
    verdict_3
    return question_3, verdict_3


@app.cell(hide_code=True)
def _():
    answer_4 = mo.ui.radio(WAYS, label="quickest for 1 MB")
    mo.vstack([mo.md("**Question 4.** And for 1 MB?"), answer_4])
    return (answer_4,)


@app.cell(hide_code=True)
def _(answer_4, big):
    question_4 = checks.choice(
        "ring",
        reason=f"{big['ring']:.0f} ms against {big['direct']:.0f} ms directly: each link carries 2 (P - 1) / P "
        f"payloads instead of P - 1. The package's `collective: quickest` chooses so for each exchange by itself.",
        hints={
            "direct": "Everybody sends its whole payload seven times over its one line.",
            "tree": "Whole payloads go up and down the tree, several times over the root's line.",
            "star": "All payloads meet on the line of the centre.",
        },
    )
    verdict_4 = question_4.check(answer_4.value)
    verdict_4
    return question_4, verdict_4


@app.cell
def _():
    text = """
    name: Two boards and a slower one
    model: {preset: vit-base-patch16-224}
    placement: {input: replicated, output: in_place}
    devices:
      - {name: fast, compute: 40 GFLOP/s, memory_bandwidth: 20 GB/s, memory: 4 GB, count: 2}
      - {name: slow, compute: 20 GFLOP/s, memory_bandwidth: 10 GB/s, memory: 4 GB}
    network: {bandwidth: 1 Gbit/s, latency: 0.2 ms}
    strategy: {name: prism, segments: 10}
    """
    scenario = scenario_of(text)
    even = simulate(scenario)
    return even, scenario


@app.cell(hide_code=True)
def _():
    slow_share = mo.ui.slider(0.05, 0.5, step=0.01, value=0.33, show_value=True, label="the slow board's share of rows")
    mo.vstack(
        [
            mo.md(
                """
                ## Who waits for whom

                An exchange ends when the last piece is there. Three boards, of which one computes half as fast, split
                ViT-Base's rows by PRISM (10 means a board). All have to wait for the slowest, before each block anew.
                The slider gives that board fewer rows; the other two share the rest.
                """
            ),
            slow_share,
        ]
    )
    return (slow_share,)


@app.cell
def _(scenario, slow_share):
    fast_share = (1 - slow_share.value) / 2
    shared = simulate(scenario.with_overrides({"strategy.shares": [fast_share, fast_share, slow_share.value]}))
    waiting = pd.DataFrame(
        [
            {"board": name, "does": what, "time (ms)": seconds * 1e3}
            for name, busy_s, wait_s in zip(("fast 0", "fast 1", "slow"), shared.busy_s, shared.wait_s, strict=False)
            for what, seconds in (("works", busy_s), ("waits", wait_s))
        ]
    )
    bars = (
        alt.Chart(waiting, title=f"ViT-Base in {shared.latency_s * 1e3:.0f} ms", width=520, height=130)
        .mark_bar()
        .encode(
            x=alt.X("time (ms)"),
            y=alt.Y("board", title=None),
            order=alt.Order("does", sort="descending"),
            color=alt.Color("does", scale=alt.Scale(domain=["works", "waits"], range=["#0072B2", "#CCCCCC"])),
            tooltip=["board", "does", alt.Tooltip("time (ms)", format=".1f")],
        )
    )
    bars
    return


@app.cell(hide_code=True)
def _():
    answer_5 = mo.ui.number(label="% of the latency")
    mo.vstack(
        [
            mo.md(
                "**Question 5.** With even shares (a third each), during about what part of the latency does a *fast* "
                "board do nothing? First think, then look. 10 % are near enough."
            ),
            answer_5,
        ]
    )
    return (answer_5,)


@app.cell(hide_code=True)
def _(answer_5, even):
    idle_percent = (1 - even.busy_s[0] / even.latency_s) * 100
    question_5 = checks.number(
        idle_percent,
        unit="%",
        within=0.1,
        reason=f"{idle_percent:.0f} %: it has done its third in half the time that the slow board needs.",
        hint="It works half as long as the slow board, which hardly waits at all.",
    )
    verdict_5 = question_5.check(answer_5.value)
    verdict_5
    return question_5, verdict_5


@app.cell(hide_code=True)
def _():
    answer_6 = mo.ui.number(label="share (0 to 1)", step=0.01)
    mo.vstack(
        [
            mo.md(
                "**Question 6.** Which share for the slow board makes the whole quickest? Anything counts that is "
                "within 2 % of the best latency."
            ),
            answer_6,
        ]
    )
    return (answer_6,)


@app.cell(hide_code=True)
def _(answer_6, even, scenario):
    def with_share(share):
        """Simulated, with the rest for the other two."""
        rest = (1 - share) / 2
        return simulate(scenario.with_overrides({"strategy.shares": [rest, rest, share]}))

    best_s = min(with_share(percent / 100).latency_s for percent in range(10, 34))

    def hint_of(given):
        """What the simulator says to this share."""
        if not 0.01 <= given <= 0.98:
            return "A share is between 0 and 1, and each board needs at least one row."
        tried = with_share(given)
        if tried.latency_s <= 1.02 * best_s:
            return None
        late = "slow" if tried.wait_s[0] > tried.wait_s[2] else "fast"
        return (
            f"That takes {tried.latency_s * 1e3:.0f} ms; the others wait for the {late} board{'s' * (late == 'fast')}."
        )

    question_6 = checks.Question(
        hint_of,
        f"The best is {best_s * 1e3:.0f} ms, against {even.latency_s * 1e3:.0f} ms with even shares. In proportion to "
        f"speed the slow board has 1 / (2 + 2 + 1) = 0.2. `strategy: {{shares: auto}}` searches for them.",
    )
    verdict_6 = question_6.check(answer_6.value)
    verdict_6
    return question_6, verdict_6


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
        "03_collectives_and_waiting",
        student.value,
        [one.value for one in (answer_1, answer_2, answer_3, answer_4, answer_5, answer_6)],
        [verdict_1, verdict_2, verdict_3, verdict_4, verdict_5, verdict_6],
    )
    results
    return (results,)


@app.cell(hide_code=True)
def _():
    mo.md("""
    ## What to take along

    - A collective costs rounds (latency) and bytes (bandwidth); ways differ in which of the two they save.
    - Direct for small payloads, a ring for large ones. The simulator takes the quickest for each exchange unless
      `network.collective` says otherwise, and `explain` names it.
    - All wait for the slowest, at each exchange. Give a slower device less to do: shares in proportion to speed.

    **Read next:** lesson 4, which sends means instead of rows. Patarasuk and Yuan, *Bandwidth optimal all-reduce
    algorithms for clusters of workstations*, JPDC 69(2), 2009; Bruck and others, IEEE TPDS 8(11), 1997. In the package:
    `prism_sim/timing/collectives/`.
    """)
    return


if __name__ == "__main__":
    app.run()
