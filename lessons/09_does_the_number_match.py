import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="9. Does the number match?")

with app.setup:
    import json
    import subprocess
    import sys
    from dataclasses import replace
    from functools import cache
    from pathlib import Path
    from tempfile import TemporaryDirectory

    import altair as alt
    import checks
    import marimo as mo
    import numpy as np
    import pandas as pd
    from scenario_text import scenario_of

    from prism_sim.boards.cases import work
    from prism_sim.boards.facts import boards
    from prism_sim.boards.left_out import unseen_of
    from prism_sim.boards.rows import board_rows
    from prism_sim.calibration.cases import cases
    from prism_sim.calibration.fit import fit
    from prism_sim.calibration.table import ORIN_NANO, MeasuredRow, MeasuredTable, read_table

    @cache
    def fitted(without=None):
        """Of the six rows, but one; kept, as it takes a while. One start of the search is enough here, `prism-sim fit`
        takes eight.

        Returns the fit, and what it predicts of the row that is left out, in seconds.
        """
        paper = """
        name: ViT-Base on two Jetson Orin Nano
        model: {preset: vit-base-patch16-224}
        workload: {batch: 8}
        placement: {input: replicated, output: in_place}
        devices: [{preset: jetson-orin-nano, count: 2}]
        network: {preset: wifi-6e, medium: switch, bandwidth: 400 Mbit/s}
        strategy: {name: prism, segments: 10}
        """
        scenario, table = scenario_of(paper), read_table(ORIN_NANO)
        rows = tuple(row for place, row in enumerate(table.rows) if place != without)
        found = fit(replace(table, rows=rows), scenario, n_starts=1)
        if without is None:
            return found, None
        (case,) = cases(replace(table, rows=(table.rows[without],)), scenario)
        return found, case.predicted_s(found.values)["total"]


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # 9. Does the number match?

    **Time:** about 30 minutes. **You need:** lessons 1 and 2.

    A simulator always answers. Whether the answer is right is another question, and "it fits the measurements" is not
    the answer to it if the numbers were fitted to those same measurements. Afterwards you will know

    - how a board's numbers come out of measured rows, and what is minimised,
    - why an error is stated for rows that the fit *has not seen*, and how much larger it is,
    - what an interval of a fit promises, and what it does not.
    """)
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## One number by hand

    Lesson 7 said that reading bounds a token. If that is right, a board has one number that matters, its memory
    bandwidth $b$, and a token takes $\hat t_i = x_i / b$, where $x_i$ are the bytes that the simulator's plan of row
    $i$ moves. Below are tokens that other people timed on a Raspberry Pi 5 under llama.cpp. Move $b$ until the line
    goes through the points.

    Errors are relative, so we minimise $\sum_i (\ln \hat t_i - \ln t_i)^2$: 10 % too slow counts the same for a token
    of 0.1 s as for one of 0.8 s.
    """)
    return


@app.cell
def _():
    board = boards()["raspberry-pi-5"]
    of_board = [row for row in board_rows() if row.device == board.name]
    decode = [row for row in of_board if row.runtime == "llama.cpp" and row.phase == "decode" and row.left_out is None]
    read_bytes = np.array([work(row).kernels[:, 1].sum() for row in decode])
    token_s = np.array([row.seconds for row in decode])
    return board, decode, of_board, read_bytes, token_s


@app.cell(hide_code=True)
def _():
    bandwidth = mo.ui.slider(4, 20, 0.2, value=6, show_value=True, label="memory bandwidth b, GB/s")
    bandwidth
    return (bandwidth,)


@app.cell
def _(bandwidth, decode, read_bytes, token_s):
    points = pd.DataFrame({"GB": read_bytes / 1e9, "seconds": token_s, "model": [row.model for row in decode]})
    most_gb = float(points["GB"].max()) * 1.05
    line = pd.DataFrame({"GB": [0, most_gb], "seconds": [0, most_gb / bandwidth.value]})
    errors = read_bytes / (bandwidth.value * 1e9) / token_s - 1
    dots = (
        alt.Chart(points, width="container", height=220, title="Tokens of Raspberry Pi 5, llama.cpp, as published")
        .mark_point(filled=True, size=60, color="#0072B2")
        .encode(
            x=alt.X("GB", title="bytes that a token moves (GB)"),
            y=alt.Y("seconds", title="time of a token (s)"),
            tooltip=["model", alt.Tooltip("GB", format=".2f"), alt.Tooltip("seconds", format=".3f")],
        )
    )
    mo.vstack(
        [
            dots + alt.Chart(line).mark_line(color="#D55E00").encode(x="GB", y="seconds"),
            mo.md(
                f"Errors of {len(errors)} rows: from {errors.min():+.0%} to {errors.max():+.0%}, "
                f"**{np.abs(errors).mean():.1%}** in the mean of their sizes."
            ),
        ]
    )
    return


@app.cell(hide_code=True)
def _():
    answer_1 = mo.ui.number(label="GB/s")
    mo.vstack(
        [
            mo.md(
                "**Question 1.** Which bandwidth fits these rows best? Find it with the slider (the errors to both "
                "sides balance), or compute it: the best $b$ is the geometric mean of $x_i / t_i$. 3 % are near enough."
            ),
            answer_1,
        ]
    )
    return (answer_1,)


@app.cell
def _(answer_1, board, decode, read_bytes, token_s):
    best_gb = float(np.exp(np.mean(np.log(read_bytes / token_s)))) / 1e9
    question_1 = checks.number(
        best_gb,
        unit="GB/s",
        within=0.03,
        reason=f"{best_gb:.1f} GB/s. Before any row, {board.expectation('memory_bandwidth')['value']} was expected of "
        "this board. The package's fit has launches and arithmetic beside it, and 10.8 GB/s in its preset.",
        hint=f"There are {len(decode)} rows: take the logarithm of bytes / seconds of each, average, and undo the "
        "logarithm. Or: at which slider do positive and negative errors balance?",
    )
    verdict_1 = question_1.check(answer_1.value)
    verdict_1
    return best_gb, question_1, verdict_1


@app.cell(hide_code=True)
def _():
    answer_2 = mo.ui.code_editor(
        "def relative_errors(predicted_s, measured_s):\n    ...\n", language="python", label="relative_errors"
    )
    mo.vstack(
        [
            mo.md(
                "**Question 2.** Complete the function: the relative error of each row, predicted over measured, less "
                "one (+0.1: predicted 10 % too long). Both arguments are arrays. It is compared with the package's "
                f"own fit report on {checks.N_DRAWS} random tables."
            ),
            answer_2,
        ]
    )
    return (answer_2,)


@app.cell
def _(answer_2, published):
    def reported(predicted_s, measured_s):
        rows = [MeasuredRow(1, "single", 1, None, 1, None, {"total": float(one)}) for one in measured_s]
        of_table = replace(published, table=MeasuredTable(Path("random"), tuple(rows)))
        return of_table.errors([{"total": float(one)} for one in predicted_s])

    def draw(rng):
        n = int(rng.integers(2, 9))
        measured_s = rng.uniform(0.01, 2, n)
        return measured_s * rng.uniform(0.5, 1.5, n), measured_s

    question_2 = checks.function(
        "relative_errors",
        like=reported,
        draw=draw,
        reason="predicted / measured - 1. Say which one is below the line: 'twice as long' is +100 % of the measured "
        "time, but half of the predicted.",
    )
    verdict_2 = question_2.check(answer_2.value)
    verdict_2
    return question_2, verdict_2


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Seen and unseen

    The package fits all numbers of a board together: a bandwidth, a launch and a rate for each runtime and type of
    weights. With enough numbers anything fits. The honest test is to **leave a model out**, fit the rest, and predict
    it. `prism-sim validate --parts boards` does that for every model of every board; here are those of the Raspberry
    Pi 5.
    """)
    return


@app.cell
def _(board, of_board):
    unseen = [one for one in unseen_of(board, of_board) if one.unseen_s is not None]
    compared = pd.DataFrame(
        [
            {
                "row": one.row.name.split(":")[0].replace(", token after ", ", after "),
                "fit": how,
                "error": predicted_s / one.row.seconds - 1,
            }
            for one in unseen
            for how, predicted_s in (("seen", one.fitted_s), ("model unseen", one.unseen_s))
        ]
    )
    sizes = compared.assign(size=compared["error"].abs()).groupby("fit")["size"].median()
    strips = (
        alt.Chart(compared, width="container", height=320, title="Relative error of each row")
        .mark_point(filled=True, size=50)
        .encode(
            x=alt.X("error", axis=alt.Axis(format="+%"), title="relative error"),
            y=alt.Y("row", title=None, axis=alt.Axis(labelLimit=170)),
            color=alt.Color("fit", title="the fit", scale=alt.Scale(range=["#D55E00", "#0072B2"])),
            shape=alt.Shape("fit", title="the fit"),
            tooltip=["row", "fit", alt.Tooltip("error", format="+.1%")],
        )
        .configure_legend(orient="bottom")
    )
    mo.vstack(
        [
            strips,
            mo.md(
                f"Half of the rows are within {sizes['seen']:.1%} of a fit that has seen them, and within "
                f"**{sizes['model unseen']:.1%}** of one that has not."
            ),
        ]
    )
    return (unseen,)


@app.cell(hide_code=True)
def _():
    answer_3 = mo.ui.number(label="%")
    mo.vstack(
        [
            mo.md(
                "**Question 3.** Somebody measured reading a prompt of 109 tokens with Llama 2 7B in `q4_0` on this "
                "board. By how many per cent is a fit off that has never seen this model? (+: too long. Point at the "
                "dots.)"
            ),
            answer_3,
        ]
    )
    return (answer_3,)


@app.cell
def _(answer_3, unseen):
    llama = next(one for one in unseen if one.row.model == "llama-2-7b" and one.row.phase == "prefill")
    off = 100 * (llama.unseen_s / llama.row.seconds - 1)
    question_3 = checks.number(
        off,
        unit="%",
        within=0.05,
        reason=f"Measured {llama.row.seconds:.1f} s, predicted {llama.unseen_s:.1f} s. With its own row in the fit it "
        f"is {llama.fitted_s / llama.row.seconds - 1:+.0%}: the row itself pulled the numbers its way.",
        hint="The dot 'model unseen', in the line of llama-2-7b, 109 tokens.",
        mistakes={
            100 * (llama.fitted_s / llama.row.seconds - 1): "That is the fit that has seen the row.",
            off / 100: "In per cent.",
        },
    )
    verdict_3 = question_3.check(answer_3.value)
    verdict_3
    return question_3, verdict_3


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Several boards: six rows, seven numbers

    Table 4 of [arXiv 2605.25682](https://arxiv.org/abs/2605.25682) has six runs of ViT-Base on Jetson Orin Nano: alone,
    with PRISM and with Voltage on two, each for a batch of 1 and of 8, with times for compute, staging and
    communication. `prism-sim fit` finds seven numbers of the board and the network that explain them best: this is
    where the preset comes from. Choose a row to leave out, and the other five are fitted anew.
    """)
    return


@app.cell
def _():
    table = read_table(ORIN_NANO)
    published, _unseen_s = fitted()
    return published, table


@app.cell(hide_code=True)
def _(table):
    left_out = mo.ui.dropdown({row.name: place for place, row in enumerate(table.rows)}, label="leave out", value=None)
    left_out
    return (left_out,)


@app.cell
def _(left_out, published, table):
    def compared_totals(place):
        """Measured and predicted totals; the row that is left out, if one is, by a fit without it."""
        found, left_out_s = fitted(place)
        by_row = dict(zip((row.name for row in found.table.rows), found.predicted_s, strict=True))
        for number, row in enumerate(table.rows):
            unseen_row = number == place
            predicted_s = left_out_s if unseen_row else by_row[row.name]["total"]
            yield {"row": row.name, "time": "measured", "ms": 1e3 * row.total_s}
            yield {"row": row.name, "time": "predicted, unseen" if unseen_row else "predicted", "ms": 1e3 * predicted_s}

    totals = pd.DataFrame(list(compared_totals(left_out.value)))
    bars = (
        alt.Chart(totals, width="container", height=260, title="Six published runs")
        .mark_bar()
        .encode(
            x=alt.X("ms", title="latency (ms)"),
            y=alt.Y("row", sort=None, title=None, axis=alt.Axis(labelLimit=130)),
            yOffset="time",
            color=alt.Color(
                "time",
                title=None,
                scale=alt.Scale(
                    domain=["measured", "predicted", "predicted, unseen"], range=["#999999", "#0072B2", "#D55E00"]
                ),
            ),
            tooltip=["row", "time", alt.Tooltip("ms", format=".0f")],
        )
        .configure_legend(orient="bottom")
    )
    if left_out.value is None:
        off_by = [abs(error) for error in published.errors()]
        told = f"All six fitted: {np.mean(off_by):.1%} off in the mean, {max(off_by):.1%} at most."
    else:
        row_out, unseen_s = table.rows[left_out.value], fitted(left_out.value)[1]
        told = (
            f"{row_out.name}, not seen: measured {1e3 * row_out.total_s:.0f} ms, predicted {1e3 * unseen_s:.0f} ms, "
            f"**{unseen_s / row_out.total_s - 1:+.1%}**."
        )
    mo.vstack([bars, mo.md(told)])
    return


@app.cell(hide_code=True)
def _():
    answer_4 = mo.ui.number(label="%")
    mo.vstack(
        [
            mo.md(
                "**Question 4.** Leave out each of the six rows in turn and note its error. What is the mean of their "
                "*sizes*, in per cent? (10 % of it are near enough.)"
            ),
            answer_4,
        ]
    )
    return (answer_4,)


@app.cell
def _(answer_4, published, table):
    seen_off = float(np.mean([abs(error) for error in published.errors()]))

    def hint_of(given):
        """Fits six times, so only once there is an answer."""
        off_by = np.array([fitted(place)[1] / row.total_s - 1 for place, row in enumerate(table.rows)])
        rule = checks.number(
            100 * float(np.abs(off_by).mean()),
            unit="%",
            within=0.1,
            reason="",
            hint="Six numbers, each without its sign; add and divide by six.",
            mistakes={
                100 * seen_off: "That is the fit which has seen all six.",
                100 * abs(float(off_by.mean())): "Errors of both signs cancel: take their sizes first.",
            },
        )
        return rule.hint_of(given)

    question_4 = checks.Question(
        hint_of,
        reason=f"About ten per cent, and twenty at worst, where the fit to all six is off by {seen_off:.1%}. That is "
        "what to expect of a run of this kind that nobody has measured.",
    )
    verdict_4 = question_4.check(answer_4.value)
    verdict_4
    return question_4, seen_off, verdict_4


@app.cell(hide_code=True)
def _(published):
    answer_5 = mo.ui.radio(
        [
            "straight lines, for they have no error",
            "neither: with as many numbers as rows a line must go through, so its error says nothing",
            "the simulator, for it has more numbers",
        ],
        label="better is",
    )
    mo.vstack(
        [
            mo.md(
                "**Question 5.** A colleague draws a straight line over the batch (1 and 8) for each way of running "
                f"and each of its times: {published.lines.n_parameters} numbers for {published.table.n_numbers} "
                f"measured ones, and an error of 0.0 %. The simulator has {len(published.found)} numbers and an error "
                "of 2 %. Which model is shown to be better by that?"
            ),
            answer_5,
        ]
    )
    return (answer_5,)


@app.cell
def _(answer_5, published):
    question_5 = checks.choice(
        "neither: with as many numbers as rows a line must go through, so its error says nothing",
        reason=f"A line through two points has no error whatever they are ({published.lines.n_parameters} numbers, "
        "none left over to be wrong). It also says nothing of other networks, shares or models; the simulator's "
        "numbers do.",
        hints={
            "straight lines, for they have no error": "How many points has each line, and how many numbers has a line?",
            "the simulator, for it has more numbers": "It has fewer, and fewer is what makes an error mean something.",
        },
    )
    verdict_5 = question_5.check(answer_5.value)
    verdict_5
    return question_5, verdict_5


@app.cell(hide_code=True)
def _(published):
    numbers = [
        {
            "number": one.parameter.name,
            "fitted": one.parameter.text(one.value, 3),
            "95 % interval": f"{one.parameter.text(one.low, 3)} to {one.parameter.text(one.high, 3)}",
            "high / low": round(one.high / one.low, 1),
        }
        for one in published.found
    ]
    mo.vstack(
        [
            mo.md(
                f"## What an interval says\n\n{published.table.n_numbers} measured numbers, {len(published.found)} "
                f"fitted ones: {published.degrees_of_freedom} are left to judge by. How sharply the error rises "
                "around the best fit gives each number an interval. `prism-sim run` samples such intervals for the "
                "range beside its answer."
            ),
            mo.ui.table(numbers, selection=None, pagination=False, show_download=False),
        ]
    )
    return


@app.cell(hide_code=True)
def _():
    answer_6 = mo.ui.radio(
        [
            "the latency of my run lies in the range with that confidence",
            "the fitted numbers are known that well, if the model is right",
            "other boards of this kind differ by that much",
        ],
        label="it says",
    )
    mo.vstack([mo.md("**Question 6.** What does a range that comes from these intervals promise?"), answer_6])
    return (answer_6,)


@app.cell
def _(answer_6):
    question_6 = checks.choice(
        "the fitted numbers are known that well, if the model is right",
        reason="What the model leaves out comes on top, and numbers without an interval (assumptions, your network) "
        "count as exact. Rows that the fit has not seen show the whole error.",
        hints={
            "the latency of my run lies in the range with that confidence": "Then unseen rows would mostly lie within "
            "it; and what of the numbers that have no interval?",
            "other boards of this kind differ by that much": "These rows come from one pair of boards in one study.",
        },
    )
    verdict_6 = question_6.check(answer_6.value)
    verdict_6
    return question_6, verdict_6


@app.cell(hide_code=True)
def _():
    measure = mo.ui.switch(value=False, label="measure on this machine (about a minute, loads PyTorch)")
    mo.vstack(
        [
            mo.md(
                "## This machine\n\nThe strictest test: time single kernels and messages here, predict a run of "
                "several processes from these numbers *alone*, then run it. Leave the machine in peace meanwhile; on "
                "one that is busy with other things, kernels and runs are measured under different loads."
            ),
            measure,
        ]
    )
    return (measure,)


@app.cell
def this_machine(measure):
    dims = {
        "model_type": "bert",
        "hidden_size": 256,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "intermediate_size": 1024,
        "vocab_size": 1000,
        "max_position_embeddings": 512,
    }

    def measured_here():
        """A device and a link as measured, and a run of two processes beside what they predict."""
        from prism_sim.calibration.measure import measure_device
        from prism_sim.live.link import measure_link

        device = measure_device(dims, name="core", busy=1, rounds=4)
        sections = device.to_yaml() + "    count: 2\n" + measure_link(seconds=4.0).to_yaml()
        rest = "workload: {batch: 4, tokens: 256}\nstrategy: {name: voltage}\n"
        with TemporaryDirectory() as folder:
            path = Path(folder) / "here.yaml"
            path.write_text(f"model: {{dims: {json.dumps(dims)}}}\n{sections}{rest}", encoding="utf-8")
            command = [sys.executable, "-m", "prism_sim.cli", "live", str(path), "--json", "-"]
            ran = subprocess.run(command, capture_output=True, text=True, check=True)
        return sections, json.loads(ran.stdout)

    def measured_text():
        from prism_sim.live.launcher import LiveError

        try:
            here_text, here = measured_here()
        except LiveError as error:
            return f"It failed: {error}"
        except subprocess.CalledProcessError as error:
            return f"It failed: {error.stderr}"
        return (
            f"```yaml\n{here_text}```\n\nTwo processes: measured **{1e3 * here['measured']['latency_s']:.1f} ms**, "
            f"predicted **{1e3 * here['predicted']['latency_s']:.1f} ms**."
        )

    if measure.value:
        found_here = mo.md(measured_text())
    else:
        found_here = mo.md(
            "*Not measured: the switch is off.* When 150 such runs were last compared (docs/trust.md), half of them "
            "were within 4.6 % of the prediction, and the worst 19 % off."
        )
    found_here
    return


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
        "09_does_the_number_match",
        student.value,
        [one.value for one in (answer_1, answer_2, answer_3, answer_4, answer_5, answer_6)],
        [verdict_1, verdict_2, verdict_3, verdict_4, verdict_5, verdict_6],
    )
    results
    return (results,)


@app.cell(hide_code=True)
def _(seen_off):
    mo.md(f"""
    ## What to take along

    - Quote the error of rows that the fit has not seen: ten per cent here, not {seen_off:.0%}.
    - The fewer numbers a model has beside what is measured, the more its error says.
    - *Which of two ways is faster* is safer than *how many milliseconds*: many errors hit both ways alike.
    - Every preset number of the package has a source or says `assumption`; the assumptions are yours to measure.

    **Read next:** lesson 10, your own design. In the repository: docs/trust.md. For your own board: write a row for
    each model that you time (`runtime, model, phase, tokens, seconds`), and
    `prism-sim fit rows.csv --board my-board.yaml`.
    """)
    return


if __name__ == "__main__":
    app.run()
