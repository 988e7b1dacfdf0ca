"""The rules as data: what speaks from the first entry on, how a version is stored, and which rule speaks for a payment.

Invariant: the numbers below are the first version, and for ever part of every ledger's first entry; later ones are set
by ``guard.approve_rules``, or from the machine itself by ``guard.set_rules``.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from formicary.base.money import parse_asset
from formicary.products.guard.codes import RING_MEMBERS_MAX, RULES_MAX
from formicary.products.guard.commands import Rule

HOUR_S: Final = 3600
DAY_S: Final = 24 * HOUR_S
_SCALE: Final = {
    parse_asset(code): thousandths
    for code, thousandths in (
        ("CNY", 7_000),
        ("CZK", 25_000),
        ("DKK", 7_500),
        ("HKD", 8_000),
        ("HUF", 400_000),
        ("INR", 85_000),
        ("JPY", 1_500),
        ("KRW", 14_000),
        ("MXN", 20_000),
        ("NOK", 11_000),
        ("PHP", 60_000),
        ("PLN", 4_300),
        ("SEK", 11_000),
        ("THB", 37_000),
        ("VND", 270_000),
        ("ZAR", 20_000),
    )
}
"""Thousandths by which sums in minor units differ from the general ones, where a unit is worth far more or less."""
LEAST: Final = (
    Rule("new_payee", "person", 0, minor=100_000, count=0, window_s=DAY_S, percent=0),
    Rule("advance_fee", "person", 0, minor=2_000, count=0, window_s=30 * DAY_S, percent=0),
    Rule("drain", "person", 0, minor=20_000, count=0, window_s=DAY_S, percent=80),
    Rule("velocity", "any", 0, minor=2_000_000, count=120, window_s=HOUR_S, percent=0),
    Rule("mule_ring", "person", 0, minor=5_000, count=RING_MEMBERS_MAX, window_s=7 * DAY_S, percent=80),
)
"""For currencies whose minor unit is worth about a cent of a euro."""

store: Final = msgspec.msgpack.Encoder().encode
"""Writes a version, a tuple of rules, in its one byte form."""
_STORED: Final = msgspec.msgpack.Decoder(tuple[Rule, ...])
read: Final = _STORED.decode
"""Reads a version back."""
Table = Mapping[tuple[str, str, int], Rule]


def defaults() -> tuple[Rule, ...]:
    """The first version: the general rules. A currency of another size gets its own copies of those about sums."""
    scaled = [
        msgspec.structs.replace(rule, asset=asset, minor=rule.minor * thousandths // 1000)
        for asset, thousandths in _SCALE.items()
        for rule in LEAST
        if rule.kind in {"new_payee", "advance_fee", "drain"}
    ]
    rules = (*LEAST, *scaled)
    assert len(rules) <= RULES_MAX
    return rules


@functools.lru_cache(maxsize=64)
def table_of(stored: bytes) -> Table:
    """Read a stored version, by kind, source and currency. The same bytes always give the same table."""
    return {(rule.kind, rule.source, rule.asset): rule for rule in _STORED.decode(stored)}


def find(table: Table, kind: str, *, source: str, asset: int) -> Rule | None:
    """The rule of a kind for a payment: of its currency before the general one, of its source before any."""
    return (
        table.get((kind, source, asset))
        or table.get((kind, "any", asset))
        or table.get((kind, source, 0))
        or table.get((kind, "any", 0))
    )


def wrong(rules: Sequence[Rule]) -> str:
    """Why these rules can't be a version: the code of a refusal; empty when they can."""
    keys = [(rule.kind, rule.source, rule.asset) for rule in rules]
    if len(set(keys)) < len(keys):
        return "rule_twice"
    if not all(_complete(rule) for rule in rules):
        return "rule_incomplete"
    windows = [rule.window_s for rule in rules if rule.kind == "velocity"]
    return "windows_differ" if len(set(windows)) > 1 else ""


def _complete(rule: Rule) -> bool:
    by_kind = {
        "new_payee": rule.minor > 0,
        "advance_fee": rule.minor > 0,
        "drain": rule.percent > 0,
        "velocity": rule.minor > 0 or rule.count > 0,
        "mule_ring": 3 <= rule.count <= RING_MEMBERS_MAX and rule.percent > 0,
    }
    return rule.window_s > 0 and by_kind[rule.kind]
