"""Many points: a sweep's table, on all cores or a cluster, resumable."""
