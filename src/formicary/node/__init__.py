"""A running ledger: the glue of a log and a machine, with its recovery, its server and its clients."""
