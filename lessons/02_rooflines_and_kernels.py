import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="2. Rooflines and kernels")

with app.setup:
    import altair as alt
    import checks
    import marimo as mo
    import numpy as np
    import pandas as pd
    from scenario_text import scenario_of

    from prism_sim.devices import Device
    from prism_sim.plan import Kernel
    from prism_sim.simulation.simulate import simulate


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # 2. Rooflines and kernels

    **Time:** about 25 minutes. **You need:** lesson 1 helps; a matrix product should be no stranger.

    How long does a board compute? Its data sheet says how many multiplications it does in a second, and mostly it does
    far fewer, since it waits for memory. Afterwards you will know

    - how to count the operations and the bytes of a matrix product,
    - when memory bounds a kernel and when arithmetic does (the *roofline*),
    - why splitting rows helps the one and not the other, and why writing text a token at a time is slow.
    """)
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## A kernel, two numbers

    A *kernel* is one step that a processor does in one go: a matrix product, a norm, a softmax. Two numbers describe
    it: its FLOPs (a multiplication and an addition are 2) and the bytes that it moves between memory and processor.
    An $n \times a$ matrix times an $a \times b$ one gives $n \times b$ numbers, each a sum of $a$ products:

    $$\text{FLOPs} = 2\,n\,a\,b \qquad\qquad
      \text{bytes} = 4\,\bigl(\underbrace{n a}_{\text{input}} + \underbrace{a b}_{\text{weights}} +
      \underbrace{n b}_{\text{output}}\bigr)$$

    with 4 bytes a number, and everything moved once. (A bias adds $b$ numbers.) A device that does $F$ FLOP/s and moves
    $M$ bytes a second takes, by the roofline of [Williams, Waterman and
    Patterson](https://doi.org/10.1145/1498765.1498785), whichever is longer:

    $$t = t_\text{launch} + \max\left(\frac{\text{FLOPs}}{F},\ \frac{\text{bytes}}{M}\right)$$
    """)
    return


@app.cell
def _():
    text = """
    name: One board
    model: {preset: vit-base-patch16-224}
    devices:
      - {name: board, compute: 40 GFLOP/s, memory_bandwidth: 8 GB/s, memory: 4 GB, count: 4}
    network: {bandwidth: 100 Mbit/s, latency: 1 ms}
    strategy: {name: single}
    """
    scenario = scenario_of(text)
    block = simulate(scenario).plan.computes(0)[0].kernels
    queries = next(kernel for kernel in block if kernel.name == "queries")
    return block, queries, scenario


@app.cell(hide_code=True)
def _(block):
    listed = pd.DataFrame(
        {
            "kernel": [one.name for one in block],
            "MFLOP": [round(one.flops / 1e6, 1) for one in block],
            "MB moved": [round(one.moved_bytes / 1e6, 2) for one in block],
            "FLOP a byte": [round(one.flops / one.moved_bytes, 1) for one in block],
        }
    )
    mo.vstack(
        [
            mo.md(
                "These are the kernels of one block of ViT-Base on 197 tokens of width 768, as the simulator counts "
                "them. `queries` multiplies 197 x 768 by 768 x 768 numbers."
            ),
            mo.ui.table(
                listed,
                selection=None,
                page_size=12,
                show_column_summaries=False,
                show_data_types=False,
                show_search=False,
            ),
        ]
    )
    return


@app.cell(hide_code=True)
def _():
    answer_1 = mo.ui.number(label="MFLOP")
    mo.vstack(
        [
            mo.md(
                "**Question 1.** Work `queries` out by hand, then another model's: BERT-Large on 128 tokens multiplies "
                "128 x 1024 by 1024 x 1024 numbers. How many MFLOP ($10^6$) is that?"
            ),
            answer_1,
        ]
    )
    return (answer_1,)


@app.cell(hide_code=True)
def _(answer_1, scenario):
    large = scenario.with_overrides(
        {"model.preset": "bert-large-uncased", "model.head": "masked_lm", "workload.tokens": 128}
    )
    mflop = next(one.flops for one in simulate(large).plan.computes(0)[0].kernels if one.name == "queries") / 1e6
    question_1 = checks.number(
        mflop,
        unit="MFLOP",
        within=1e-3,
        reason=f"2 x 128 x 1024 x 1024 = {mflop:,.1f} MFLOP, and the simulator counts the same.",
        hint="2 n a b, with n = 128 and a = b = 1024; divide by a million.",
        mistakes={mflop / 2: "A multiplication and an addition are two FLOPs."},
    )
    verdict_1 = question_1.check(answer_1.value)
    verdict_1
    return question_1, verdict_1


@app.cell(hide_code=True)
def _():
    answer_2 = mo.ui.code_editor(
        "def kernel_s(flops, moved_bytes, flops_per_s, bytes_per_s, launch_s):\n    ...\n",
        language="python",
        label="kernel_s",
    )
    mo.vstack(
        [
            mo.md(
                "**Question 2.** Complete the roofline: the seconds that a kernel takes. It is compared with "
                f"`prism_sim.devices.Device` on {checks.N_DRAWS} random kernels and devices."
            ),
            answer_2,
        ]
    )
    return (answer_2,)


@app.cell(hide_code=True)
def _(answer_2):
    def device_kernel_s(flops, moved_bytes, flops_per_s, bytes_per_s, launch_s):
        """The package's own."""
        board = Device("board", flops_per_s=flops_per_s, memory_bytes_per_s=bytes_per_s, op_overhead_s=launch_s)
        return board.kernel_s(Kernel("product", flops, moved_bytes))

    def drawn(rng):
        """FLOPs, bytes, both rates and the launch; either bound as often as the other."""
        return (*(float(10 ** rng.uniform(6, 9)) for _ in range(2)), 1e10, 1e10, float(rng.uniform(0, 1e-3)))

    question_2 = checks.function(
        "kernel_s",
        like=device_kernel_s,
        draw=drawn,
        reason="Arithmetic and memory work at the same time, so the longer of the two counts; the launch comes on top.",
    )
    verdict_2 = question_2.check(answer_2.value)
    verdict_2
    return question_2, verdict_2


@app.cell(hide_code=True)
def _():
    compute = mo.ui.slider(steps=[5, 10, 20, 40, 80, 200, 1000], value=40, show_value=True, label="GFLOP/s")
    memory = mo.ui.slider(steps=[1, 2, 4, 8, 16, 34, 100], value=8, show_value=True, label="GB/s")
    rows = mo.ui.slider(steps=[1, 2, 5, 10, 20, 50, 100, 197], value=197, show_value=True, label="rows (tokens)")
    mo.vstack(
        [
            mo.md(
                """
                ## The roofline

                FLOPs over bytes is a kernel's *intensity*. Below $F/M$, the ridge, memory bounds it; above, arithmetic.
                Each point below is a matrix product of a block of ViT-Base on so many rows; the line is the most that
                the board can do at that intensity. Give it fewer rows: the weights are read all the same.
                """
            ),
            mo.hstack([compute, memory, rows], justify="start"),
        ]
    )
    return compute, memory, rows


@app.cell
def _(block, compute, memory, rows):
    board = Device("board", flops_per_s=compute.value * 1e9, memory_bytes_per_s=memory.value * 1e9)

    def on_rows(kernel, n_rows):
        """The same product on fewer rows: activations shrink, weights do not."""
        activation_bytes = (kernel.moved_bytes - kernel.weight_bytes) * n_rows / 197
        return Kernel(kernel.name, kernel.flops * n_rows // 197, int(activation_bytes) + kernel.weight_bytes)

    products = [one for one in block if one.weight_bytes]
    chosen = [on_rows(one, rows.value) for one in products]
    points = pd.DataFrame(
        {
            "kernel": [one.name for one in chosen],
            "intensity": [one.flops / one.moved_bytes for one in chosen],
            "GFLOP/s": [one.flops / board.kernel_s(one) / 1e9 for one in chosen],
        }
    )
    intensities = np.geomspace(0.1, 200, 100)
    roof = pd.DataFrame({"intensity": intensities, "GFLOP/s": np.minimum(compute.value, memory.value * intensities)})
    axis = alt.X("intensity", scale=alt.Scale(type="log", domain=[0.1, 200]), title="intensity (FLOP a byte)")
    height = alt.Y("GFLOP/s", scale=alt.Scale(type="log"), title="reached (GFLOP/s)")
    line = alt.Chart(roof).mark_line(color="#555555").encode(x=axis, y=height)
    dots = (
        alt.Chart(points)
        .mark_point(filled=True, size=90, opacity=0.8)
        .encode(x=axis, y=height, color=alt.Color("kernel", sort=None), shape="kernel", tooltip=list(points.columns))
    )
    total_s = sum(board.kernel_s(one) for one in chosen)
    picture = (line + dots).properties(width=520, height=260, title=f"Products of a block on {rows.value} rows")
    mo.vstack(
        [
            picture,
            mo.md(
                f"All of them take **{total_s * 1e3:.2f} ms**, {total_s * 1e3 / rows.value:.3f} ms a row; the ridge is "
                f"at {compute.value / memory.value:.3g} FLOP a byte."
            ),
        ]
    )
    return (on_rows,)


@app.cell(hide_code=True)
def _():
    answer_3 = mo.ui.number(label="FLOP a byte")
    mo.vstack(
        [
            mo.md(
                "**Question 3.** Another board reaches 60 GFLOP/s and 12 GB/s (about a Raspberry Pi 5). At which "
                "intensity is its ridge?"
            ),
            answer_3,
        ]
    )
    return (answer_3,)


@app.cell(hide_code=True)
def _(answer_3):
    question_3 = checks.number(
        60 / 12,
        unit="FLOP a byte",
        reason="60 / 12 = 5. A kernel with fewer FLOPs a byte waits for memory, one with more for arithmetic.",
        hint="Where both times are equal: FLOPs / F = bytes / M, so FLOPs / bytes = F / M.",
        mistakes={12 / 60: "That is bytes a FLOP."},
    )
    verdict_3 = question_3.check(answer_3.value)
    verdict_3
    return question_3, verdict_3


@app.cell(hide_code=True)
def _():
    answer_4 = mo.ui.number(label="rows", step=1)
    mo.vstack(
        [
            mo.md(
                "**Question 4.** On that board (ridge 5), from how many rows on does arithmetic bound `queries`, the "
                "768 x 768 product? Take the formulas above with $a = b = 768$, without bias, and give the smallest "
                "whole number."
            ),
            answer_4,
        ]
    )
    return (answer_4,)


@app.cell(hide_code=True)
def _(answer_4):
    def intensity(n_rows, width=768):
        """Of `queries` on so many rows."""
        return 2 * n_rows * width**2 / (4 * (2 * n_rows * width + width**2))

    least_rows = next(n for n in range(1, 198) if intensity(n) >= 5)
    question_4 = checks.number(
        least_rows,
        unit="rows",
        within=0,
        reason=f"{least_rows} rows have {intensity(least_rows):.2f} FLOP a byte, {least_rows - 1} only "
        f"{intensity(least_rows - 1):.2f}. With few rows the weights are nearly all that moves: n / 2 FLOP a byte.",
        hint="Solve 2 n 768² = 5 x 4 (2 n 768 + 768²) for n, and round up.",
        mistakes={
            least_rows - 1: "One row too few: round up.",
            3: "Count 4 bytes a number.",
        },
    )
    verdict_4 = question_4.check(answer_4.value)
    verdict_4
    return least_rows, question_4, verdict_4


@app.cell
def _(scenario):
    writes = scenario.with_overrides(
        {"model.preset": "gpt2", "model.head": "lm", "workload.tokens": 64, "workload.new_tokens": 16}
    )
    text_run = simulate(writes).generation
    return text_run, writes


@app.cell(hide_code=True)
def _(text_run):
    answer_5 = mo.ui.radio(
        ["twice the compute", "twice the memory bandwidth", "both help alike"], label="helps a new token most"
    )
    mo.vstack(
        [
            mo.md(
                f"""
                ## One token at a time

                GPT-2 on this board reads a prompt of 64 tokens in {text_run.ttft_s * 1e3:.0f} ms, and then takes
                {text_run.tpot_s * 1e3:.1f} ms for each new token, which is one row. Per token the prompt took
                {text_run.ttft_s * 1e3 / 64:.1f} ms.

                **Question 5.** What would help a new token most?
                """
            ),
            answer_5,
        ]
    )
    return (answer_5,)


@app.cell(hide_code=True)
def _(answer_5, text_run, writes):
    twice_compute = simulate(writes.with_overrides({"devices[0].compute": "80 GFLOP/s"})).generation.tpot_s
    twice_memory = simulate(writes.with_overrides({"devices[0].memory_bandwidth": "16 GB/s"})).generation.tpot_s
    question_5 = checks.choice(
        "twice the memory bandwidth",
        reason=f"{text_run.tpot_s * 1e3:.1f} ms become {twice_memory * 1e3:.1f} ms, and with twice the compute "
        f"{twice_compute * 1e3:.1f} ms. One row has about half a FLOP a byte: all weights are read for it.",
        hints={
            "twice the compute": "Set the rows to 1 above: on which part of the roof are the points?",
            "both help alike": "Only the longer of the two times counts. Which is it for one row?",
        },
    )
    verdict_5 = question_5.check(answer_5.value)
    verdict_5
    return question_5, twice_compute, twice_memory, verdict_5


@app.cell
def _(block, on_rows):
    pi = Device("board", flops_per_s=60e9, memory_bytes_per_s=12e9)
    product = next(one for one in block if one.name == "queries")
    whole_s, part_s = pi.kernel_s(on_rows(product, 8)), pi.kernel_s(on_rows(product, 4))
    return part_s, whole_s


@app.cell(hide_code=True)
def _():
    answer_6 = mo.ui.number(label="times as fast")
    mo.vstack(
        [
            mo.md(
                """
                ## Splitting rows

                **Question 6.** Eight rows go through `queries` on the board of question 3. Now two such boards take
                four rows each. How many times as fast is the product? (Work it out from bytes: which bound holds?
                10 % are near enough.)
                """
            ),
            answer_6,
        ]
    )
    return (answer_6,)


@app.cell(hide_code=True)
def _(answer_6, part_s, whole_s):
    question_6 = checks.number(
        whole_s / part_s,
        unit="times",
        within=0.1,
        reason=f"{whole_s * 1e6:.0f} µs become {part_s * 1e6:.0f} µs: each board reads all 768 x 768 weights. Rows "
        f"split arithmetic; weights are split by heads and columns, as tensor parallelism does.",
        hint="Below the ridge only bytes count, and nearly all of them are weights, which each board needs whole.",
        mistakes={2.0: "Arithmetic halves, but 8 rows are below the ridge: do the bytes halve?"},
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
        "02_rooflines_and_kernels",
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

    - A kernel takes the longer of its arithmetic and its memory traffic, and a launch.
    - The ridge $F/M$ tells which. Many rows: arithmetic. One row: memory, and so the size of the weights.
    - Splitting rows divides arithmetic and leaves each device all weights to read. Splitting heads and columns divides
      the weights too, and pays with more exchanges.
    - Real processors reach the roof only in part. `prism-sim list devices` shows the numbers that each preset was
      fitted to, and where they come from.

    **Read next:** lesson 3, what the exchanges cost. The roofline's source: Williams, Waterman and Patterson, CACM
    52(4), 2009. In the package: `prism_sim/devices.py`.
    """)
    return


if __name__ == "__main__":
    app.run()
