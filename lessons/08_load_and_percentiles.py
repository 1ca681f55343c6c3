import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="8. Load and percentiles")

with app.setup:
    import math

    import altair as alt
    import checks
    import marimo as mo
    import numpy as np
    import pandas as pd
    import simpy
    from scenario_text import scenario_of

    from prism_sim.figures.style import STRATEGY_STYLES
    from prism_sim.simulation.simulate import simulate


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # 8. Load and percentiles

    **Time:** about 30 minutes. **You need:** lesson 1.

    So far one request came to idle boards. A service gets many, at moments that nobody chooses: some wait for others.
    What its users feel is not the latency of one request but the *response time*, waiting included, and not its mean
    but what the unlucky ones get. Afterwards you will know

    - utilisation, and why waiting grows without limit well before the boards are always busy,
    - percentiles, and why a deadline is stated for the 95th and not for the mean,
    - when it is better to split each request over all boards, and when to deal whole requests to single ones.

    **By hand.** The simulator tells how long one request takes, and how many a second are served when the next is
    always waiting (`throughput_per_s`). It has no arrivals yet. So this lesson builds its queue by hand, in the twenty
    lines below, on [SimPy](https://simpy.readthedocs.io), the library that the simulator's own engine is built on. Only
    the service times are the simulator's.
    """)
    return


@app.cell
def _():
    text = """
    name: BERT-base on three Raspberry Pi 5
    model: {preset: bert-base-uncased, head: sequence_classification}
    workload: {batch: 1, tokens: 256}
    devices: [{name: pi, preset: raspberry-pi-5, count: 3}]
    network: {preset: gigabit-ethernet}
    strategy: {name: prism, segments: 8}
    """
    scenario = scenario_of(text)
    alone = simulate(scenario, "single", (0,))
    split = simulate(scenario)
    dealt = simulate(scenario, "replicas")
    mo.md(f"```yaml{text}```".replace("\n    ", "\n"))
    return alone, dealt, scenario, split


@app.cell(hide_code=True)
def _(alone, dealt, split):
    served = [
        {
            "way": way,
            "latency (s)": round(one.latency_s, 3),
            "requests/s, back to back": round(one.throughput_per_s, 2),
        }
        for way, one in (
            ("one board", alone),
            ("three boards, each request split (prism)", split),
            ("three boards, whole requests dealt in turn (replicas)", dealt),
        )
    ]
    mo.vstack(
        [
            mo.md("## Three ways to serve"),
            mo.ui.table(served, selection=None, pagination=False, show_download=False),
        ]
    )
    return


@app.cell
def queue_by_hand():
    def responses_s(gaps_s, services_s, n_servers=1):
        """Seconds from the arrival of each request to its answer; first come, first served.

        gaps_s: from one arrival to the next. services_s: what each takes once its turn has come.
        """
        env = simpy.Environment()
        servers = simpy.Resource(env, capacity=n_servers)
        found = np.zeros(len(gaps_s))

        def request(number):
            came_s = env.now
            with servers.request() as turn:
                yield turn
                yield env.timeout(services_s[number])
            found[number] = env.now - came_s

        def arrivals():
            for number, gap_s in enumerate(gaps_s):
                yield env.timeout(gap_s)
                env.process(request(number))

        env.process(arrivals())
        env.run()
        return found

    return (responses_s,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## One server

    Requests come at rate $\lambda$ and take $s$ each. **Utilisation** is the part of the time in which the server
    works:

    $$\rho = \lambda s, \qquad \text{and } \rho < 1 \text{ or the queue grows for ever.}$$

    If they come *independently of each other* (a Poisson process: gaps are exponential), a request waits before its
    turn for, in the mean,

    $$W = \frac{\rho\,s}{2(1-\rho)} \;\;\text{(M/D/1: all take } s\text{)} \qquad
      W = \frac{\rho\,s}{1-\rho} \;\;\text{(M/M/1: they differ, exponentially)}$$

    (Pollaczek and Khinchine, 1930 and 1932). $1-\rho$ stands below the line: halve what is left of the server's free
    time, and waiting doubles. A picture takes the same time each time (M/D/1); texts of all lengths are nearer to
    M/M/1.
    """)
    return


@app.cell(hide_code=True)
def _():
    load = mo.ui.slider(0.1, 0.95, 0.05, value=0.7, show_value=True, label="utilisation")
    differ = mo.ui.dropdown(["all take the same", "exponential"], value="all take the same", label="service times")
    seed = mo.ui.number(0, 99, 1, value=0, label="seed of the arrivals")
    mo.vstack([load, differ, seed])
    return differ, load, seed


@app.cell
def _(alone, differ, load, responses_s, seed):
    def one_server(rho, exponential, n, of_seed):
        """Responses of one board, and what the formulas say of their mean."""
        rng = np.random.default_rng(of_seed)
        service_s = alone.latency_s
        services_s = rng.exponential(service_s, n) if exponential else np.full(n, service_s)
        wait_s = rho * service_s / (1 - rho) / (1 if exponential else 2)
        return responses_s(rng.exponential(service_s / rho, n), services_s), service_s + wait_s

    queued_s, mean_s = one_server(load.value, differ.value == "exponential", 3000, seed.value)
    levels = {name: float(np.percentile(queued_s, level)) for name, level in (("median", 50), ("p95", 95), ("p99", 99))}
    histogram = (
        alt.Chart(pd.DataFrame({"response": queued_s}), width="container", height=180)
        .mark_bar(color="#0072B2")
        .encode(
            x=alt.X("response", bin=alt.Bin(maxbins=50), title="response time (s)", axis=alt.Axis(labelOverlap=True)),
            y=alt.Y("count()", title="requests"),
        )
    )
    marks = (
        alt.Chart(pd.DataFrame([{"what": name, "seconds": value} for name, value in levels.items()]))
        .mark_rule(strokeWidth=2)
        .encode(
            x="seconds", color=alt.Color("what", title=None, scale=alt.Scale(range=["#009E73", "#E69F00", "#D55E00"]))
        )
    )
    title = "3000 requests to one board"
    mo.vstack(
        [
            (histogram + marks).properties(title=title).configure_legend(orient="bottom"),
            mo.md(
                f"Mean **{queued_s.mean():.2f} s** (formula: {mean_s:.2f} s), median {levels['median']:.2f} s, "
                f"**95th percentile {levels['p95']:.2f} s**, 99th {levels['p99']:.2f} s; idle, a request takes "
                f"{alone.latency_s:.2f} s. Try other seeds: near full load even 3000 requests do not settle the mean."
            ),
        ]
    )
    return (one_server,)


@app.cell(hide_code=True)
def _(alone):
    answer_1 = mo.ui.number(label="(from 0 to 1)")
    mo.vstack(
        [
            mo.md(
                f"**Question 1.** One board takes {alone.latency_s:.3f} s for a request. 0.8 requests come a second. "
                "What is its utilisation?"
            ),
            answer_1,
        ]
    )
    return (answer_1,)


@app.cell
def _(alone, answer_1):
    rho = 0.8 * alone.latency_s
    question_1 = checks.number(
        rho,
        reason=f"0.8 /s x {alone.latency_s:.3f} s = {rho:.2f}: it works for that part of each second.",
        hint="Rate times service time has no unit.",
        mistakes={
            0.8 / alone.latency_s: "Multiply: each of 0.8 requests a second keeps it busy for a service time.",
            100 * rho: "As a part of one, not in per cent.",
        },
    )
    verdict_1 = question_1.check(answer_1.value)
    verdict_1
    return question_1, rho, verdict_1


@app.cell(hide_code=True)
def _():
    answer_2 = mo.ui.number(label="s")
    mo.vstack(
        [
            mo.md(
                "**Question 2.** All requests take the same and arrivals are Poisson (M/D/1). What is the mean "
                "*response* time at this rate, waiting and service together?"
            ),
            answer_2,
        ]
    )
    return (answer_2,)


@app.cell
def _(alone, answer_2, rho):
    waits_s = rho * alone.latency_s / (2 * (1 - rho))
    question_2 = checks.number(
        alone.latency_s + waits_s,
        unit="s",
        reason=f"It waits {waits_s:.2f} s and is served {alone.latency_s:.2f} s. Although the board is idle for "
        f"{1 - rho:.0%} of the time, a request takes {(alone.latency_s + waits_s) / alone.latency_s:.1f} times its "
        "latency.",
        hint="The left formula is what it waits before its turn; then it is served.",
        mistakes={
            waits_s: "That is the waiting alone; the service comes on top.",
            alone.latency_s + 2 * waits_s: "That is M/M/1. Here all take the same: M/D/1.",
        },
    )
    verdict_2 = question_2.check(answer_2.value)
    verdict_2
    return question_2, verdict_2


@app.cell(hide_code=True)
def _():
    answer_3 = mo.ui.number(label="times as long")
    mo.vstack(
        [
            mo.md(
                "**Question 3.** Utilisation grows from 0.8 to 0.9, an eighth more requests. By what factor does the "
                "mean *waiting* time grow? (It is the same for both formulas.)"
            ),
            answer_3,
        ]
    )
    return (answer_3,)


@app.cell
def _(answer_3):
    question_3 = checks.number(
        (0.9 / 0.1) / (0.8 / 0.2),
        reason="0.9 / 0.1 is 9, 0.8 / 0.2 is 4: 2.25 times the waiting for 1.125 times the requests.",
        hint="Compute rho / (1 - rho) for both.",
        mistakes={
            0.9 / 0.8: "The numerator alone; what is left free, 1 - rho, halves as well.",
            2: "Nearly: 1 - rho halves, and rho itself grows too.",
        },
    )
    verdict_3 = question_3.check(answer_3.value)
    verdict_3
    return question_3, verdict_3


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## The queue itself

    What SimPy does above is a short recursion for one server (Lindley, 1952): a request begins when it has come *and*
    the one before it is done.
    """)
    return


@app.cell(hide_code=True)
def _():
    answer_4 = mo.ui.code_editor(
        "def one_by_one_s(gaps_s, services_s):\n    ...\n", language="python", label="one_by_one_s"
    )
    mo.vstack(
        [
            mo.md(
                "**Question 4.** Complete the function: from the gaps between arrivals and the service times (two "
                "arrays of the same length), the array of response times of one server, first come, first served. The "
                "first request comes after the first gap. It is compared with SimPy's queue, request by request, on "
                f"{checks.N_DRAWS} random days. numpy is there as `np`."
            ),
            answer_4,
        ]
    )
    return (answer_4,)


@app.cell
def _(answer_4, responses_s):
    question_4 = checks.function(
        "one_by_one_s",
        like=responses_s,
        draw=lambda rng: (rng.exponential(1.0, n := int(rng.integers(3, 40))), rng.exponential(0.9, n)),
        reason="came = running sum of the gaps; done = max(came, done before) + service; response = done - came.",
    )
    verdict_4 = question_4.check(answer_4.value)
    verdict_4
    return question_4, verdict_4


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Percentiles

    The 95th percentile (p95) is the response time that 19 of 20 requests do not exceed. For M/M/1 the response time is
    itself exponential, with mean $s/(1-\rho)$, so

    $$T_p = \frac{s}{1-\rho}\,\ln\frac{1}{1-p}, \qquad \ln 20 \approx 3.0 .$$
    """)
    return


@app.cell(hide_code=True)
def _(split):
    answer_5 = mo.ui.number(label="s")
    mo.vstack(
        [
            mo.md(
                "**Question 5.** Texts of all lengths come to the three boards, split with PRISM: service times are "
                f"exponential with a mean of 1/{split.throughput_per_s:.2f} s (the simulator's throughput back to "
                "back), 2 requests a second, Poisson. What is p95 of the response time?"
            ),
            answer_5,
        ]
    )
    return (answer_5,)


@app.cell
def _(answer_5, split):
    pace_s = 1 / split.throughput_per_s
    mean_response_s = pace_s / (1 - 2 * pace_s)
    question_5 = checks.number(
        mean_response_s * math.log(20),
        unit="s",
        reason=f"The mean is {mean_response_s:.2f} s, and p95 is ln 20 = 3.0 times that: one request in twenty takes "
        f"longer than {mean_response_s * math.log(20):.1f} s on boards whose latency is {pace_s:.2f} s.",
        hint="rho = 2 s; s / (1 - rho) is the mean response; p95 is ln 20 times it.",
        mistakes={
            mean_response_s: "That is the mean response time.",
            mean_response_s * math.log10(20): "The natural logarithm, ln, is meant.",
            pace_s * math.log(20): "That is p95 of the service alone, nobody waiting.",
        },
    )
    verdict_5 = question_5.check(answer_5.value)
    verdict_5
    return pace_s, question_5, verdict_5


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Split each request, or deal them?

    Split over three boards a request takes a third of the time, but the boards serve one after another: one fast
    server. Dealt in turn, each takes as long as on one board, but three are served at once: three slow servers, and one
    queue before them. Both serve about as many a second at most. The chart shows the 95th percentile of each, with the
    same arrivals for all.
    """)
    return


@app.cell
def _(alone, dealt, responses_s, split):
    n_requests = 1500 if checks.is_quick() else 4000
    gaps = np.random.default_rng(1).exponential(1.0, n_requests)
    servers = {
        "one board": (1, alone.throughput_per_s, "single"),
        "split (prism)": (1, split.throughput_per_s, "prism"),
        "dealt (replicas)": (3, dealt.throughput_per_s, "voltage"),
    }

    def p95_s(way, rate):
        n_servers, throughput_per_s, _look = servers[way]
        services_s = np.full(n_requests, n_servers / throughput_per_s)
        return float(np.percentile(responses_s(gaps / rate, services_s, n_servers), 95))

    rates = (0.1, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 2.8, 3.0, 3.1)
    loads = pd.DataFrame(
        [
            {"way": way, "requests a second": rate, "p95": p95_s(way, rate)}
            for way, (_n, throughput_per_s, _look) in servers.items()
            for rate in rates
            if rate < 0.97 * throughput_per_s
        ]
    )
    colours = [STRATEGY_STYLES[look].colour for _n, _throughput_per_s, look in servers.values()]
    (
        alt.Chart(
            loads, title="BERT-base on Raspberry Pi 5: 19 of 20 answers come within", width="container", height=240
        )
        .mark_line(point=True, clip=True)
        .encode(
            x=alt.X("requests a second", axis=alt.Axis(tickCount=8)),
            y=alt.Y("p95", title="p95 of the response time (s)", scale=alt.Scale(domain=[0, 8])),
            color=alt.Color("way", title=None, scale=alt.Scale(domain=list(servers), range=colours)),
            tooltip=["way", "requests a second", alt.Tooltip("p95", format=".2f")],
        )
        .configure_legend(orient="bottom")
    )
    return n_requests, p95_s


@app.cell(hide_code=True)
def _():
    answer_6 = mo.ui.number(label="requests/s")
    mo.vstack(
        [
            mo.md(
                "**Question 6.** The boards split each request with PRISM. 19 of 20 answers must come within 2 s. Up "
                "to how many requests a second does that hold? Read it from the chart, to 10 %."
            ),
            answer_6,
        ]
    )
    return (answer_6,)


@app.cell
def _(answer_6, p95_s, split):
    low, high = 0.5, 0.99 * split.throughput_per_s
    while high - low > 0.02:
        middle = (low + high) / 2
        low, high = (middle, high) if p95_s("split (prism)", middle) <= 2 else (low, middle)
    question_6 = checks.number(
        low,
        unit="requests/s",
        within=0.1,
        reason=f"About {low:.1f}: {low / split.throughput_per_s:.0%} of the {split.throughput_per_s:.2f} requests/s "
        "that the boards serve back to back. The rest of the capacity is what the deadline costs.",
        hint="Where does the blue line cross 2 s?",
        mistakes={split.throughput_per_s: "That is what they serve back to back, with an endless queue before them."},
    )
    verdict_6 = question_6.check(answer_6.value)
    verdict_6
    return low, question_6, verdict_6


@app.cell(hide_code=True)
def _():
    answer_7 = mo.ui.radio(
        [
            "splitting wins at every rate",
            "dealing wins at every rate",
            "splitting wins at low rates, dealing close to full load",
        ],
        label="p95 is lower when",
    )
    mo.vstack([mo.md("**Question 7.** Split or deal? Look at the p95 of both."), answer_7])
    return (answer_7,)


@app.cell
def _(answer_7, dealt, p95_s, split):
    at = {rate: (p95_s("split (prism)", rate), p95_s("dealt (replicas)", rate)) for rate in (1.0, 3.1)}
    question_7 = checks.choice(
        "splitting wins at low rates, dealing close to full load",
        reason=f"At 1 request/s p95 is {at[1.0][0]:.2f} s split and {at[1.0][1]:.2f} s dealt; at 3.1 it is "
        f"{at[3.1][0]:.1f} s and {at[3.1][1]:.1f} s, for dealing serves {dealt.throughput_per_s:.2f} requests/s at "
        f"most, splitting {split.throughput_per_s:.2f}: it sends no summaries. Dealing is exact besides, PRISM is not.",
        hints={
            "splitting wins at every rate": "Compare the two at 3 requests a second and above.",
            "dealing wins at every rate": "What does a lone request get from two idle boards?",
        },
    )
    verdict_7 = question_7.check(answer_7.value)
    verdict_7
    return question_7, verdict_7


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
    answer_7,
    student,
    verdict_1,
    verdict_2,
    verdict_3,
    verdict_4,
    verdict_5,
    verdict_6,
    verdict_7,
):
    results = checks.Results(
        "08_load_and_percentiles",
        student.value,
        [one.value for one in (answer_1, answer_2, answer_3, answer_4, answer_5, answer_6, answer_7)],
        [verdict_1, verdict_2, verdict_3, verdict_4, verdict_5, verdict_6, verdict_7],
    )
    results
    return (results,)


@app.cell(hide_code=True)
def _(low, split):
    mo.md(f"""
    ## What to take along

    - Waiting grows as $\\rho/(1-\\rho)$. A service that is to keep a deadline must be idle for part of the time: here
      it may be given {low:.1f} of {split.throughput_per_s:.2f} requests a second.
    - State deadlines for a percentile. The mean is nobody's response time.
    - Splitting buys short responses at low load; dealing whole requests serves most. They cross near full load.
    - A queue's own percentiles are random: say how many requests, and try several seeds, before you believe the third
      digit.

    **Read next:** lesson 9: is the service time itself right? On the command line, `prism-sim compare SCENARIO` has the
    column requests/s for every way to distribute. On queues: L. Kleinrock, *Queueing Systems* 1 (1975), chapters 3 and
    5.
    """)
    return


if __name__ == "__main__":
    app.run()
