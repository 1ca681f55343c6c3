"""What the commands show in the terminal: one file a command."""
