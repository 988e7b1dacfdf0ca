"""What escrow does: orders, disputes, pools, and the money of all three."""

from __future__ import annotations

from formicary.products.escrow.handlers.disputes import answer, decide, dispute
from formicary.products.escrow.handlers.money import collect, retry
from formicary.products.escrow.handlers.orders import (
    accept_milestone,
    buy,
    cancel,
    confirm,
    deadline,
    deliver,
    extend,
    ship,
)
from formicary.products.escrow.handlers.pools import (
    accept_stage,
    cancel_pool,
    decide_pool,
    join,
    leave,
    open_pool,
    pool_deadline,
)

__all__ = [
    "accept_milestone",
    "accept_stage",
    "answer",
    "buy",
    "cancel",
    "cancel_pool",
    "collect",
    "confirm",
    "deadline",
    "decide",
    "decide_pool",
    "deliver",
    "dispute",
    "extend",
    "join",
    "leave",
    "open_pool",
    "pool_deadline",
    "retry",
    "ship",
]
