"""Formicary: an open finance platform on one conserved ledger."""
