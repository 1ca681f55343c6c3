"""How the public benchmarks lie on disk, one format a file; what is not as expected is told, with its place."""
