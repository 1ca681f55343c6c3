"""What is lost: accuracy over compression rates, where errors arise, fine-tuning, budgets of bytes."""
