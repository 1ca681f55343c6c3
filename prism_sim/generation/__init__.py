"""Text token by token, in time and memory: the steps that follow a prompt."""
