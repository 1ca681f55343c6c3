"""The compiled engine as machine code: kept on disk, and loaded without the compiler that made it."""
