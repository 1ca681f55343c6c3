import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="7. Generating text")

with app.setup:
    import altair as alt
    import checks
    import marimo as mo
    import pandas as pd
    from scenario_text import scenario_of

    import prism_sim
    from prism_sim.figures.style import STRATEGY_STYLES
    from prism_sim.generation.decoding import decoded_cache_bytes
    from prism_sim.simulation.simulate import simulate


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # 7. Generating text: prompt, token, cache

    **Time:** about 30 minutes. **You need:** lessons 1 to 4.

    A model that writes answers in two phases. It reads the whole *prompt* in one pass; then each further pass makes one
    *token*. The two phases are so unlike that a way of splitting that is best for one is often useless for the other.
    Afterwards you will know

    - TTFT (time to first token) and TPOT (time per output token), and what bounds each,
    - what the cache of keys and values holds, and how to count its bytes,
    - which strategy serves long prompts, which long answers, and where the border is.
    """)
    return


@app.cell
def _():
    text = """
    name: Llama 3.2 1B on Raspberry Pi 5
    model: {preset: llama-3.2-1b, dtype: float16}
    workload: {tokens: 128, new_tokens: 128}
    devices: [{name: pi, preset: raspberry-pi-5, runtime: llama.cpp, count: 4}]
    network: {preset: gigabit-ethernet}
    strategy: {name: single}
    """
    scenario = scenario_of(text)
    alone = simulate(scenario)
    mo.md(f"```yaml{text}```".replace("\n    ", "\n"))
    return alone, scenario


@app.cell(hide_code=True)
def _(alone, scenario):
    written = alone.generation
    mo.md(f"""
    ## Two phases on one board

    A pass multiplies rows with weights. Lesson 2's roofline says that a kernel takes the longer of its arithmetic and
    its memory traffic:

    $$\\max\\left(\\frac{{2\\,W\\,n}}{{\\text{{FLOP/s}}}},\\; \\frac{{W\\,\\text{{bytes a number}}}}{{\\text{{memory
    bandwidth}}}}\\right) \\qquad n \\text{{ rows at once}},\\; W \\text{{ weights}}$$

    The prompt's {scenario.workload.tokens} rows share one reading of the weights, so arithmetic bounds the prompt. A
    step has a single row: every weight is read from memory, used once and forgotten until the next token. So memory
    bounds a step. One board reads the prompt in **TTFT = {written.ttft_s:.2f} s**,
    {written.ttft_s / scenario.workload.tokens * 1e3:.0f} ms a token, and writes at
    **TPOT = {written.tpot_s * 1e3:.0f} ms**: a token that is written costs seven times one that is read.
    """)
    return


@app.cell(hide_code=True)
def _():
    board = mo.ui.dropdown(
        {
            "Raspberry Pi 5": "raspberry-pi-5",
            "Jetson Orin Nano": "jetson-orin-nano",
            "phone (Snapdragon 8 Gen 3)": "snapdragon-8-gen-3",
        },
        value="Raspberry Pi 5",
        label="board",
    )
    weights = mo.ui.dropdown(
        {"float16, 2 bytes": None, "q8_0, 34 bytes for 32": "q8_0", "q4_0, 18 bytes for 32": "q4_0"},
        value="float16, 2 bytes",
        label="weights",
    )
    prompt = mo.ui.slider(steps=[16, 64, 128, 256, 512, 1024], value=128, show_value=True, label="tokens of the prompt")
    mo.vstack([board, weights, prompt])
    return board, prompt, weights


@app.cell
def _(board, prompt, scenario, weights):
    first_tokens = 12
    here = simulate(
        scenario.with_overrides(
            {
                "devices": [{"preset": board.value, "runtime": "llama.cpp"}],
                "model.weight_dtype": weights.value,
                "workload.tokens": prompt.value,
            }
        )
    ).generation
    ends_s = [here.ttft_s + place * here.tpot_s for place in range(first_tokens)]
    tokens = pd.DataFrame(
        [
            {"token": place + 1, "from": ends_s[place - 1] if place else 0.0, "to": end_s, "pass": phase}
            for place, end_s in enumerate(ends_s)
            for phase in ["prompt" if place == 0 else "step"]
        ]
    )
    bars = (
        alt.Chart(tokens, title="Each pass makes one token", width="container", height=200)
        .mark_bar(stroke="white")
        .encode(
            x=alt.X("from", title="time since the request (s)"),
            x2="to",
            y=alt.Y("token:O", title="token"),
            color=alt.Color("pass", scale=alt.Scale(domain=["prompt", "step"], range=["#E69F00", "#0072B2"])),
            tooltip=["token", "pass", alt.Tooltip("to", format=".2f")],
        )
        .configure_legend(orient="bottom")
    )
    mo.vstack(
        [
            bars,
            mo.md(
                f"TTFT **{here.ttft_s:.2f} s**, {here.ttft_s / prompt.value * 1e3:.1f} ms for each token of the "
                f"prompt; TPOT **{here.tpot_s * 1e3:.0f} ms**; {here.tokens_per_s:.1f} tokens/s."
            ),
        ]
    )
    return


@app.cell
def _(alone, scenario):
    weight_bytes = sum(alone.plan.weight_bytes)
    bytes_per_s = scenario.devices[0].memory_bytes_per_s
    return bytes_per_s, weight_bytes


@app.cell(hide_code=True)
def _(bytes_per_s, weight_bytes):
    answer_1 = mo.ui.number(label="ms")
    mo.vstack(
        [
            mo.md(
                f"**Question 1.** The model has {weight_bytes / 2 / 1e9:.3f} billion weights of 2 bytes, and the "
                f"Raspberry Pi 5 reads {bytes_per_s / 1e9:.1f} GB/s (1 GB is $10^9$ bytes). How long does reading all "
                "of them take? This is what no step can beat."
            ),
            answer_1,
        ]
    )
    return (answer_1,)


@app.cell
def _(alone, answer_1, bytes_per_s, weight_bytes):
    reading_ms = weight_bytes / bytes_per_s * 1e3
    question_1 = checks.number(
        reading_ms,
        unit="ms",
        reason=f"{weight_bytes / 1e9:.2f} GB at {bytes_per_s / 1e9:.1f} GB/s take {reading_ms:.0f} ms. The "
        f"simulator's TPOT is {alone.generation.tpot_s * 1e3:.0f} ms: the cache is read too, and each kernel costs a "
        "launch.",
        hint="Bytes divided by bytes a second, in milliseconds.",
        mistakes={
            reading_ms / 2: "A weight in float16 has 2 bytes.",
            reading_ms * 8: "The bandwidth of a memory is in bytes a second, not in bits.",
            reading_ms / 1e3: "These are seconds.",
        },
    )
    verdict_1 = question_1.check(answer_1.value)
    verdict_1
    return question_1, reading_ms, verdict_1


@app.cell(hide_code=True)
def _():
    answer_2 = mo.ui.radio(
        ["3.6 times shorter", "between 2 and 3.6 times shorter", "as long as before"], label="TPOT is"
    )
    mo.vstack(
        [
            mo.md(
                "**Question 2.** The blocks' weights are kept in `q4_0`: 18 bytes for 32 numbers in place of 64, 3.6 "
                "times fewer. What happens to TPOT on the Raspberry Pi 5? Guess, then use the control."
            ),
            answer_2,
        ]
    )
    return (answer_2,)


@app.cell
def _(alone, answer_2, scenario):
    small = simulate(scenario.with_overrides({"model.weight_dtype": "q4_0"}))
    gain = alone.generation.tpot_s / small.generation.tpot_s
    question_2 = checks.choice(
        "between 2 and 3.6 times shorter",
        reason=f"{gain:.1f} times: from {alone.generation.tpot_s * 1e3:.0f} to {small.generation.tpot_s * 1e3:.0f} "
        f"ms. Its bytes are {sum(alone.plan.weight_bytes) / sum(small.plan.weight_bytes):.1f} times fewer, as the "
        "head's table is kept in 8 bits; cache and launches cost what they did. (What rounding does to the text is "
        "another question.)",
        hints={
            "3.6 times shorter": "Are all weights in 4 bits, the head's too? And what does a step do besides reading?",
            "as long as before": "Memory bounds a step, and there is less to read.",
        },
    )
    verdict_2 = question_2.check(answer_2.value)
    verdict_2
    return question_2, small, verdict_2


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## The cache

    A later token looks at keys and values of all earlier ones. They do not change any more (lesson 4: nobody looks at
    the future), so they are kept: each block keeps a key and a value a token. Llama 3.2 1B has 32 heads that ask but
    only 8 that are asked (*grouped* heads, [arXiv 2305.13245](https://arxiv.org/abs/2305.13245)), each of 64 numbers.
    The last new token is never put in: no pass looks at it.
    """)
    return


@app.cell(hide_code=True)
def _():
    answer_3 = mo.ui.code_editor(
        "def cache_bytes(n_blocks, n_kv_heads, head_dim, n_tokens, bytes_each):\n    ...\n",
        language="python",
        label="cache_bytes",
    )
    mo.vstack(
        [
            mo.md(
                "**Question 3.** Complete the function: how large is the cache after `n_tokens`, with numbers of "
                f"`bytes_each`? It is compared with the simulator's plan on {checks.N_DRAWS} random models."
            ),
            answer_3,
        ]
    )
    return (answer_3,)


@app.cell
def _(answer_3, scenario):
    def planned_bytes(n_blocks, n_kv_heads, head_dim, n_tokens, bytes_each):
        """Of the package's plan for a Llama of these sizes, each key head asked by two."""
        dims = {
            "model_type": "llama",
            "num_hidden_layers": n_blocks,
            "hidden_size": 2 * n_kv_heads * head_dim,
            "num_attention_heads": 2 * n_kv_heads,
            "num_key_value_heads": n_kv_heads,
            "intermediate_size": 64,
            "vocab_size": 100,
            "max_position_embeddings": 2048,
        }
        model = {"dims": dims, "dtype": "float16" if bytes_each == 2 else "float32"}
        workload = {"tokens": n_tokens, "new_tokens": 1}
        one = simulate(scenario.with_overrides({"model": model, "workload": workload}))
        return decoded_cache_bytes(one.job)[0]

    question_3 = checks.function(
        "cache_bytes",
        like=planned_bytes,
        draw=lambda rng: (
            int(rng.integers(1, 5)),
            int(rng.integers(1, 9)),
            int(rng.choice([16, 32, 64])),
            int(rng.integers(2, 1500)),
            int(rng.choice([2, 4])),
        ),
        reason="2 (a key and a value) x blocks x heads that are asked x numbers of a head x tokens x bytes. For Llama "
        "3.2 1B in float16 that is 33 kB a token.",
    )
    verdict_3 = question_3.check(answer_3.value)
    verdict_3
    return question_3, verdict_3


@app.cell(hide_code=True)
def _():
    real = mo.ui.switch(
        value=not checks.is_quick(), label="compute with a real model (loads PyTorch, about ten seconds)"
    )
    mo.vstack(
        [
            mo.md(
                "### The same, with real numbers\n\nA small Llama with random weights (two blocks, width 64, 2 key "
                "heads of 16 numbers) writes 8 tokens after a prompt of 32, undistributed and over two ranks. Each "
                "rank's cache is measured. Who keeps what, and which text is the model's own?"
            ),
            real,
        ]
    )
    return (real,)


@app.cell
def real_model(real):
    def texts():
        """Strategy, its text and its ranks' caches, each over two ranks but the first."""
        import torch
        from transformers import LlamaConfig, LlamaForCausalLM

        torch.manual_seed(0)
        sizes = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
        config = LlamaConfig(vocab_size=200, num_key_value_heads=2, max_position_embeddings=256, **sizes)
        model, ids = LlamaForCausalLM(config).eval(), torch.randint(0, 200, (1, 32))
        for strategy in ("single", "tensor_parallel", "pipeline", "voltage", "prism"):
            ranks = 1 if strategy == "single" else 2
            found = prism_sim.generate(
                model, {"input_ids": ids}, new_tokens=8, ranks=ranks, strategy=strategy, segments=4
            )
            yield {
                "strategy": strategy,
                "text (numbers of tokens)": " ".join(map(str, found.tokens[0].tolist())),
                "cache of each rank (bytes)": " + ".join(map(str, found.cache_bytes[:ranks])),
            }

    real_texts = list(texts()) if real.value else []
    if real_texts:
        table = mo.ui.table(real_texts, selection=None, pagination=False, show_download=False)
        shown = mo.vstack(
            [
                table,
                mo.md(
                    "2 x 2 blocks x 2 heads x 16 numbers x 4 bytes x 39 tokens = 19 968 bytes. Tensor parallelism "
                    "halves the *heads*, the pipeline the *blocks*, Voltage the *rows*. PRISM's first rank keeps "
                    "nothing: the last has its own 16 rows of the prompt, 4 means of the others', and the 7 new ones. "
                    "Its text differs: the prompt was read through means."
                ),
            ]
        )
    else:
        shown = mo.md("*Not computed: the switch is off.*")
    shown
    return (real_texts,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Splitting the two phases

    | | prompt | step |
    |---|---|---|
    | tensor parallelism | each board some heads and columns; two sums a block of all rows | the same, of one row |
    | Voltage | each board some rows; all rows to all | the query to all, partial attention back |
    | PRISM | each board some rows; $L$ means to all | the last board alone, over its rows and the others' means |
    | pipeline | each board some blocks, one after another | one row from board to board |
    """)
    return


@app.cell(hide_code=True)
def _():
    boards = mo.ui.slider(2, 4, value=4, show_value=True, label="boards")
    tokens_in = mo.ui.slider(steps=[32, 128, 512, 1024], value=1024, show_value=True, label="tokens of the prompt")
    network = mo.ui.dropdown(
        {"Gigabit Ethernet": "gigabit-ethernet", "Wi-Fi 5 of a Raspberry Pi 5": "wifi-5-raspberry-pi-5"},
        value="Gigabit Ethernet",
        label="network",
    )
    mo.vstack([boards, tokens_in, network])
    return boards, network, tokens_in


@app.cell
def _(boards, network, scenario, tokens_in):
    strategies = ("single", "tensor_parallel", "pipeline", "voltage", "prism")

    def split(strategy, n_boards, **changes):
        ranks = {} if strategy == "single" else {"ranks": list(range(n_boards))}
        return simulate(scenario.with_overrides({"strategy.name": strategy, **ranks, **changes})).generation

    asked = {"workload.tokens": tokens_in.value, "network.preset": network.value, "workload.new_tokens": 64}
    ways = {name: split(name, boards.value, **asked) for name in strategies}
    counts = (1, 2, 4, 8, 16, 32, 64, 128, 256)
    whole = pd.DataFrame(
        [
            {"strategy": name, "new tokens": n, "seconds": way.ttft_s + (n - 1) * way.tpot_s}
            for name, way in ways.items()
            for n in counts
        ]
    )
    lines = (
        alt.Chart(whole, title="The whole answer", width="container", height=240)
        .mark_line(point=True)
        .encode(
            x=alt.X("new tokens", scale=alt.Scale(type="log", base=2)),
            y=alt.Y("seconds", title="time to the last token (s)", scale=alt.Scale(type="log", nice=False)),
            color=alt.Color(
                "strategy",
                scale=alt.Scale(domain=list(strategies), range=[STRATEGY_STYLES[one].colour for one in strategies]),
            ),
            strokeDash=alt.StrokeDash("strategy", legend=None),
            tooltip=["strategy", "new tokens", alt.Tooltip("seconds", format=".2f")],
        )
        .configure_legend(orient="bottom")
    )
    figures = [
        {
            "strategy": name,
            "TTFT (s)": round(way.ttft_s, 2),
            "TPOT (ms)": round(way.tpot_s * 1e3, 1),
            "bytes a step": round(way.step_bytes),
            "largest cache (MB)": round(max(way.cache_bytes) / 1e6, 1),
        }
        for name, way in ways.items()
    ]
    mo.vstack([mo.ui.table(figures, selection=None, pagination=False, show_download=False), lines])
    return (split,)


@app.cell(hide_code=True)
def _():
    answer_4 = mo.ui.radio(
        [
            "its steps wait for messages between boards",
            "one board writes alone, so it reads all the weights for each token",
            "it computes the means anew for each token",
        ],
        label="because",
    )
    mo.vstack(
        [
            mo.md(
                "**Question 4.** Over four boards PRISM reads a prompt about four times as fast as one board. Its "
                "TPOT is that of one board. Why?"
            ),
            answer_4,
        ]
    )
    return (answer_4,)


@app.cell
def _(answer_4, split):
    means = split("prism", 4)
    question_4 = checks.choice(
        "one board writes alone, so it reads all the weights for each token",
        reason=f"No earlier token changes, so nobody need be asked: {means.step_bytes:.0f} bytes a step, all of them "
        "between terminal and writer. But nobody shares the reading of the weights either, which is what a step costs.",
        hints={
            "its steps wait for messages between boards": "Look at the bytes of a step, beside those of the others.",
            "it computes the means anew for each token": "Means are of the prompt's rows, and those do not change.",
        },
    )
    verdict_4 = question_4.check(answer_4.value)
    verdict_4
    return question_4, verdict_4


@app.cell(hide_code=True)
def _():
    answer_5 = mo.ui.number(label="bytes")
    mo.vstack(
        [
            mo.md(
                "**Question 5.** Tensor parallelism over *two* boards: in a step, each of the 16 blocks adds up a row "
                "of 2048 numbers of 2 bytes twice, and both boards must have the sum. How many bytes cross in a step, "
                "both directions together? (What goes to and from the terminal comes on top.)"
            ),
            answer_5,
        ]
    )
    return (answer_5,)


@app.cell
def _(answer_5, scenario):
    pair = simulate(scenario.with_overrides({"strategy.name": "tensor_parallel", "ranks": [0, 1]}))
    sums = [one for one in pair.decoding.middle.plan.exchanges if one.kind == "all_reduce"]
    summed_bytes = sum(sum(one.bytes_by_rank) for one in sums)
    question_5 = checks.number(
        summed_bytes,
        unit="bytes",
        within=0.03,
        reason=f"16 x 2 x 2048 x 2 x 2 = {summed_bytes:,}; with the row that the terminal sends out and the scores of "
        f"the words that come back, {pair.generation.step_bytes:,.0f}. Few bytes, but {len(sums)} exchanges one after "
        "another: latency and message overhead count, not bandwidth.",
        hint="Blocks x sums a block x numbers of a row x bytes a number x directions.",
        mistakes={
            summed_bytes / 2: "Each board sends its part to the other: count both directions, and both sums of a "
            "block.",
            summed_bytes / 4: "Each board sends its part to the other: count both directions, and both sums of a "
            "block.",
        },
    )
    verdict_5 = question_5.check(answer_5.value)
    verdict_5
    return question_5, verdict_5


@app.cell(hide_code=True)
def _():
    answer_6 = mo.ui.number(label="new tokens")
    mo.vstack(
        [
            mo.md(
                "**Question 6.** A prompt of 1024 tokens, four boards on Gigabit Ethernet: up to how many new tokens "
                "is PRISM done before tensor parallelism? Take TTFT and TPOT of both from the table. 10 % are near "
                "enough."
            ),
            answer_6,
        ]
    )
    return (answer_6,)


@app.cell
def _(answer_6, split):
    long = {"workload.tokens": 1024, "workload.new_tokens": 64}
    by_means, by_heads = split("prism", 4, **long), split("tensor_parallel", 4, **long)
    saved_s, lost_s = by_heads.ttft_s - by_means.ttft_s, by_means.tpot_s - by_heads.tpot_s
    most_tokens = 1 + saved_s / lost_s
    question_6 = checks.number(
        most_tokens,
        unit="new tokens",
        within=0.1,
        reason=f"PRISM's first token comes {saved_s:.2f} s earlier, each later one takes {lost_s * 1e3:.0f} ms more: "
        f"even after {most_tokens:.0f}. Long questions with short answers are PRISM's case (at the loss of its means).",
        hint="TTFT + (n - 1) TPOT is a straight line for each; where do the two cross?",
        mistakes={1 + saved_s / by_means.tpot_s: "Both write meanwhile: divide by the *difference* of the two TPOTs."},
    )
    verdict_6 = question_6.check(answer_6.value)
    verdict_6
    return most_tokens, question_6, verdict_6


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
        "07_generating_text",
        student.value,
        [one.value for one in (answer_1, answer_2, answer_3, answer_4, answer_5, answer_6)],
        [verdict_1, verdict_2, verdict_3, verdict_4, verdict_5, verdict_6],
    )
    results
    return (results,)


@app.cell(hide_code=True)
def _(most_tokens, reading_ms):
    mo.md(f"""
    ## What to take along

    - Arithmetic bounds a prompt, memory bandwidth a token. {reading_ms:.0f} ms to read all weights is the floor of TPOT
      here, whatever the processor.
    - So a token is helped by *fewer bytes to read*: smaller weights, or a share of them on each board (tensor
      parallelism, whose many small sums need a network with short latency).
    - PRISM helps the prompt only; here it pays for answers of up to {most_tokens:.0f} tokens after a prompt of 1024.
    - A pipeline makes one text no faster. It makes room: each board holds a part of weights and cache.
    - The cache grows with every token, and whether the last one still fits is known before the first.

    **Read next:** lesson 8, where many ask at once. In the repository: the scenarios that begin with `generate-`, and
    `prism-sim breakeven SCENARIO --vary workload.new_tokens --against tensor_parallel`.
    """)
    return


if __name__ == "__main__":
    app.run()
