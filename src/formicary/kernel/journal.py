"""The one place where a transfer becomes part of history: its links, its id, the count.

The record and the balances are the caller's; by the time :func:`append` runs nothing can fail any more.
"""

from __future__ import annotations

from formicary.base.compiled import I64, compiled
from formicary.kernel.idtable import insert, mix
from formicary.kernel.tables import TRANSFERS, Tables


@compiled
def next_time(t: Tables, time: int) -> int:
    """Give the time of the transfer that is stored next: the entry's, or just after the newest one's."""
    count = t.state[TRANSFERS]
    if count == 0:
        return time
    return I64(max(time, t.transfers[count - 1]["time"] + 1))


@compiled
def append(t: Tables, debit_row: int, credit_row: int, partner: int) -> None:
    """Tie the transfer just stored behind the last one into its accounts' histories and the id table; count it."""
    index = t.state[TRANSFERS]
    debit = t.accounts[debit_row]
    credit = t.accounts[credit_row]
    trail = t.trails[index]
    trail["debit_row"] = debit_row
    trail["credit_row"] = credit_row
    trail["debit_previous"] = debit["newest"]
    trail["credit_previous"] = credit["newest"]
    trail["partner"] = partner
    debit["newest"] = index + 1
    credit["newest"] = index + 1
    debit["transfers"] += 1
    credit["transfers"] += 1
    stored = t.transfers[index]
    insert(t.transfer_ids.slots, index, mix(t.transfer_ids.seeds, stored["id_lo"], stored["id_hi"]))
    t.state[TRANSFERS] = index + 1
