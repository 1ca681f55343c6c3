"""A task's examples through the distributed computation: `evaluate`, and the forward pass that fine-tuning shares."""

from prism_sim.evaluation.evaluate import Evaluation, evaluate
from prism_sim.evaluation.spread import Spread

__all__ = ["Evaluation", "Spread", "evaluate"]
