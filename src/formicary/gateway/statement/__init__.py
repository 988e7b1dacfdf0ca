"""Statements of an account: what moved, exactly, and the files that tell it (JSON, CSV, paper, camt.053)."""
