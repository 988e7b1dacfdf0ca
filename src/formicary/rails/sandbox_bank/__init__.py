"""A bank to try things with: a process of its own with real files, which also misbehaves when asked to.

``python -m formicary.rails.sandbox_bank --folder F``; see docs/how-to/connect-a-bank.md.
"""

from __future__ import annotations

from formicary.rails.sandbox_bank.bank import Bank, Transfer
from formicary.rails.sandbox_bank.manners import KINDS, Manners

__all__ = ["KINDS", "Bank", "Manners", "Transfer"]
