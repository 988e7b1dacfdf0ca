"""Accounts and transfers as arrays: records in, result codes out, and no rule of any product."""
