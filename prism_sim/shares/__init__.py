"""Who gets how much: what each rank takes of tokens, heads, columns, blocks or samples."""
