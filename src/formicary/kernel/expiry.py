"""When holds end by themselves: a binary heap of (time, index) in two arrays, and the sweep that stores the expiries.

A hold that something else ends keeps its place in the heap until its time comes up, and is dropped then. So that undo
stays exact and the heap stays bounded, an undone hold is taken out, and an undone expiry is put back.

Invariant: every open hold with a timeout is in the heap. What is in it besides is not open and is dropped unseen.
"""

from __future__ import annotations

from formicary.base.compiled import I64, U64, compiled, compiled_apart
from formicary.kernel.flags import EXPIRY, HOLD
from formicary.kernel.journal import append, next_time
from formicary.kernel.records import AMOUNT_MAX, RESERVED_HALF
from formicary.kernel.storage import Record
from formicary.kernel.tables import DUE, DUE_DROPPED, TRANSFERS, TRANSFERS_LIMIT, Tables

SECOND_NS = 1_000_000_000
NEVER = AMOUNT_MAX
"""The last instant there is; a timeout that would pass it means never."""


@compiled
def expires_at(hold: Record) -> int:
    """When a hold with a timeout ends by itself, in nanoseconds since 1970."""
    wait = I64(hold["timeout"]) * SECOND_NS
    time = I64(hold["time"])
    return NEVER if time > NEVER - wait else time + wait


@compiled
def has_expired(hold: Record, time: int) -> bool:
    """Whether a hold's time has come, recorded or not."""
    return I64(hold["timeout"]) != 0 and expires_at(hold) <= time


@compiled
def is_before(t: Tables, left: int, right: int) -> bool:
    """Whether the heap's entry ``left`` is due before ``right``."""
    if t.due_times[left] != t.due_times[right]:
        return bool(t.due_times[left] < t.due_times[right])
    return bool(t.due_holds[left] < t.due_holds[right])


@compiled
def swap(t: Tables, left: int, right: int) -> None:
    """Exchange two entries of the heap."""
    time, hold = t.due_times[left], t.due_holds[left]
    t.due_times[left], t.due_holds[left] = t.due_times[right], t.due_holds[right]
    t.due_times[right], t.due_holds[right] = time, hold


@compiled
def sift_up(t: Tables, place: int) -> None:
    """Let an entry rise to where it belongs."""
    while place > 0 and is_before(t, place, (place - 1) // 2):
        swap(t, place, (place - 1) // 2)
        place = (place - 1) // 2


@compiled
def sift_down(t: Tables, place: int) -> None:
    """Let an entry sink to where it belongs."""
    size = t.state[DUE]
    while 2 * place + 1 < size:
        child = 2 * place + 1
        if child + 1 < size and is_before(t, child + 1, child):
            child += 1
        if not is_before(t, child, place):
            return
        swap(t, place, child)
        place = child


@compiled_apart
def add_due(t: Tables, index: int) -> None:
    """Put a hold with a timeout into the heap."""
    place = t.state[DUE]
    t.due_times[place] = expires_at(t.transfers[index])
    t.due_holds[place] = index
    t.state[DUE] = place + 1
    sift_up(t, place)


@compiled_apart
def remove_at(t: Tables, place: int) -> None:
    """Take an entry out of the heap."""
    last = t.state[DUE] - 1
    t.state[DUE] = last
    if place < last:
        swap(t, place, last)
        sift_up(t, place)
        sift_down(t, place)


@compiled_apart
def forget_due(t: Tables, index: int) -> None:
    """Take a hold out that is being undone. It is new, so it most likely lies near the end."""
    for place in range(t.state[DUE] - 1, -1, -1):
        if t.due_holds[place] == index:
            remove_at(t, place)
            return


@compiled
def is_open_due(t: Tables, place: int) -> bool:
    """Whether an entry stands for a hold that is still open."""
    index = t.due_holds[place]
    if index >= t.state[TRANSFERS] or t.trails[index]["partner"] != 0:
        return False
    hold = t.transfers[index]
    is_timed = I64(hold["flags"]) & HOLD != 0 and I64(hold["timeout"]) != 0
    return is_timed and expires_at(hold) == t.due_times[place]


@compiled_apart
def next_due(t: Tables) -> int:
    """When the next open hold is due, or -1; drops what is in front of it."""
    while t.state[DUE] > 0:
        if is_open_due(t, 0):
            return I64(t.due_times[0])
        remove_at(t, 0)
        t.state[DUE_DROPPED] += 1
    return -1


@compiled_apart
def store_expiry(t: Tables, index: int, time: int) -> None:
    """Record that the hold at ``index`` has expired: a transfer that gives back what was held."""
    count = t.state[TRANSFERS]
    hold = t.transfers[index]
    hold_trail = t.trails[index]
    t.transfers[count] = hold
    stored = t.transfers[count]
    stored["id_lo"] = U64(index + 1)
    stored["id_hi"] = U64(RESERVED_HALF)
    stored["hold_lo"] = hold["id_lo"]
    stored["hold_hi"] = hold["id_hi"]
    stored["timeout"] = 0
    stored["flags"] = EXPIRY
    stored["time"] = next_time(t, time)
    debit = t.accounts[hold_trail["debit_row"]]
    credit = t.accounts[hold_trail["credit_row"]]
    debit["debits_held"] -= hold["amount"]
    credit["credits_held"] -= hold["amount"]
    hold_trail["partner"] = count + 1
    append(t, hold_trail["debit_row"], hold_trail["credit_row"], index + 1)


@compiled
def expire_due(t: Tables, time: int, limit: int) -> int:
    """Record the expiry of at most ``limit`` holds whose time has come, first due first; returns how many."""
    done = 0
    while done < limit and t.state[TRANSFERS] < t.state[TRANSFERS_LIMIT]:
        due = next_due(t)
        if due < 0 or due > time:
            break
        index = t.due_holds[0]
        remove_at(t, 0)
        store_expiry(t, index, time)
        done += 1
    return done
