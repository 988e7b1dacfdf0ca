"""Figures measured side by side in one run: the ledger, the bare disk below it, and PostgreSQL beside it."""
