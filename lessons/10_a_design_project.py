import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="10. A design project")

with app.setup:
    import re

    import altair as alt
    import checks
    import marimo as mo
    import pandas as pd
    from scenario_text import scenario_of

    import prism_sim
    from prism_sim import strategies
    from prism_sim.figures.style import PART_COLOURS
    from prism_sim.simulation.memory import demands
    from prism_sim.simulation.simulate import simulate
    from prism_sim.why.what_if import what_ifs


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # 10. A design project

    **Time:** about 30 minutes, more if you look for the cheapest. **You need:** lessons 1, 3, 6 and 7.

    A customer has a wish, a shop has boards, and you have a simulator. At the end you hand in a scenario file that
    meets every demand, with a report that says why. There are several right answers and many that look right.
    Afterwards you will have

    - turned a wish into numbers that a scenario can be held against,
    - ruled out most of the shop with three divisions, before simulating anything,
    - found out which demand decides, and how far your design is from breaking it.
    """)
    return


@app.cell(hide_code=True)
def _(limits, workload):
    mo.md(f"""
    ## The brief

    A library wants a reading aid for people who cannot see well. They ask about the page before them, and the answer is
    *spoken*. No word may leave the house. It runs Llama 3.1 8B; a trial showed that weights in `q4_0` make too many
    mistakes, `q8_0` makes none that anybody noticed.

    | demand | limit | why |
    |---|---|---|
    | length | {workload["tokens"]} tokens in, {workload["new_tokens"]} out | what people asked in the trial |
    | first token | {limits["ttft_s"]:g} s | longer silences are taken for a failure |
    | each later token | {limits["tpot_s"] * 1e3:g} ms | speech has about 150 words a minute, 0.75 words a token |
    | memory of the fullest board | {limits["memory"]:.0%} of it | the rest is the system's |
    | energy of an answer | {limits["energy_j"]:g} J | the reading room's one socket, and its budget |
    | price | {limits["price"]:g} euro | boards and network |
    | text | the model's own | an answer that is not the model's cannot be tested |

    Spoken text needs $150 / 60 / 0.75 \\approx 3.3$ tokens a second: one every 300 ms.
    """)
    return


@app.cell
def _():
    workload = {"tokens": 128, "new_tokens": 64}
    limits = {"ttft_s": 7.0, "tpot_s": 0.3, "memory": 0.8, "energy_j": 1200.0, "price": 600.0}
    # euro; an assumption of this lesson, as prices change and differ
    prices = {
        "raspberry-pi-4": 60,
        "raspberry-pi-5": 90,
        "jetson-nano": 120,
        "intel-n100": 150,
        "intel-n150": 190,
        "jetson-orin-nano": 270,
    }
    # euro, once and for each board
    networks = {"gigabit-ethernet": (20, 10), "fast-ethernet": (10, 5), "wifi-5-raspberry-pi-5": (40, 0)}
    return limits, networks, prices, workload


@app.cell(hide_code=True)
def _(networks, prices):
    def window():
        """The shop's boards as the package's presets have them."""
        for preset, price in prices.items():
            text = (
                "{model: {preset: llama-3.1-8b}, network: {preset: gigabit-ethernet}, strategy: {name: single}, "
                f"workload: {{tokens: 8}}, devices: [{{preset: {preset}, runtime: llama.cpp}}]}}"
            )
            (device,) = scenario_of(text).devices
            yield {
                "preset": preset,
                "euro": price,
                "memory (GB)": round(device.memory_bytes / 1e9, 2),
                "reads (GB/s)": round(device.memory_bytes_per_s / 1e9, 1),
                "computes q8_0 (GFLOP/s)": round((device.q8_0_flops_per_s or device.flops_per_s) / 1e9),
                "idle, busy (W)": f"{device.idle_w:g}, {device.busy_w:g}",
            }

    shop = list(window())
    cables = ", ".join(f"`{name}` {once} + {each} a board" for name, (once, each) in networks.items())
    mo.vstack(
        [
            mo.md("## The shop\n\nAll boards run llama.cpp (`runtime: llama.cpp`)."),
            mo.ui.table(shop, selection=None, pagination=False, show_download=False),
            mo.md(f"Networks, in euro: {cables}."),
        ]
    )
    return (shop,)


@app.cell(hide_code=True)
def _():
    answer_1 = mo.ui.number(label="GB")
    mo.vstack(
        [
            mo.md(
                "## Three divisions first\n\n**Question 1.** Llama 3.1 8B has 8.03 billion weights. `q8_0` keeps 32 "
                "of them in 34 bytes. How many GB ($10^9$ bytes) is that?"
            ),
            answer_1,
        ]
    )
    return (answer_1,)


@app.cell
def _(answer_1, workload):
    one_board = scenario_of(
        "{model: {preset: llama-3.1-8b, dtype: float16, weight_dtype: q8_0}, network: {preset: gigabit-ethernet}, "
        f"strategy: {{name: single}}, workload: "
        f"{{tokens: {workload['tokens']}, new_tokens: {workload['new_tokens']}}}, "
        "devices: [{preset: jetson-orin-nano, runtime: llama.cpp}]}"
    )
    weights_gb = sum(simulate(one_board).plan.weight_bytes) / 1e9
    question_1 = checks.number(
        weights_gb,
        unit="GB",
        reason=f"8.03 x 34 / 32 = 8.53; the package's plan has {weights_gb:.2f} GB, norms in float32 included.",
        hint="Weights times bytes a weight, which is 34 / 32.",
        mistakes={
            8.03: "A group of 32 also has its scale: 34 bytes, not 32.",
            8.03 * 34: "34 bytes are for 32 weights together.",
        },
    )
    verdict_1 = question_1.check(answer_1.value)
    verdict_1
    return question_1, verdict_1, weights_gb


@app.cell(hide_code=True)
def _():
    answer_2 = mo.ui.number(label="boards")
    mo.vstack(
        [
            mo.md(
                "**Question 2.** A board of 8 GiB has 8.59 GB, of which 80 % may be used. Over how many of them must "
                "the weights be spread, at least?"
            ),
            answer_2,
        ]
    )
    return (answer_2,)


@app.cell
def _(answer_2, weights_gb):
    usable_gb = 0.8 * 8 * 2**30 / 1e9
    question_2 = checks.number(
        -(-weights_gb // usable_gb),
        unit="boards",
        within=0,
        reason=f"{weights_gb:.2f} GB do not go into {usable_gb:.2f} GB, but into twice that. And they must be "
        "*spread*: where every board keeps all weights, as with PRISM and Voltage, more boards do not help.",
        hint="Weights divided by what is usable of a board, and up to the next whole board.",
        mistakes={1: "It would take 99.6 % of the board; 80 % are allowed."},
    )
    verdict_2 = question_2.check(answer_2.value)
    verdict_2
    return question_2, verdict_2


@app.cell(hide_code=True)
def _():
    answer_3 = mo.ui.number(label="boards")
    mo.vstack(
        [
            mo.md(
                "**Question 3.** A token reads every weight once (lesson 7), in at most 300 ms, and a Raspberry Pi 5 "
                "reads 10.8 GB/s. How many of them are needed at least, if the network cost nothing?"
            ),
            answer_3,
        ]
    )
    return (answer_3,)


@app.cell
def _(answer_3, limits, weights_gb):
    needed_gb_per_s = weights_gb / limits["tpot_s"]
    question_3 = checks.number(
        -(-needed_gb_per_s // 10.8),
        unit="boards",
        within=0,
        reason=f"{weights_gb:.2f} GB in 300 ms are {needed_gb_per_s:.1f} GB/s, which three boards read together. The "
        "network and the launches come on top, and heads must go into whole shares: so it will rather be four.",
        hint="GB a token divided by seconds a token is the bandwidth that all boards must have together.",
        mistakes={4: "By this bound three would do; why it becomes four, the simulator will tell."},
    )
    verdict_3 = question_3.check(answer_3.value)
    verdict_3
    return question_3, verdict_3


@app.cell
def _(limits, networks, prices, workload):
    def not_for_sale(tree):
        """What a design states that the customer or the shop does not allow."""
        model, network = tree.get("model", {}), tree.get("network", {})
        if model.get("preset") != "llama-3.1-8b":
            yield "model: the customer runs llama-3.1-8b"
        if model.get("weight_dtype") == "q4_0":
            yield "model.weight_dtype: q4_0 makes too many mistakes"
        for key in model.keys() - {"preset", "dtype", "weight_dtype", "wire_dtype"}:
            yield f"model: {key} is stated, but the model is the customer's"
        if tree.get("workload") != workload:
            yield f"workload: the customer asks for {workload}"
        for board in tree.get("devices", []):
            if board.get("preset") not in prices:
                yield f"devices: {board.get('preset')} is not in the shop"
            for key in board.keys() - {"name", "preset", "runtime", "count"}:
                yield f"devices: {key} is stated, but boards come as they are"
        if network.get("preset") not in networks:
            yield f"network: {network.get('preset')} is not in the shop"
        for key in network.keys() - {"preset", "collective"}:
            yield f"network: {key} is stated, but networks come as they are"

    def price_of(tree):
        counts = {}
        for board in tree["devices"]:
            counts[board["preset"]] = counts.get(board["preset"], 0) + board.get("count", 1)
        once, each = networks[tree["network"]["preset"]]
        return once + sum(count * (prices[preset] + each) for preset, count in counts.items())

    def judged(text):
        """The design's answer, and each demand: what it is, limit, the design's figure, met or not.

        Raises ScenarioError where the file is wrong, or does not fit the memory; ValueError for what is not for sale.
        """
        scenario = scenario_of(text)
        tree = scenario.written.source.tree
        if faults := list(not_for_sale(tree)):
            raise ValueError("; ".join(faults))
        answer = prism_sim.run(scenario, numerics=False, advise=False)
        simulation, written = answer.simulation, answer.simulation.generation
        fullest = max(one.resident_bytes / one.have_bytes for one in demands(simulation))
        own_text = strategies.find(simulation.job.strategy).lossless(simulation.job.options)
        price, energy_j = price_of(tree), simulation.total_energy_j
        return answer, [
            ("first token", f"{limits['ttft_s']:g} s", f"{written.ttft_s:.2f} s", written.ttft_s <= limits["ttft_s"]),
            (
                "each later token",
                f"{limits['tpot_s'] * 1e3:g} ms",
                f"{written.tpot_s * 1e3:.0f} ms",
                written.tpot_s <= limits["tpot_s"],
            ),
            ("memory", f"{limits['memory']:.0%}", f"{fullest:.0%}", fullest <= limits["memory"]),
            ("energy of an answer", f"{limits['energy_j']:g} J", f"{energy_j:.0f} J", energy_j <= limits["energy_j"]),
            ("price", f"{limits['price']:g} euro", f"{price} euro", price <= limits["price"]),
            ("text", "the model's own", "the model's own" if own_text else "another", own_text),
        ]

    return (judged,)


@app.cell
def _():
    first_try = """\
name: Reading aid, a first try
model: {preset: llama-3.1-8b, dtype: float16, weight_dtype: q8_0, wire_dtype: q8_0}
workload: {tokens: 128, new_tokens: 64}
devices:
  - {preset: raspberry-pi-5, runtime: llama.cpp, count: 2}
network: {preset: wifi-5-raspberry-pi-5}
strategy: {name: pipeline}
"""
    return (first_try,)


@app.cell(hide_code=True)
def _(first_try):
    answer_4 = mo.ui.code_editor(first_try, language="yaml", label="design.yaml")
    mo.vstack(
        [
            mo.md(
                "## The design\n\n**Question 4.** Change this scenario until all demands are met: boards, their "
                "number, network, strategy (`prism-sim list strategies`), how weights are kept. What is misspelt is "
                "answered with its place; what does not fit, with what would."
            ),
            answer_4,
        ]
    )
    return (answer_4,)


@app.cell
def design_verdict(answer_4, first_try, judged):
    def hint_of(text):
        try:
            _answer, rows = judged(text)
        except ValueError as error:
            told = re.sub(r"\S*/lesson[.]yaml", "design.yaml", str(error))
            return f"\n\n```text\n{told}\n```"
        missed = [f"{what} {has}, but the limit is {limit}" for what, limit, has, met in rows if not met]
        return f"Not met: {'; '.join(missed)}." if missed else None

    question_4 = checks.Question(
        hint_of,
        reason="Every demand is met. Look at how much room each has left, and hand in the files below.",
        is_blank=lambda given: not given or given.strip() == first_try.strip(),
    )
    verdict_4 = question_4.check(answer_4.value)
    verdict_4
    return hint_of, question_4, verdict_4


@app.cell(hide_code=True)
def _(answer_4, judged):
    def design():
        """The answer and the demands of what is written above; nothing where it cannot be simulated."""
        try:
            return judged(answer_4.value)
        except ValueError:  # which the verdict above tells
            return None, []

    answer, rows = design()
    if answer is None:
        judgement = mo.md("*This design cannot be simulated as it stands: see above.*")
    else:
        demanded = [
            {"demand": what, "limit": limit, "this design": has, "met": "yes" if met else "no"}
            for what, limit, has, met in rows
        ]
        written = answer.simulation.generation
        passes = {
            "to the first token": written.prompt_breakdown_s,
            "each later token": written.step_breakdown_s,
        }
        shares = pd.DataFrame(
            [
                {"pass": which, "part": part, "seconds": seconds}
                for which, parts in passes.items()
                for part, seconds in parts.items()
                if seconds
            ]
        )
        order = [part for part in PART_COLOURS if part in set(shares["part"])]
        bars = (
            alt.Chart(shares, width="container", height=90, title="Where the time of each pass goes")
            .mark_bar()
            .encode(
                x=alt.X("seconds", stack="normalize", title="part of the pass", axis=alt.Axis(format="%")),
                y=alt.Y("pass", title=None, sort=list(passes)),
                color=alt.Color("part", scale=alt.Scale(domain=order, range=[PART_COLOURS[part] for part in order])),
                tooltip=["pass", "part", alt.Tooltip("seconds", format=".3f")],
            )
            .configure_legend(orient="bottom")
        )
        judgement = mo.vstack([mo.ui.table(demanded, selection=None, pagination=False, show_download=False), bars])
    judgement
    return answer, rows


@app.cell(hide_code=True)
def _():
    answer_5 = mo.ui.radio(
        ["four Raspberry Pi 5", "two Jetson Orin Nano", "both", "neither"], label="still meets every demand"
    )
    mo.vstack(
        [
            mo.md(
                "## How near is it to breaking?\n\n**Question 5.** Two proposals, both with `tensor_parallel` on "
                "`gigabit-ethernet`, meet every demand: four Raspberry Pi 5, or two Jetson Orin Nano. Then the "
                "customer finds that the house has old switches, 100 Mbit/s (`fast-ethernet`). Which one can stay? "
                "Try both above."
            ),
            answer_5,
        ]
    )
    return (answer_5,)


@app.cell
def _(answer_5, first_try, hint_of):
    def proposal(boards, network):
        changed = first_try.replace("pipeline", "tensor_parallel").replace("wifi-5-raspberry-pi-5", network)
        return changed.replace("raspberry-pi-5, runtime: llama.cpp, count: 2", boards)

    offers = {
        "four Raspberry Pi 5": "raspberry-pi-5, runtime: llama.cpp, count: 4",
        "two Jetson Orin Nano": "jetson-orin-nano, runtime: llama.cpp, count: 2",
    }
    said = {
        (name, network): hint_of(proposal(boards, network))
        for name, boards in offers.items()
        for network in ("gigabit-ethernet", "fast-ethernet")
    }
    question_5 = checks.choice(
        "two Jetson Orin Nano",
        reason="The two exchange less among them, and need little of their time for computing, so they have room to "
        f"lose. Of the four: {said['four Raspberry Pi 5', 'fast-ethernet']}",
        hints={
            "four Raspberry Pi 5": "Write it above with `fast-ethernet`, and look at the first token.",
            "both": "Write the four above with `fast-ethernet`, and look at the first token.",
            "neither": "Write the two above with `fast-ethernet`: which demand would they miss?",
        },
    )
    verdict_5 = question_5.check(answer_5.value)
    verdict_5
    return question_5, said, verdict_5


@app.cell(hide_code=True)
def _():
    reasons = mo.ui.text_area(
        label="Two or three sentences: why this design, what you ruled out and by what, what you would measure first",
        full_width=True,
    )
    mo.vstack([mo.md("## The report"), reasons])
    return (reasons,)


@app.cell(hide_code=True)
def _(answer, answer_4, reasons, rows, verdict_4):
    def report_text():
        """Markdown: the design's demands, why, what would help and the scenario file."""
        lines = [f"# {answer.scenario.name}", "", "| demand | limit | this design |", "|---|---|---|"]
        lines += [f"| {what} | {limit} | {has} |" for what, limit, has, _met in rows]
        lines += ["", "## Why", "", reasons.value or "(no reasons given)", "", "## What twice as much would change", ""]
        lines += ["| twice | the whole answer takes |", "|---|---|"]
        changes = what_ifs(answer.scenario, answer.simulation)
        lines += [f"| {one.resource.name} | {one.better_s:.2f} s of {answer.latency_s:.2f} s |" for one in changes]
        return "\n".join([*lines, "", "## Scenario", "", "```yaml", answer_4.value.strip(), "```", ""])

    if verdict_4.state == "right":
        text = report_text()
        files = mo.vstack(
            [
                mo.accordion({"The report": mo.md(text)}),
                mo.hstack(
                    [
                        mo.download(answer_4.value.encode(), "design.yaml", "text/yaml", label="design.yaml"),
                        mo.download(text.encode(), "report.md", "text/markdown", label="report.md"),
                    ],
                    justify="start",
                ),
                mo.md("On the command line, `prism-sim explain design.yaml` says more of the why."),
            ]
        )
    else:
        files = mo.md("*Written once every demand is met.*")
    files
    return


@app.cell(hide_code=True)
def _():
    student = mo.ui.text(label="Your name, for the file")
    mo.vstack([mo.md("## Your answers"), student])
    return (student,)


@app.cell(hide_code=True)
def _(answer_1, answer_2, answer_3, answer_4, answer_5, student, verdict_1, verdict_2, verdict_3, verdict_4, verdict_5):
    results = checks.Results(
        "10_a_design_project",
        student.value,
        [one.value for one in (answer_1, answer_2, answer_3, answer_4, answer_5)],
        [verdict_1, verdict_2, verdict_3, verdict_4, verdict_5],
    )
    results
    return (results,)


@app.cell(hide_code=True)
def _():
    mo.md("""
    ## What to take along

    - Bounds come first: bytes by memory, bytes by bandwidth. They take a minute and leave few designs.
    - A demand without a number cannot be met; find out why the number is what it is, and how hard it is.
    - The design that is best on paper may be the first to break. Ask what happens at half the bandwidth.
    - One board is a design too, and often the right one. Here the memory forbids it.
    - What you would sign depends on numbers that nobody measured on your boards: lesson 9.

    **Read next:** `prism-sim search` looks for the front of several objectives (price is no field; give it devices to
    choose from), `prism-sim breakeven` for the point where a design flips. Then take a question of your own: copy your
    `design.yaml`, and change the model.
    """)
    return


if __name__ == "__main__":
    app.run()
