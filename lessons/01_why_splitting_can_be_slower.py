import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="1. Why splitting can be slower")

with app.setup:
    import altair as alt
    import checks
    import marimo as mo
    import pandas as pd
    from scenario_text import scenario_of, shown

    from prism_sim.devices import Device
    from prism_sim.figures.style import PART_COLOURS
    from prism_sim.plan import Exchange, Plan, Start, Wait
    from prism_sim.simulation.simulate import simulate
    from prism_sim.timing import Switch, play_once
    from prism_sim.why.breakeven import break_even


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # 1. Why splitting can be slower

    **Time:** about 20 minutes. **You need:** nothing but this page; the answers are figures or a few lines of Python.

    Two boards compute twice as fast as one. So a model that is split over two boards should answer in half the time.
    Mostly it does not, and quite often it answers *later* than one board would have. Afterwards you will know

    - what a split model must send, and how to count it in bytes,
    - how long bytes take on a link, and why a faster link does not cure everything,
    - from which bandwidth on two boards beat one, and how to find that point for any pair.
    """)
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## The set-up

    ViT-Base cuts a picture into 196 patches, adds one token for the answer, and sends the 197 tokens through 12 blocks.
    Each token is a row of $D = 768$ numbers of 4 bytes. We split the *rows*: with $P$ boards, each owns about $197/P$
    of them, as in Voltage (Hu and Li, ICDCS 2024). In a block every token looks at every
    other token (attention), so before each block every board sends its rows to all others. Everything else a board does
    with its own rows alone.

    $$T_P \;\approx\; \underbrace{T_\text{compute}(P)}_{\text{falls with } P}
      \;+\; \underbrace{B\left(\tau + \frac{8\,\text{bytes}}{\text{bandwidth}}\right)}_{\text{none with one board}}$$

    $B$: the number of exchanges; $\tau$: the latency of the link; 8 bits a byte. The scenario below is a real one of
    the simulator: change a number in a file of your own and it answers for your boards.
    """)
    return


@app.cell
def _():
    text = """
    name: ViT-Base over plain boards
    model: {preset: vit-base-patch16-224}
    devices:
      - {name: board, compute: 40 GFLOP/s, memory_bandwidth: 8 GB/s, memory: 4 GB, count: 4}
    network: {bandwidth: 100 Mbit/s, latency: 1 ms, collective: direct}
    strategy: {name: voltage}
    """
    scenario = scenario_of(text)
    shown(text)
    return (scenario,)


@app.cell(hide_code=True)
def _():
    bandwidth = mo.ui.slider(
        steps=[5, 10, 20, 50, 100, 200, 400, 1000], value=100, show_value=True, label="bandwidth of each board, Mbit/s"
    )
    latency = mo.ui.slider(steps=[0, 1, 5, 20], value=1, show_value=True, label="latency of the link, ms")
    mo.vstack([mo.md("## Try it\n\nMove both and watch which part of each bar moves."), bandwidth, latency])
    return bandwidth, latency


@app.cell
def _(bandwidth, latency, scenario):
    link = {"network.bandwidth": f"{bandwidth.value} Mbit/s", "network.latency": f"{latency.value} ms"}
    runs = {n: simulate(scenario.with_overrides({**link, "ranks": list(range(n))})) for n in (1, 2, 3, 4)}
    parts = pd.DataFrame(
        [
            {"boards": n, "part": part, "time (ms)": seconds * 1e3}
            for n, run in runs.items()
            for part, seconds in run.breakdown_s.items()
            if seconds
        ]
    )
    order = [part for part in PART_COLOURS if part in set(parts["part"])]
    chart = (
        alt.Chart(parts, title=f"One picture through ViT-Base at {bandwidth.value} Mbit/s", width=520, height=200)
        .mark_bar()
        .encode(
            x=alt.X("time (ms)", title="latency (ms), along the critical path"),
            y=alt.Y("boards:O", title="boards"),
            color=alt.Color("part", scale=alt.Scale(domain=order, range=[PART_COLOURS[part] for part in order])),
            tooltip=["boards", "part", alt.Tooltip("time (ms)", format=".1f")],
        )
    )
    fastest = min(runs, key=lambda n: runs[n].latency_s)
    gain = runs[1].latency_s / runs[2].latency_s
    said = f"{gain:.2f} times as fast as one" if gain >= 1 else f"{1 / gain:.2f} times as slow as one"
    mo.vstack([chart, mo.md(f"Two boards are **{said}**. Of these, {fastest} would be the fastest.")])
    return (runs,)


@app.cell(hide_code=True)
def _(scenario):
    pair = simulate(scenario.with_overrides({"ranks": [0, 1]}))
    alone = simulate(scenario.with_overrides({"ranks": [0]}))
    mo.md(f"""
    At 100 Mbit/s and 1 ms, one board takes {alone.latency_s * 1e3:.0f} ms and two take {pair.latency_s * 1e3:.0f} ms.
    Even the computing did not halve: it fell from {alone.breakdown_s["compute"] * 1e3:.0f} to
    {pair.breakdown_s["compute"] * 1e3:.0f} ms, since each board needs keys and values of *all* 197 tokens and computes
    them itself. What is computed twice is the first price of splitting, what is sent the second.

    ## What must be sent
    """)
    return alone, pair


@app.cell(hide_code=True)
def _():
    answer_1 = mo.ui.number(label="bytes")
    mo.vstack(
        [
            mo.md(
                "**Question 1.** 197 rows are split over two boards as evenly as goes; the first board has the larger "
                "half. How many bytes does it send before each block? (768 numbers of 4 bytes a row)"
            ),
            answer_1,
        ]
    )
    return (answer_1,)


@app.cell(hide_code=True)
def _(answer_1, pair):
    exchange = next(one for one in pair.plan.exchanges if one.label == "block 0")
    sent_bytes = exchange.bytes_by_rank[0]
    question_1 = checks.number(
        sent_bytes,
        unit="bytes",
        within=0,
        reason=f"99 rows x 768 x 4 bytes = {sent_bytes:,} bytes, which is what the plan of the simulator says too.",
        hint="Rows of the larger half, times numbers a row, times bytes a number.",
        mistakes={
            sent_bytes / 4: "These are numbers, of 4 bytes each.",
            sent_bytes * 8: "These are bits; bytes are asked for.",
            98 * 768 * 4: "This is what the other board sends: 197 is odd, and the first board has the larger half.",
            98.5 * 768 * 4: "Rows are not cut: one board has 99 of them, the other 98.",
            197 * 768 * 4: "A board sends its own rows only.",
        },
    )
    verdict_1 = question_1.check(answer_1.value)
    verdict_1
    return question_1, verdict_1


@app.cell(hide_code=True)
def _():
    answer_2 = mo.ui.code_editor(
        "def arrival_s(payload_bytes, bits_per_s, latency_s):\n    ...\n", language="python", label="arrival_s"
    )
    mo.vstack(
        [
            mo.md(
                "**Question 2.** Bandwidths are in *bits* a second: 100 Mbit/s are $10^8$ of them. Complete the "
                "function: after how many seconds has the last bit of a message arrived, on a link that is otherwise "
                f"idle? It is compared with the simulator's network on {checks.N_DRAWS} random messages. Then work out "
                "for yourself what the bytes of question 1 take at 100 Mbit/s."
            ),
            answer_2,
        ]
    )
    return (answer_2,)


@app.cell(hide_code=True)
def _(answer_2):
    def played_s(payload_bytes, bits_per_s, latency_s):
        """One message between two devices that do nothing else, on the simulator's own network."""
        send = Exchange("send", (0, 1), (payload_bytes, 0), 0, "message")
        plan = Plan(1, ((Start(0),), (Wait(0),)), (send,), (0, 0), (0, 0))
        boards = [Device(name, flops_per_s=1e9, memory_bytes_per_s=1e9) for name in ("sender", "receiver")]
        return play_once(plan, boards, (0, 1), Switch(bits_per_s, bits_per_s, latency_s)).latency_s

    question_2 = checks.function(
        "arrival_s",
        like=played_s,
        draw=lambda rng: (int(rng.integers(1e3, 1e7)), float(10 ** rng.uniform(6, 9)), float(rng.uniform(0, 0.1))),
        reason="Latency passes once, and all bits go one after another: latency + 8 bytes / bandwidth.",
    )
    verdict_2 = question_2.check(answer_2.value)
    verdict_2
    return played_s, question_2, verdict_2


@app.cell(hide_code=True)
def _(pair):
    answer_3 = mo.ui.radio(["all of it", "about four fifths", "about two fifths"], label="saves")
    mo.vstack(
        [
            mo.md(
                f"## Where the time goes\n\n**Question 3.** Look at the bar of two boards at 100 Mbit/s and 1 ms. A "
                f"link without any delay (no latency, endless bandwidth) would save what part of its "
                f"{pair.latency_s * 1e3:.0f} ms?"
            ),
            answer_3,
        ]
    )
    return (answer_3,)


@app.cell(hide_code=True)
def _(answer_3, pair, scenario):
    endless = {"ranks": [0, 1], "network.bandwidth": "1000000 Gbit/s", "network.latency": "0 s"}
    without_delay = simulate(scenario.with_overrides(endless))
    left = without_delay.latency_s / pair.latency_s
    question_3 = checks.choice(
        "about two fifths",
        reason=f"Simulated, {without_delay.latency_s * 1e3:.0f} ms are left, {left:.0%} of it. "
        f"That is computing, where no link helps.",
        hints={
            "all of it": "Would the boards then compute in no time? Look at the bar's longest part.",
            "about four fifths": "Which part of the bar is not the network's, and is it less than half?",
        },
    )
    verdict_3 = question_3.check(answer_3.value)
    verdict_3
    return question_3, verdict_3, without_delay


@app.cell(hide_code=True)
def _():
    answer_4 = mo.ui.radio(["it halves too", "it falls, by less than half", "it stays"], label="the latency")
    mo.vstack(
        [
            mo.md(
                "**Question 4.** Two boards on the 100 Mbit/s link; now the bandwidth doubles. The time for transfer "
                "halves. What does the *latency of the answer* do? (Set the slider to 200 and look.)"
            ),
            answer_4,
        ]
    )
    return (answer_4,)


@app.cell(hide_code=True)
def _(answer_4, pair, scenario):
    doubled = simulate(scenario.with_overrides({"ranks": [0, 1], "network.bandwidth": "200 Mbit/s"}))
    question_4 = checks.choice(
        "it falls, by less than half",
        reason=f"From {pair.latency_s * 1e3:.0f} to {doubled.latency_s * 1e3:.0f} ms: transfer fell from "
        f"{pair.breakdown_s['transfer'] * 1e3:.0f} to {doubled.breakdown_s['transfer'] * 1e3:.0f} ms, and that is all.",
        hints={
            "it halves too": "Only one part of the bar gets shorter.",
            "it stays": "One part of the bar does get shorter.",
        },
    )
    verdict_4 = question_4.check(answer_4.value)
    verdict_4
    return doubled, question_4, verdict_4


@app.cell(hide_code=True)
def _():
    answer_5 = mo.ui.number(label="Mbit/s")
    mo.vstack(
        [
            mo.md(
                "## From which bandwidth on?\n\n**Question 5.** With 1 ms of latency, at which bandwidth are two "
                "boards just as fast as one? Find it with the slider, or from the equation: what the network may "
                "take at most is what computing saves. 5 % are near enough."
            ),
            answer_5,
        ]
    )
    return (answer_5,)


@app.cell(hide_code=True)
def _(alone, answer_5, pair, scenario):
    found = break_even(
        scenario.with_overrides({"ranks": [0, 1]}), "network.bandwidth", "single", "10 Mbit/s", "1 Gbit/s", 8
    )
    even_mbit_per_s = found.crossings[0].at.amount / 1e6
    saved_ms = (alone.breakdown_s["compute"] - pair.breakdown_s["compute"]) * 1e3
    question_5 = checks.number(
        even_mbit_per_s,
        unit="Mbit/s",
        within=0.05,
        reason=f"The simulator finds {even_mbit_per_s:.1f} Mbit/s: there, transfers take the {saved_ms:.0f} ms that "
        f"the second board saves in computing, less what the link's latency takes. `prism-sim breakeven` asks this.",
        hint=f"Two boards save {saved_ms:.0f} ms of computing. At 100 Mbit/s, transfers take "
        f"{pair.breakdown_s['transfer'] * 1e3:.0f} ms, and twice that at 50 Mbit/s.",
    )
    verdict_5 = question_5.check(answer_5.value)
    verdict_5
    return even_mbit_per_s, question_5, verdict_5


@app.cell(hide_code=True)
def _():
    student = mo.ui.text(label="Your name, for the file")
    mo.vstack([mo.md("## Your answers"), student])
    return (student,)


@app.cell(hide_code=True)
def _(answer_1, answer_2, answer_3, answer_4, answer_5, student, verdict_1, verdict_2, verdict_3, verdict_4, verdict_5):
    results = checks.Results(
        "01_why_splitting_can_be_slower",
        student.value,
        [one.value for one in (answer_1, answer_2, answer_3, answer_4, answer_5)],
        [verdict_1, verdict_2, verdict_3, verdict_4, verdict_5],
    )
    results
    return (results,)


@app.cell(hide_code=True)
def _(even_mbit_per_s):
    mo.md(f"""
    ## What to take along

    - Splitting divides some of the computing, repeats some of it, and adds bytes. It pays when what is saved is more
      than what is added: here from {even_mbit_per_s:.0f} Mbit/s on.
    - Bandwidth is in bits, sizes are in bytes: a factor of 8, and a common mistake.
    - A faster link shortens transfer only. When computing is the longest part, look there.
    - Fewer bytes help where bandwidth does not grow. That is PRISM's idea: lessons 4 and 5.

    **Read next:** lesson 2, where the time for computing comes from. On the command line:
    `prism-sim explain SCENARIO` draws these bars for any scenario, `prism-sim breakeven SCENARIO --vary
    network.bandwidth --against single` answers question 5.
    """)
    return


if __name__ == "__main__":
    app.run()
