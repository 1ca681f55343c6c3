import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="4. PRISM's equations, by hand and on a ViT")

with app.setup:
    import altair as alt
    import checks
    import marimo as mo
    import numpy as np
    import pandas as pd
    import torch
    from transformers import ViTConfig, ViTModel

    from prism_sim import infer
    from prism_sim.numeric.equations import (
        attention_bias,
        partition_aware_causal_mask,
        scaling_aware_attention,
        segment_means,
    )
    from prism_sim.partition import Keys, split


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # 4. PRISM's equations, by hand and on a ViT

    **Time:** about 30 minutes. **You need:** attention (queries, keys, values, softmax), and a little numpy.

    In lesson 1 each device sent all its rows before each block. PRISM sends only $L$ *means* of them. Afterwards you
    will know

    - what is sent, and how a mean can weigh like the tokens it stands for,
    - what a causal model may see of it,
    - how far the output of a real Vision Transformer moves, and when it does not move at all.

    Three of the questions want a few lines of numpy. They are compared with the package, which computes the same with
    torch in `prism_sim/numeric/equations.py`.
    """)
    return


@app.cell
def _():
    rng = np.random.default_rng(7)
    tokens = ["the", "cat", "sat", "on", "a", "warm", "red", "mat"]
    x = rng.normal(size=(8, 4))  # 8 tokens, 4 numbers each
    parts = split(8, 2)  # device 0 owns tokens 0 to 3, device 1 owns 4 to 7
    return parts, tokens, x


@app.cell(hide_code=True)
def _(parts, tokens):
    owned = [", ".join(f"*{tokens[place]}*" for place in part) for part in parts]
    mo.md(rf"""
    ## Means of segments

    Eight tokens, two devices. Device 0 owns {owned[0]}; device 1 owns {owned[1]}. Each cuts its $N_p$ rows into $L$
    contiguous segments, as evenly as goes (the first ones are one longer), and sends the mean of each:

    $$z_\ell = \frac{{1}}{{c_\ell}} \sum_{{i \in \text{{segment }} \ell}} x_i$$

    $c_\ell$: how many tokens it stands for. With $L = 2$ a device sends 2 rows in place of 4.
    """)
    return


@app.cell(hide_code=True)
def _():
    answer_1 = mo.ui.code_editor("def means(x, n_segments):\n    ...\n", language="python", label="means")
    mo.vstack(
        [
            mo.md(
                "**Question 1.** Complete `means`: `x` is an array of shape (tokens, width), the result one of shape "
                "(n_segments, width). `np.array_split(x, n)` cuts as evenly as goes; `np` is there."
            ),
            answer_1,
        ]
    )
    return (answer_1,)


@app.cell(hide_code=True)
def _(answer_1):
    def package_means(rows, n_segments):
        """Equation 1 of arXiv 2605.25682."""
        found, _ = segment_means(torch.from_numpy(rows)[None], n_segments)
        return found[0].numpy()

    def rows_and_segments(rng):
        """Up to 9 tokens, and any L that they allow."""
        n_tokens = int(rng.integers(1, 10))
        return rng.normal(size=(n_tokens, 3)), int(rng.integers(1, n_tokens + 1))

    question_1 = checks.function(
        "means",
        like=package_means,
        draw=rows_and_segments,
        reason="The same as the package's `segment_means`, also where L does not divide the tokens.",
    )
    verdict_1 = question_1.check(answer_1.value)
    verdict_1
    return question_1, verdict_1


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## A mean that weighs like copies

    Device 1 now attends to its own 4 rows and to 2 means. In plain attention a mean would count as *one* token, though
    it stands for two. PRISM puts the count $g_j$ into the softmax:

    $$A_{ij} = \frac{g_j \exp(q_i \cdot k_j / \sqrt d)}{\sum_m g_m \exp(q_i \cdot k_m / \sqrt d)}
      \qquad\Longleftrightarrow\qquad \text{add } \log g_j \text{ to the logit}$$

    with $g_j = 1$ for own rows and $g_j = c_\ell$ for a mean. The copies are never made: neither sent nor multiplied.
    """)
    return


@app.cell(hide_code=True)
def _():
    answer_2 = mo.ui.number(label="weight (0 to 1)")
    mo.vstack(
        [
            mo.md(
                "**Question 2.** A query sees two own rows and one mean of six tokens, and all three logits are equal. "
                "What weight does the mean get?"
            ),
            answer_2,
        ]
    )
    return (answer_2,)


@app.cell(hide_code=True)
def _(answer_2):
    counts_of_three = torch.tensor([[1.0, 1.0, 6.0]])
    weight = float(attention_bias(counts_of_three).softmax(-1)[0, 0, 0, -1])
    question_2 = checks.number(
        weight,
        reason="6 / (1 + 1 + 6) = 0.75, what six copies of it would get together.",
        hint="Each own row counts 1, the mean counts 6.",
        mistakes={1 / 3: "That is its weight as a single token; it stands for six.", 0.5: "Count the own rows too."},
    )
    verdict_2 = question_2.check(answer_2.value)
    verdict_2
    return question_2, verdict_2


@app.cell(hide_code=True)
def _():
    answer_3 = mo.ui.code_editor("def weights(logits, counts):\n    ...\n", language="python", label="weights")
    mo.vstack(
        [
            mo.md(
                "**Question 3.** Complete `weights`: `logits` has shape (queries, keys), `counts` (keys,). It returns "
                "the attention weights of the equation above, of the shape of the logits. Each row sums to 1."
            ),
            answer_3,
        ]
    )
    return (answer_3,)


@app.cell(hide_code=True)
def _(answer_3):
    def package_weights(logits, counts):
        """Softmax with the package's bias."""
        bias = attention_bias(torch.from_numpy(counts)[None])
        return (torch.from_numpy(logits) + bias[0, 0]).softmax(-1).numpy()

    def logits_and_counts(rng):
        """A few queries and keys."""
        n_keys = int(rng.integers(1, 6))
        return rng.normal(size=(int(rng.integers(1, 4)), n_keys)), rng.integers(1, 9, size=n_keys).astype(float)

    question_3 = checks.function(
        "weights",
        like=package_weights,
        draw=logits_and_counts,
        reason="g exp(logit), divided by its sum over the keys: the same as softmax(logit + log g).",
    )
    verdict_3 = question_3.check(answer_3.value)
    verdict_3
    return question_3, verdict_3


@app.cell(hide_code=True)
def _():
    n_means = mo.ui.slider(1, 4, value=2, show_value=True, label="means a device, L")
    counted = mo.ui.checkbox(value=True, label="a mean weighs like the tokens it stands for (log g)")
    alike = mo.ui.checkbox(value=False, label="make the tokens of device 0 all the same")
    mo.vstack(
        [
            mo.md(
                """
                ### Try it

                One head of attention on the 8 tokens, with the rows themselves as queries, keys and values. The bars
                compare device 1's four output rows with those of the undistributed attention.
                """
            ),
            n_means,
            counted,
            alike,
        ]
    )
    return alike, counted, n_means


@app.cell
def _(alike, counted, n_means, parts, tokens, x):
    def as_heads(rows):
        """(tokens, d) -> (1 batch, 1 head, tokens, d)."""
        return torch.from_numpy(rows)[None, None]

    def errors(rows, n_segments, with_counts):
        """Distance of device 1's output rows from the undistributed attention's."""
        theirs, own = (rows[part.start : part.stop] for part in parts)
        means, counts = segment_means(torch.from_numpy(theirs)[None], n_segments)
        keys = np.concatenate([own, means[0].numpy()])
        g = torch.cat([torch.ones(1, len(own), dtype=counts.dtype), counts], dim=1)
        bias = attention_bias(g if with_counts else torch.ones_like(g))
        scale = rows.shape[1] ** -0.5
        whole = scaling_aware_attention(as_heads(own), as_heads(rows), as_heads(rows), None, scale)
        shortened = scaling_aware_attention(as_heads(own), as_heads(keys), as_heads(keys), bias, scale)
        return (whole - shortened)[0, 0].norm(dim=-1).numpy()

    shown_rows = np.concatenate([np.tile(x[:1], (4, 1)), x[4:]]) if alike.value else x
    distances = pd.DataFrame({"token": tokens[4:], "distance": errors(shown_rows, n_means.value, counted.value)})
    bars = (
        alt.Chart(distances, width=420, height=120)
        .mark_bar()
        .encode(
            x=alt.X("distance", title="distance from the exact output row", scale=alt.Scale(domain=[0, 0.6])),
            y=alt.Y("token", sort=None, title=None),
            tooltip=["token", alt.Tooltip("distance", format=".3g")],
        )
    )
    mo.vstack([bars, mo.md(f"the largest: {distances['distance'].max():.2g}")])
    return (errors,)


@app.cell(hide_code=True)
def _():
    answer_4 = mo.ui.radio(
        ["always", "when the tokens of each segment are equal", "when L is 2 or more", "never"], label="exact"
    )
    mo.vstack(
        [
            mo.md(
                "**Question 4.** Tick both boxes, then only one. When is attention over means *with their counts* "
                "equal to attention over all rows, with fewer means than tokens?"
            ),
            answer_4,
        ]
    )
    return (answer_4,)


@app.cell(hide_code=True)
def _(answer_4, errors, x):
    same = np.concatenate([np.tile(x[:1], (4, 1)), x[4:]])
    with_counts, without = errors(same, 1, True).max(), errors(same, 1, False).max()
    question_4 = checks.choice(
        "when the tokens of each segment are equal",
        reason=f"Then a mean is each of them, and log g makes it weigh like all: off by {with_counts:.0e}, which is "
        f"rounding. Without the counts it is off by {without:.2f} even then. Other tokens are lost in their mean.",
        hints={
            "always": "Untick the second box: is the distance 0?",
            "when L is 2 or more": "Set L to 2 and look at the bars, with the second box unticked.",
            "never": "Tick both boxes and read the number below the bars.",
        },
    )
    verdict_4 = question_4.check(answer_4.value)
    verdict_4
    return question_4, verdict_4, with_counts, without


@app.cell(hide_code=True)
def _():
    device = mo.ui.radio(["device 0", "device 1"], value="device 1", inline=True)
    n_masked = mo.ui.slider(1, 4, value=2, show_value=True, label="L")
    mo.vstack(
        [
            mo.md(
                r"""
                ## The causal mask

                A model that writes text may look back only. For means that gives one rule: a key is visible if and only
                if **the last token it stands for is not after the query**. So all means of earlier devices are visible
                and none of later ones; own rows are lower-triangular.
                """
            ),
            mo.hstack([device, n_masked], justify="start"),
        ]
    )
    return device, n_masked


@app.cell
def _(device, n_masked, parts, tokens):
    me = int(device.value[-1])
    groups = [Keys(parts[me], len(parts[me])), Keys(parts[1 - me], n_masked.value)]
    last_tokens = [last for group in groups for last in group.last_tokens]
    seen = partition_aware_causal_mask(torch.tensor(list(parts[me])), torch.tensor(last_tokens))
    firsts = [1 + last - count for g in groups for last, count in zip(g.last_tokens, g.counts, strict=True)]
    names = [
        tokens[last] if first == last else f"mean of {tokens[first]} .. {tokens[last]}"
        for first, last in zip(firsts, last_tokens, strict=True)
    ]
    squares = pd.DataFrame(
        [
            {"query": tokens[query], "key": f"{place + 1}: {name}", "sees": "visible" if bit else "hidden"}
            for query, row in zip(parts[me], seen.tolist(), strict=True)
            for place, (name, bit) in enumerate(zip(names, row, strict=True))
        ]
    )
    grid = (
        alt.Chart(squares, width=alt.Step(44), height=alt.Step(28), title=f"What {device.value} may see")
        .mark_rect(stroke="#555555")
        .encode(
            x=alt.X("key", sort=None, title=None, axis=alt.Axis(labelAngle=-35, labelLimit=200)),
            y=alt.Y("query", sort=None, title=None),
            color=alt.Color("sees", scale=alt.Scale(domain=["visible", "hidden"], range=["#0072B2", "#EEEEEE"])),
        )
    )
    grid
    return


@app.cell(hide_code=True)
def _():
    answer_5 = mo.ui.code_editor("def visible(queries, last_tokens):\n    ...\n", language="python", label="visible")
    mo.vstack(
        [
            mo.md(
                "**Question 5.** Complete `visible`: `queries` are the numbers of the query tokens, `last_tokens` the "
                "last token behind each key, both arrays of whole numbers. It returns an array (queries, keys) of "
                "true and false."
            ),
            answer_5,
        ]
    )
    return (answer_5,)


@app.cell(hide_code=True)
def _(answer_5):
    def package_mask(queries, last_tokens):
        """The package's own."""
        return partition_aware_causal_mask(torch.from_numpy(queries), torch.from_numpy(last_tokens)).numpy()

    question_5 = checks.function(
        "visible",
        like=package_mask,
        draw=lambda rng: (np.sort(rng.integers(0, 8, size=4)), np.sort(rng.integers(0, 8, size=5))),
        reason="One comparison does it, for own rows and means alike; PRISM adds minus infinity where it is false.",
    )
    verdict_5 = question_5.check(answer_5.value)
    verdict_5
    return question_5, verdict_5


@app.cell
def _():
    def random_vit():
        """ViT-Tiny's shape, 197 tokens of width 192, random weights; two of its blocks in the small variant."""
        torch.manual_seed(0)
        sizes = {"hidden_size": 192, "num_attention_heads": 3, "intermediate_size": 768, "initializer_range": 0.08}
        return ViTModel(ViTConfig(**sizes, num_hidden_layers=2 if checks.is_quick() else 12)).double().eval()

    vit = random_vit()
    picture = {"pixel_values": torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(1)).double()}
    with torch.no_grad():
        exact = vit(**picture).last_hidden_state
    return exact, picture, vit


@app.cell(hide_code=True)
def _():
    n_devices = mo.ui.slider(2, 4, value=2, show_value=True, label="devices")
    mo.vstack(
        [
            mo.md(
                """
                ## On a Vision Transformer

                Now a whole model of Hugging Face's: ViT-Tiny's shape, 197 tokens through all its blocks, with random
                weights. `prism_sim.infer` runs it as PRISM spreads it, device by device, on real tensors.

                ```python
                infer(model, {"pixel_values": picture}, ranks=2, strategy="prism", segments=10).output
                ```
                """
            ),
            n_devices,
        ]
    )
    return (n_devices,)


@app.cell
def _(exact, n_devices, picture, vit):
    def relative_error(segments, ranks=2):
        """Distance from the undistributed output, over its norm; and bytes that a device sends for a block."""
        with torch.no_grad():
            found = infer(vit, picture, ranks=ranks, strategy="prism", segments=segments)
        sent = next(one for one in found.plan.exchanges if one.kind == "all_gather").bytes_by_rank[0]
        return float((found.output - exact).norm() / exact.norm()), sent

    segments = [1, 40] if checks.is_quick() else [1, 2, 5, 10, 20, 30, 40, 49]
    by_segments = pd.DataFrame(
        [
            {"L": n, "relative error": error, "kB a block": sent_bytes / 1e3}
            for n in segments
            for error, sent_bytes in [relative_error(n, n_devices.value)]
        ]
    )
    curve = (
        alt.Chart(by_segments, width=460, height=200, title=f"PRISM over {n_devices.value} devices, random weights")
        .mark_line(point=True)
        .encode(
            x=alt.X("L", title="means a device, L"),
            y=alt.Y("relative error", title="relative error of the output"),
            tooltip=["L", alt.Tooltip("relative error", format=".3g"), "kB a block"],
        )
    )
    mo.vstack(
        [
            curve,
            mo.md(
                "Random weights tell whether the computation is right, not how many pictures a trained model would "
                "still recognise: lesson 5 measures that."
            ),
        ]
    )
    return by_segments, relative_error


@app.cell(hide_code=True)
def _():
    answer_6 = mo.ui.number(label="L", step=1)
    mo.vstack(
        [
            mo.md(
                "**Question 6.** 197 tokens over *two* devices: which is the smallest $L$ for which the output is "
                "exact, up to rounding, whatever the picture?"
            ),
            answer_6,
        ]
    )
    return (answer_6,)


@app.cell(hide_code=True)
def _(answer_6, relative_error):
    nothing_lost, one_fewer = relative_error(99)[0], relative_error(98)[0]
    question_6 = checks.number(
        99,
        within=0,
        reason=f"The larger half has 99 rows, and 99 means of one row each are the rows. Measured on this ViT: "
        f"{nothing_lost:.0e} with 99, {one_fewer:.0e} with 98, where one mean stands for two rows.",
        hint="A mean of one row is that row. How many rows does the larger half have?",
        mistakes={
            98: "Then the first device, which has 99 rows, must put two of them into one mean.",
            197: "A device has only its half of the rows.",
            98.5: "Whole rows: 99 and 98.",
        },
    )
    verdict_6 = question_6.check(answer_6.value)
    verdict_6
    return nothing_lost, one_fewer, question_6, verdict_6


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
        "04_prism_by_hand",
        student.value,
        [one.value for one in (answer_1, answer_2, answer_3, answer_4, answer_5, answer_6)],
        [verdict_1, verdict_2, verdict_3, verdict_4, verdict_5, verdict_6],
    )
    results
    return (results,)


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## What to take along

    - PRISM sends $L$ means a device and block in place of its rows; own rows stay as they are.
    - $\log g$ in the softmax makes a mean of $g$ tokens weigh like $g$ copies, without making them.
    - One comparison masks a causal model: the last token behind a key must not be after the query.
    - It is exact where a segment's tokens are equal, or has one token only; else it loses what tells them apart.

    **Read next:** lesson 5, what that costs in accuracy. Qazi, Iosifidis and Zhang, *PRISM*,
    [arXiv 2507.12145](https://arxiv.org/abs/2507.12145), and its follow-up on hardware, arXiv 2605.25682. In the
    package: `prism_sim/numeric/equations.py`, and `prism_sim/strategies/prism.py` for the program of one device.
    """)
    return


if __name__ == "__main__":
    app.run()
