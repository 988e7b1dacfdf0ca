"""Whether a payment looks like a scam, from what went between whom before; and what is remembered of one that goes.

The work for one payment is bounded. A payment between people who know each other reads five rows and writes two. One
to somebody new reads the payer's account and their eight newest payers as well. When the sum of a pair first reaches
what the rule for rings says, and each time it has doubled since, the eight newest incoming edges of at most 24 accounts
are read.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from formicary.products.guard.codes import DAY_NS, GIFTS_MAX, RING_LOOKS_MAX, SECOND_NS, WEEK_NS
from formicary.products.guard.queries import rows
from formicary.products.guard.rules import Table, find, table_of

if TYPE_CHECKING:
    from formicary.machine.context import Context
    from formicary.products.guard.commands import Rule
    from formicary.products.guard.needs import Purses
    from formicary.products.guard.queries.rows import EdgeRow, PaceRow

NEW_NS: Final = 24 * 3600 * SECOND_NS
"""A payee is somebody new for a day, so that a first small payment opens no door to a large one."""
SUM_MAX: Final = 2**62
"""Sums of edges and paces stop growing here, far above every threshold."""


class Seen(NamedTuple):
    """A payment that is looked at, and what is known of its two sides."""

    payer: bytes
    payee: bytes
    asset: int
    amount_minor: int
    purpose: str
    source: str
    edge: EdgeRow | None
    pace: PaceRow | None


def look(
    context: Context, *, payer: bytes, payee: bytes, asset: int, amount_minor: int, purpose: str, source: str
) -> Seen:
    """Read what is known of the two sides."""
    edge = rows.edge(context, payer=payer, payee=payee, asset=asset)
    pace = rows.pace(context, payer, asset)
    return Seen(payer, payee, asset, amount_minor, purpose, source, edge, pace)


def reasons(purses: Purses, context: Context, table: Table, seen: Seen) -> tuple[str, ...]:
    """Why a payment should be held, in the order of the rules' names in codes.py; empty when it may go."""
    found = []
    if _above_for_new(context, table, seen, "new_payee"):
        found.append("new_payee")
    if _is_advance_fee(context, table, seen):
        found.append("advance_fee")
    if _too_fast(context.time_ns, table, seen):
        found.append("velocity")
    if _drains(purses, context, table, seen):
        found.append("drain")
    if rows.is_marked(context, seen.payee):
        found.append("payee_marked")
    return tuple(found)


def _new_since(edge: EdgeRow | None, rule: Rule, now_ns: int) -> bool:
    """Whether the first payment along an edge is to come, or is as young as the rule looks back."""
    return edge is None or now_ns - edge.first_ns < rule.window_s * SECOND_NS


def _with_before(seen: Seen) -> int:
    """What goes to a new payee, this payment and the ones just before together: else many small ones would pass."""
    return seen.amount_minor + (0 if seen.edge is None else seen.edge.sum_minor)


def _above_for_new(context: Context, table: Table, seen: Seen, kind: str) -> Rule | None:
    rule = find(table, kind, source=seen.source, asset=seen.asset)
    if rule is None or _with_before(seen) < rule.minor or not _new_since(seen.edge, rule, context.time_ns):
        return None
    return rule


def _is_advance_fee(context: Context, table: Table, seen: Seen) -> bool:
    """A fee so that other money may come; or more than the payee, or somebody in league with them, gave as a lure."""
    rule = find(table, "advance_fee", source=seen.source, asset=seen.asset)
    if rule is None or seen.amount_minor < rule.minor:
        return False
    if seen.edge is not None and context.time_ns - seen.edge.first_ns >= NEW_NS:
        return False
    if seen.purpose == "fee_for_money":
        return True
    gifts = rows.incoming(context, seen.payer, seen.asset, from_day=_first_day(context, rule))[:GIFTS_MAX]
    lures = [gift.payer for gift in gifts if gift.sum_minor < seen.amount_minor]
    return bool(lures) and (
        seen.payee in lures
        or rows.any_paid(context, lures, seen.payee, seen.asset)
        or rows.any_paid_by(context, seen.payee, lures, seen.asset)
    )


def _too_fast(now_ns: int, table: Table, seen: Seen) -> bool:
    """Payments and money of the last window: this one's whole, and the part of the one before that still counts."""
    rule = find(table, "velocity", source=seen.source, asset=seen.asset)
    if rule is None:
        return False
    window_ns = rule.window_s * SECOND_NS
    pace = paced(seen.pace, now_ns, window_ns)
    left_ns = window_ns - (now_ns - pace.since_ns)
    payments = pace.payments + pace.payments_before * left_ns // window_ns + 1
    sum_minor = pace.sum_minor + pace.sum_before_minor * left_ns // window_ns + seen.amount_minor
    return 0 < rule.count < payments or 0 < rule.minor < sum_minor


def _drains(purses: Purses, context: Context, table: Table, seen: Seen) -> bool:
    """Most of a balance to somebody new; the balance is as it was before."""
    rule = _above_for_new(context, table, seen, "drain")
    account = rule and purses.purse(context, seen.payer, seen.asset)
    found = context.view().account(account) if account else None
    if rule is None or found is None:
        return False
    free_minor = found.credits_posted - found.debits_posted - found.debits_held
    return seen.amount_minor * 100 >= free_minor * rule.percent


def paced(pace: PaceRow | None, now_ns: int, window_ns: int) -> PaceRow:
    """A pace moved on to now: this window becomes the one before when it is over."""
    if pace is None or now_ns - pace.since_ns >= 2 * window_ns:
        return rows.PaceRow(now_ns, 0, 0, 0, 0)
    if now_ns - pace.since_ns >= window_ns:
        return rows.PaceRow(pace.since_ns + window_ns, 0, 0, pace.payments, pace.sum_minor)
    return pace


def learn(context: Context, table: Table, seen: Seen) -> list[bytes]:
    """Remember a payment that goes; answer the ring that it closes, payee first, or nothing."""
    before_minor = _sum_of_week(seen.edge, context.time_ns)
    sum_minor = min(before_minor + seen.amount_minor, SUM_MAX)
    _tread(context, seen, sum_minor)
    velocity = find(table, "velocity", source=seen.source, asset=seen.asset)
    if velocity is not None:
        _quicken(context, seen, velocity.window_s * SECOND_NS)
    rule = find(table, "mule_ring", source=seen.source, asset=seen.asset)
    if rule is None or _doublings(before_minor, rule) == _doublings(sum_minor, rule):
        return []
    return ring(context, rule, seen, sum_minor)


def _doublings(sum_minor: int, rule: Rule) -> int:
    """How often the rule's sum was reached and doubled: a ring is looked for when that grows, not at each payment.

    The search finds a ring from any of its edges, so it is enough that one of them grows last.
    """
    return (sum_minor // max(rule.minor, 1)).bit_length()


def _sum_of_week(edge: EdgeRow | None, now_ns: int) -> int:
    """What went along an edge since it began to add up, a week ago at most."""
    return 0 if edge is None or now_ns - edge.since_ns >= WEEK_NS else edge.sum_minor


def _tread(context: Context, seen: Seen, sum_minor: int) -> None:
    """Write an edge; of one that there is only what changes, so that its index is left alone but once a day."""
    now_ns, edge, pair = context.time_ns, seen.edge, (seen.payer, seen.payee, seen.asset)
    if edge is None:
        sql = """INSERT INTO guard_edges (payer, payee, asset, first_ns, last_day, since_ns, sum_minor)
                 VALUES (?, ?, ?, ?, ?, ?, ?)"""
        context.rows.run(sql, *pair, now_ns, now_ns // DAY_NS, now_ns, sum_minor)
        return
    since_ns = now_ns if now_ns - edge.since_ns >= WEEK_NS else edge.since_ns
    if edge.last_day == now_ns // DAY_NS:
        sql = "UPDATE guard_edges SET since_ns = ?, sum_minor = ? WHERE payer = ? AND payee = ? AND asset = ?"
        context.rows.run(sql, since_ns, sum_minor, *pair)
    else:
        sql = """UPDATE guard_edges SET last_day = ?, since_ns = ?, sum_minor = ?
                 WHERE payer = ? AND payee = ? AND asset = ?"""
        context.rows.run(sql, now_ns // DAY_NS, since_ns, sum_minor, *pair)


def _first_day(context: Context, rule: Rule) -> int:
    """The UTC day in which a rule's window begins."""
    return (context.time_ns - rule.window_s * SECOND_NS) // DAY_NS


def _quicken(context: Context, seen: Seen, window_ns: int) -> None:
    pace = paced(seen.pace, context.time_ns, window_ns)
    if seen.pace is None:
        sql = """INSERT INTO guard_paces (since_ns, payments, sum_minor, payments_before, sum_before_minor, payer,
                 asset) VALUES (?, ?, ?, ?, ?, ?, ?)"""
    else:
        sql = """UPDATE guard_paces SET since_ns = ?, payments = ?, sum_minor = ?, payments_before = ?,
                 sum_before_minor = ? WHERE payer = ? AND asset = ?"""
    sum_minor = min(pace.sum_minor + seen.amount_minor, SUM_MAX)
    before = (pace.payments_before, pace.sum_before_minor)
    context.rows.run(sql, pace.since_ns, pace.payments + 1, sum_minor, *before, seen.payer, seen.asset)


class Trail(NamedTuple):
    """A way back along the money: who is at its end, what went on from there, and the ones before."""

    party: bytes
    on_minor: int
    path: tuple[bytes, ...]


def ring(context: Context, rule: Rule, seen: Seen, sum_minor: int) -> list[bytes]:
    """Walk back along the money from the payer, breadth first, until the payee is met: the members, payee first.

    A step leads along an edge of the rule's window whose sum and the next one's differ by no more than what the rule
    says is passed on. Two people who pay each other are no ring. At most 24 accounts are looked at.
    """
    from_day = _first_day(context, rule)
    queue = deque([Trail(seen.payer, sum_minor, (seen.payer,))])
    known = {seen.payer}
    for _ in range(RING_LOOKS_MAX):
        if not queue:
            break
        trail = queue.popleft()
        for each in rows.incoming(context, trail.party, seen.asset, from_day=from_day):
            if not _passed_on(each.sum_minor, trail.on_minor, rule.percent):
                continue
            if each.payer == seen.payee and len(trail.path) > 1:
                return [each.payer, *reversed(trail.path)]
            if each.payer not in known and each.payer != seen.payee and len(trail.path) < rule.count - 1:
                known.add(each.payer)
                queue.append(Trail(each.payer, each.sum_minor, (*trail.path, each.payer)))
    return []


def _passed_on(in_minor: int, on_minor: int, percent: int) -> bool:
    """Whether what came in went on, but for a cut: neither much less nor much more."""
    return on_minor * 100 >= in_minor * percent and in_minor * 100 >= on_minor * percent


def current(context: Context) -> Table:
    """The rules that speak now."""
    return table_of(rows.ruleset(context).rules)
