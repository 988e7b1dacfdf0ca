"""The deterministic machine: the only writer of state, driven by the entries of a log and by nothing else."""
