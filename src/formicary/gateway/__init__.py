"""Doors over HTTP: the one table of commands and queries, who may use it, and what has to be live."""
