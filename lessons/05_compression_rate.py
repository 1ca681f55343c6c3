import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="5. The compression rate")

with app.setup:
    import math
    from dataclasses import replace

    import altair as alt
    import checks
    import marimo as mo
    import pandas as pd
    from scenario_text import scenario_of, shown

    from prism_sim.loss.accuracy import AccuracyRequest, curve
    from prism_sim.simulation.simulate import simulate
    from prism_sim.strategies import prism
    from prism_sim.tasks import digits
    from prism_sim.tasks.base import Reference
    from prism_sim.training.references import TrainingRequest, obtain


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # 5. The compression rate: latency against accuracy

    **Time:** about 25 minutes, of which a minute or two is for training a small model, once. **You need:** lesson 4.

    PRISM has one dial: how many means $L$ a device sends. Few means are quick to send and lose more. Afterwards you
    will know

    - how $L$, the compression rate and the bytes belong together,
    - how to read an accuracy with its interval, and a *difference* with its,
    - how to choose $L$ when you know the link, and what no choice of $L$ can buy.
    """)
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## One dial, three names

    $N$ tokens over $P$ devices: the largest partition has $\lceil N/P \rceil$ rows, of which $L$ means are sent. The
    compression rate is

    $$\text{CR} = \frac{\lceil N/P \rceil}{L} \qquad\text{and of the bytes}\qquad 1 - \frac{1}{\text{CR}}
      \quad\text{are saved.}$$

    The papers call the latter "communication speed-up". Asked for a rate, PRISM takes
    $L = \max\bigl(1, \operatorname{round}(\lceil N/P \rceil / \text{CR})\bigr)$.
    """)
    return


@app.cell(hide_code=True)
def _():
    answer_1 = mo.ui.number(label="CR")
    mo.vstack(
        [
            mo.md("**Question 1.** ViT-Base, 197 tokens, two devices, $L = 10$. Which compression rate is that?"),
            answer_1,
        ]
    )
    return (answer_1,)


@app.cell(hide_code=True)
def _(answer_1):
    vit = """
    model: {preset: vit-base-patch16-224}
    devices:
      - {name: board, compute: 40 GFLOP/s, memory_bandwidth: 8 GB/s, count: 2}
    network: {bandwidth: 100 Mbit/s, latency: 1 ms}
    strategy: {name: prism, segments: 10}
    """
    vit_run = simulate(scenario_of(vit))
    _, rate = vit_run.compression
    question_1 = checks.number(
        rate,
        within=1e-3,
        reason=f"99 / 10 = {rate:g}, as the papers' tables round it.",
        hint="The rows of the larger partition over the means.",
        mistakes={19.7: "A device compresses its own partition only.", 9.85: "Whole rows: the larger half has 99."},
    )
    verdict_1 = question_1.check(answer_1.value)
    verdict_1
    return question_1, verdict_1, vit_run


@app.cell(hide_code=True)
def _():
    answer_2 = mo.ui.code_editor(
        "def segments_for(n_tokens, n_devices, compression_rate):\n    ...\n", language="python", label="segments_for"
    )
    mo.vstack(
        [
            mo.md(
                "**Question 2.** Complete `segments_for`: the $L$ that PRISM takes when a scenario says "
                "`compression_rate` (`math` is there)."
            ),
            answer_2,
        ]
    )
    return (answer_2,)


@app.cell(hide_code=True)
def _(answer_2):
    def package_segments(n_tokens, n_devices, compression_rate):
        """What PRISM's options come to, for a model of one block."""
        return prism.n_segments(prism.Options(compression_rate=compression_rate), n_tokens, n_devices, 1)[0]

    question_2 = checks.function(
        "segments_for",
        like=package_segments,
        draw=lambda rng: (int(rng.integers(8, 400)), int(rng.integers(2, 8)), float(rng.uniform(1, 60))),
        known={"math": math},
        reason="The larger partition over the rate, rounded, and at least one mean: a device must send something.",
    )
    verdict_2 = question_2.check(answer_2.value)
    verdict_2
    return question_2, verdict_2


@app.cell(hide_code=True)
def _():
    answer_3 = mo.ui.number(label="%")
    mo.vstack([mo.md("**Question 3.** What part of the bytes does CR = 9.9 save, in %?"), answer_3])
    return (answer_3,)


@app.cell(hide_code=True)
def _(answer_3, vit_run):
    saved_percent = vit_run.communication_reduction * 100
    question_3 = checks.number(
        saved_percent,
        unit="%",
        within=5e-3,
        reason=f"1 - 1 / 9.9 = {saved_percent:.1f} %. Twice that rate would save only 5 points more.",
        hint="1 - 1 / CR.",
        mistakes={100 / 9.9: "That is the part that is still sent.", 0.9: "In %, please."},
    )
    verdict_3 = question_3.check(answer_3.value)
    verdict_3
    return question_3, verdict_3


@app.cell
def _():
    def small_task():
        """The package's digits, for a Vision Transformer so small that it is trained here: 17 tokens, 3 blocks."""
        usual = digits.TASK.reference
        config = {"patch_size": 8, "hidden_size": 48, "num_hidden_layers": 3, "intermediate_size": 96}
        steps = 60 if checks.is_quick() else 400  # the small variant learns half of it, and falls all the same
        recipe = replace(usual.recipe, steps=steps, warmup_steps=20, batch=32, learning_rate=4e-3)
        return replace(digits.TASK, reference=Reference(config={**usual.config, **config}, recipe=recipe))

    with mo.status.spinner(title="training a small Vision Transformer, once; it is kept for the next time"):
        trained = obtain(TrainingRequest(small_task()))
    return (trained,)


@app.cell
def _(trained):
    text = """
    name: Handwritten digits on two microcontrollers
    task: {name: digits, checkpoint: TRAINED}
    devices:
      - {name: mcu, compute: 5 MFLOP/s, memory_bandwidth: 100 MB/s, count: 2}
    network: {bandwidth: 1 Mbit/s, latency: 1 ms}
    strategy: {name: prism, segments: 2}
    """
    scenario = scenario_of(text.replace("TRAINED", str(trained.folder)))
    mo.vstack(
        [
            mo.md(
                f"""
                ## On real pictures

                The model above was just trained on {trained.record["examples"]["train"]} handwritten digits and reads
                {trained.record["test"]["accuracy"]:.1%} of {trained.record["examples"]["test"]} others rightly. It has
                16 patches and a token for the answer, so each of two devices has 8 or 9 rows. Now all test pictures
                go through PRISM, with real tensors, for several $L$.
                """
            ),
            shown(text),
        ]
    )
    return (scenario,)


@app.cell
def _(scenario):
    lengths = (1, 2, 4, 9) if checks.is_quick() else (1, 2, 3, 4, 5, 6, 9)
    with mo.status.spinner(title="the test pictures, for each L"):
        answered = curve(AccuracyRequest(scenario, segments=lengths)).points
    alone, *split = answered
    by_segments = dict(zip(lengths, split, strict=True))
    return alone, by_segments


@app.cell(hide_code=True)
def _():
    mbit = mo.ui.slider(steps=[0.125, 0.25, 0.5, 1, 2, 5, 20], value=1, show_value=True, label="bandwidth, Mbit/s")
    mo.vstack([mo.md("Each point is an $L$. Move the link: what is lost stays, what is gained does not."), mbit])
    return (mbit,)


@app.cell
def _(alone, by_segments, mbit, scenario):
    def latency_ms(segments, mbit_per_s):
        """Simulated."""
        changed = {"strategy.segments": segments, "network.bandwidth": f"{mbit_per_s} Mbit/s"}
        return simulate(scenario.with_overrides(changed)).latency_s * 1e3

    points = pd.DataFrame(
        [
            {
                "L": str(segments),
                "latency (ms)": latency_ms(segments, mbit.value),
                "accuracy (%)": 100 * point.accuracy.distributed.estimate,
                "low": 100 * point.accuracy.distributed.low,
                "high": 100 * point.accuracy.distributed.high,
            }
            for segments, point in by_segments.items()
        ]
    )
    alone_ms = simulate(scenario, "single").latency_s * 1e3
    one_board = pd.DataFrame({"latency (ms)": [alone_ms], "text": ["one device alone"]})
    base = alt.Chart(points).encode(
        x=alt.X("latency (ms)", scale=alt.Scale(zero=False, padding=30)),
        y=alt.Y("accuracy (%)", scale=alt.Scale(zero=False)),
    )
    bars = (
        alt.Chart(points)
        .mark_rule(color="#999999")
        .encode(x="latency (ms)", y=alt.Y("low", title="accuracy (%), with 95 % interval"), y2="high")
    )
    line = alt.Chart(one_board).mark_rule(color="#D55E00", strokeDash=[6, 3]).encode(x="latency (ms)", tooltip=["text"])
    labels = base.mark_text(dx=14, dy=-8).encode(text="L")
    dots = base.mark_point(filled=True, size=80, color="#0072B2", opacity=1).encode(
        tooltip=["L", alt.Tooltip("latency (ms)", format=".1f"), alt.Tooltip("accuracy (%)", format=".1f")]
    )
    picture = (bars + line + dots + labels).properties(
        width=520, height=260, title=f"Labelled with L, at {mbit.value:g} Mbit/s"
    )
    mo.vstack(
        [
            picture,
            mo.md(
                f"The dashed line is one device alone: {alone_ms:.1f} ms, "
                f"{alone.accuracy.distributed.estimate:.1%} right."
            ),
        ]
    )
    return alone_ms, latency_ms


@app.cell(hide_code=True)
def _(by_segments):
    _fewest = by_segments[1].accuracy
    answer_4 = mo.ui.radio(
        ["yes", "no, the interval is too wide", "no, other pictures would turn it round"], label="a real loss"
    )
    mo.vstack(
        [
            mo.md(
                f"""
                ## Is the loss real?

                With $L = 1$, {_fewest.distributed.estimate:.1%} of {_fewest.n} pictures are read rightly, and
                {_fewest.undistributed.estimate:.1%} without splitting. Both were asked about the *same* pictures, so
                the difference has an interval of its own, which holds in 95 % of all cases:
                {100 * _fewest.difference.low:+.1f} to {100 * _fewest.difference.high:+.1f} points.

                **Question 4.** Does $L = 1$ lose accuracy, or may that be these pictures' chance?
                """
            ),
            answer_4,
        ]
    )
    return (answer_4,)


@app.cell(hide_code=True)
def _(answer_4, by_segments):
    lost = by_segments[1].accuracy.difference
    right, other = "yes", "no, the interval is too wide"
    if lost.high >= 0:
        right, other = other, right
    question_4 = checks.choice(
        right,
        reason=f"The interval ends at {100 * lost.high:+.1f} points: "
        + ("0 is not in it." if lost.high < 0 else "0 is in it, so no difference is shown."),
        hints={
            other: f"Is 0 between {100 * lost.low:+.1f} and {100 * lost.high:+.1f}?",
            "no, other pictures would turn it round": "The interval says how far other pictures might move it.",
        },
    )
    verdict_4 = question_4.check(answer_4.value)
    verdict_4
    return lost, question_4, verdict_4


@app.cell(hide_code=True)
def _(alone_ms):
    answer_5 = mo.ui.number(label="L", step=1)
    mo.vstack(
        [
            mo.md(
                f"""
                ## Choosing L

                **Question 5.** The link gives 0.25 Mbit/s. Which is the *largest* $L$ with which two devices still
                answer sooner than one ({alone_ms:.1f} ms)? Largest, since it loses least.
                """
            ),
            answer_5,
        ]
    )
    return (answer_5,)


@app.cell(hide_code=True)
def _(alone_ms, answer_5, latency_ms):
    slow_ms = {segments: latency_ms(segments, 0.25) for segments in range(1, 10)}
    largest = max(segments for segments, ms in slow_ms.items() if ms < alone_ms)
    question_5 = checks.number(
        largest,
        within=0,
        reason=f"L = {largest} takes {slow_ms[largest]:.1f} ms, L = {largest + 1} takes {slow_ms[largest + 1]:.1f} ms.",
        hint="Set the slider to 0.25: points left of the dashed line are sooner. Between two points, count on: each "
        f"further mean costs {slow_ms[2] - slow_ms[1]:.1f} ms.",
        mistakes={largest + 1: f"That takes {slow_ms[largest + 1]:.1f} ms, which is later."},
    )
    verdict_5 = question_5.check(answer_5.value)
    verdict_5
    return largest, question_5, slow_ms, verdict_5


@app.cell(hide_code=True)
def _():
    answer_6 = mo.ui.radio(
        ["sending the means", "the latency of the link", "computing"], label="the largest part with L = 1"
    )
    mo.vstack(
        [
            mo.md(
                "**Question 6.** The link gives 20 Mbit/s, and $L = 1$: the smallest message that there is. What is "
                "the largest part of the latency then?"
            ),
            answer_6,
        ]
    )
    return (answer_6,)


@app.cell(hide_code=True)
def _(answer_6, scenario):
    least = simulate(scenario.with_overrides({"strategy.segments": 1, "network.bandwidth": "20 Mbit/s"})).breakdown_s
    question_6 = checks.choice(
        "computing",
        reason=f"Computing {least['compute'] * 1e3:.1f} ms, the link's latency {least['propagation'] * 1e3:.1f} ms, "
        f"sending {least['transfer'] * 1e3:.2f} ms. Where nothing is left to compress, no dial of PRISM helps.",
        hints={
            "sending the means": "One row of 48 numbers at 20 Mbit/s takes 77 µs.",
            "the latency of the link": "It is 1 ms for each exchange. What do the devices do between two exchanges?",
        },
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
        "05_compression_rate",
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

    - $L$, the compression rate and the bytes saved are one dial. Most of the bytes are saved early: CR 10 saves 90 %.
    - The loss belongs to the model and the data, the gain to the link and the devices. Look at both, in one picture.
    - An accuracy without an interval says little; compare two on the *same* examples, by their difference.
    - A model can be trained on *through* the split and win most of the loss back: `prism-sim finetune`.

    **Read next:** lesson 6, where all devices share one channel. `docs/accuracy.md` has five tasks, rivals of the
    means at equal bytes, and fine-tuning. On the command line: `prism-sim accuracy scenarios/accuracy-digits.yaml`.
    """)
    return


if __name__ == "__main__":
    app.run()
