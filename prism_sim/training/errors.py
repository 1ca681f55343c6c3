"""What goes wrong when a model is trained or its checkpoint used."""


class TrainingError(ValueError):
    """Says what is wrong with a training, its saved state or its checkpoint, and what would do."""
