"""Situations that break chosen rules, and only those: the material of the tests of precedence.

A :class:`Breach` says how to break one rule: what it changes of the request, of its two accounts, of its hold, or of
what happened before. Two breaches go together when they change different things. Everything a breach needs is built
by :class:`Situation` in an order that works: money and holds first, then an earlier sending, then what came after.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from formicary.kernel.codes import TransferCode
from formicary.kernel.records import AMOUNT_ALL, AMOUNT_MAX, RESERVED_HALF, TransferFlag
from formicary.testing import raw
from formicary.testing.agreement import Agreement, Ledger
from formicary.testing.model import Model
from formicary.testing.model_rules import A, T
from formicary.testing.table_words import Row

C = TransferCode
NO_FLAG = TransferFlag(0)

START_NS = 1_800_000_000_000_000_000
LATE_NS = 61_000_000_000
DEBIT, CREDIT, DEBIT_PEER, CREDIT_PEER, THIRD, FOURTH, MISSING = 11, 12, 13, 14, 15, 16, 99
REQUEST, HOLD, NOT_A_HOLD, FRESH = 100, 101, 102, 200
PLAIN, HOLDING, CAPTURING, RELEASING = "plain", "hold", "capture", "release"
NEW = (PLAIN, HOLDING)
RESOLVING = (CAPTURING, RELEASING)
ALL = (*NEW, *RESOLVING)
BASES: Mapping[str, Row] = {
    PLAIN: {"debit": DEBIT, "credit": CREDIT, "amount": 5, "asset": 1, "code": 1},
    HOLDING: {"debit": DEBIT, "credit": CREDIT, "amount": 5, "asset": 1, "code": 1, "flags": T.HOLD},
    CAPTURING: {"hold": HOLD, "amount": 5, "flags": T.CAPTURE},
    RELEASING: {"hold": HOLD, "flags": T.RELEASE},
}
STATUS_FLAGS = (
    *("CLOSING_DEBIT", "CLOSING_CREDIT", "REOPENING_DEBIT", "REOPENING_CREDIT"),
    *("FREEZING_DEBIT", "FREEZING_CREDIT", "THAWING_DEBIT", "THAWING_CREDIT"),
)
DEPENDS: Mapping[str, tuple[str, ...]] = {
    "debit": ("debit closed", "debit frozen", "debit full", "debit limited", *STATUS_FLAGS[::2]),
    "credit": ("credit closed", "credit frozen", "credit full", "credit limited", "credit asset", *STATUS_FLAGS[1::2]),
    "hold": ("resolved", "late"),
    "captured": ("resolved",),
    "released": ("resolved",),
    "REOPENING_DEBIT": ("debit closed", "CLOSING_DEBIT"),
    "REOPENING_CREDIT": ("credit closed", "CLOSING_CREDIT"),
    "THAWING_DEBIT": ("debit frozen",),
    "THAWING_CREDIT": ("credit frozen",),
}
"""What can't be changed beside a change: another account has another state, an account to be thawed isn't frozen."""


@dataclass(frozen=True)
class Breach:
    """How to break one rule: ``fields`` replace a request's, ``flags`` are added, ``world`` names what else is so."""

    code: TransferCode
    kinds: tuple[str, ...] = ALL
    fields: Mapping[str, int] = field(default_factory=dict)
    flags: TransferFlag = NO_FLAG
    world: frozenset[str] = frozenset()

    @property
    def sent_before(self) -> bool:
        """Whether the request, without this change, was accepted before."""
        return C.EXISTS_WITH_DIFFERENT_FLAGS <= self.code <= C.EXISTS

    def touches(self) -> set[str]:
        """Name everything that this breach changes or depends on."""
        changes = {*self.fields, *self.world, *(flag.name or "" for flag in self.flags)}
        if self.code == C.AMOUNT_MUST_NOT_BE_ZERO:
            changes.update(STATUS_FLAGS)  # with one of them, zero is sound
        return changes.union(*(DEPENDS.get(change, ()) for change in changes))


def breach(
    code: TransferCode, kinds: tuple[str, ...] = ALL, /, *world: str, flags: TransferFlag = NO_FLAG, **fields: int
) -> Breach:
    """Write a breach in one line."""
    return Breach(code, kinds, fields, flags, frozenset(world))


def go_together(one: Breach, other: Breach, kind: str) -> bool:
    """Whether a request of this kind can break both rules at once."""
    if one.code == other.code or kind not in one.kinds or kind not in other.kinds or one.touches() & other.touches():
        return False
    low, high = sorted((one, other), key=lambda each: each.code)
    if high.sent_before:
        # What was accepted before had a sound id. It may differ in two fields, but not be both equal and different.
        return high.code != C.EXISTS if low.sent_before else "id" not in low.fields
    if low.sent_before:
        # A field that differs is a breach of its own among these; what happened since is not.
        could_be_sent = "credit asset" not in high.world
        resolved_otherwise = high.world & {"captured", "released"} - {f"{kind}d", f"{kind[:-1]}ed"}
        return not high.fields and not high.flags and could_be_sent and not resolved_otherwise
    return True


BREACHES = (
    breach(C.CHAIN_FAILED, ALL, "chain"),
    breach(C.CHAIN_OPEN, ALL, flags=T.LINKED),
    breach(C.TIME_MUST_BE_ZERO, ALL, time=5),
    breach(C.RESERVED_FIELD, ALL, reserved_64=1),
    breach(C.RESERVED_FLAG, ALL, flags=T.EXPIRY),
    breach(C.ID_MUST_NOT_BE_ZERO, ALL, id=0),
    breach(C.ID_RESERVED, ALL, id=RESERVED_HALF << 64),
    breach(C.EXISTS_WITH_DIFFERENT_FLAGS, ALL, flags=T.BALANCING_DEBIT),
    breach(C.EXISTS_WITH_DIFFERENT_HOLD_ID, ALL, hold=NOT_A_HOLD),
    breach(C.EXISTS_WITH_DIFFERENT_TIMEOUT, ALL, timeout=77),
    breach(C.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT, ALL, debit=THIRD),
    breach(C.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT, ALL, credit=THIRD),
    breach(C.EXISTS_WITH_DIFFERENT_AMOUNT, ALL, amount=3),
    breach(C.EXISTS_WITH_DIFFERENT_USER_DATA, ALL, user_data=1 << 64),
    breach(C.EXISTS_WITH_DIFFERENT_USER_DATA_64, ALL, user_data_64=1),
    breach(C.EXISTS_WITH_DIFFERENT_USER_DATA_32, ALL, user_data_32=1),
    breach(C.EXISTS_WITH_DIFFERENT_ASSET, ALL, asset=2),
    breach(C.EXISTS_WITH_DIFFERENT_CODE, ALL, code=2),
    breach(C.EXISTS),
    breach(C.FLAGS_ARE_EXCLUSIVE, (PLAIN,), flags=T.FREEZING_DEBIT | T.THAWING_DEBIT),
    breach(C.FLAGS_ARE_EXCLUSIVE, (HOLDING,), flags=T.FREEZING_DEBIT),
    breach(C.FLAGS_ARE_EXCLUSIVE, RESOLVING, flags=T.BALANCING_CREDIT),
    breach(C.HOLD_ID_MUST_BE_ZERO, NEW, hold=HOLD),
    breach(C.HOLD_ID_MUST_BE_ZERO, NEW, hold=REQUEST),
    breach(C.HOLD_ID_MUST_NOT_BE_ZERO, RESOLVING, hold=0),
    breach(C.HOLD_ID_MUST_BE_DIFFERENT, RESOLVING, hold=REQUEST),
    breach(C.TIMEOUT_RESERVED_FOR_HOLD, (PLAIN, CAPTURING, RELEASING), timeout=1),
    breach(C.DEBIT_ACCOUNT_MUST_NOT_BE_ZERO, NEW, debit=0),
    breach(C.CREDIT_ACCOUNT_MUST_NOT_BE_ZERO, NEW, credit=0),
    breach(C.ACCOUNTS_MUST_BE_DIFFERENT, ALL, debit=DEBIT, credit=DEBIT),
    breach(C.AMOUNT_MUST_NOT_BE_NEGATIVE, ALL, amount=-1),
    breach(C.AMOUNT_MUST_NOT_BE_ZERO, (PLAIN, HOLDING, CAPTURING), amount=0),
    breach(C.ASSET_MUST_NOT_BE_ZERO, NEW, asset=0),
    breach(C.CODE_MUST_NOT_BE_ZERO, NEW, code=0),
    breach(C.IMPORTED_TIME_OUT_OF_RANGE, NEW, flags=T.IMPORTED, time=-5),
    breach(C.IMPORTED_TIME_IN_FUTURE, NEW, flags=T.IMPORTED, time=START_NS),
    breach(C.IMPORTED_TIME_REGRESSED, NEW, flags=T.IMPORTED, time=1),
    breach(C.HOLD_NOT_FOUND, RESOLVING, hold=999),
    breach(C.TRANSFER_IS_NOT_A_HOLD, RESOLVING, hold=NOT_A_HOLD),
    breach(C.HOLD_HAS_DIFFERENT_DEBIT_ACCOUNT, RESOLVING, debit=THIRD),
    breach(C.HOLD_HAS_DIFFERENT_CREDIT_ACCOUNT, RESOLVING, credit=FOURTH),
    breach(C.HOLD_HAS_DIFFERENT_ASSET, RESOLVING, asset=2),
    breach(C.HOLD_HAS_DIFFERENT_CODE, RESOLVING, code=2),
    breach(C.EXCEEDS_HOLD, (CAPTURING,), amount=6),
    breach(C.HOLD_HAS_DIFFERENT_AMOUNT, (RELEASING,), amount=6),
    breach(C.HOLD_ALREADY_CAPTURED, RESOLVING, "captured"),
    breach(C.HOLD_ALREADY_RELEASED, RESOLVING, "released"),
    breach(C.HOLD_EXPIRED, RESOLVING, "late"),
    breach(C.DEBIT_ACCOUNT_NOT_FOUND, NEW, debit=MISSING),
    breach(C.CREDIT_ACCOUNT_NOT_FOUND, NEW, credit=MISSING + 1),
    breach(C.ACCOUNTS_HAVE_DIFFERENT_ASSETS, NEW, "credit asset"),
    breach(C.ASSET_DIFFERS_FROM_ACCOUNTS, NEW, asset=3),
    breach(C.DEBIT_ACCOUNT_NOT_CLOSED, (PLAIN,), flags=T.REOPENING_DEBIT),
    breach(C.CREDIT_ACCOUNT_NOT_CLOSED, (PLAIN,), flags=T.REOPENING_CREDIT),
    breach(C.DEBIT_ACCOUNT_CLOSED, NEW, "debit closed"),
    breach(C.CREDIT_ACCOUNT_CLOSED, NEW, "credit closed"),
    breach(C.DEBIT_ACCOUNT_NOT_FROZEN, (PLAIN,), flags=T.THAWING_DEBIT),
    breach(C.CREDIT_ACCOUNT_NOT_FROZEN, (PLAIN,), flags=T.THAWING_CREDIT),
    breach(C.DEBIT_ACCOUNT_FROZEN, (*NEW, CAPTURING), "debit frozen"),
    breach(C.CREDIT_ACCOUNT_FROZEN, (*NEW, CAPTURING), "credit frozen"),
    breach(C.OVERFLOWS_DEBITS, NEW, "debit full"),
    breach(C.OVERFLOWS_CREDITS, NEW, "credit full"),
    breach(C.EXCEEDS_CREDITS, NEW, "debit limited"),
    breach(C.EXCEEDS_DEBITS, NEW, "credit limited"),
    breach(C.DEBIT_ACCOUNT_NOT_EMPTY, (PLAIN,), flags=T.CLOSING_DEBIT),
    breach(C.CREDIT_ACCOUNT_NOT_EMPTY, (PLAIN,), flags=T.CLOSING_CREDIT),
    breach(C.LEDGER_FULL, ALL, "ledger full"),
)


Ledgers = Callable[[int], Mapping[str, Ledger]]
"""Makes ledgers with room for so many transfers."""


class Situation:
    """A ledger in which a request of one kind breaks the rules of some breaches."""

    def __init__(self, kind: str, *breaches: Breach) -> None:
        self.kind = kind
        self.world = frozenset[str]().union(*(each.world for each in breaches))
        self.sent_before = any(each.sent_before for each in breaches)
        self.first = {"id": REQUEST, "flags": 0, **BASES[kind]}
        self.request = dict(self.first)
        for each in breaches:
            self.request |= each.fields
            self.request["flags"] |= each.flags

    def answer(self, ledgers: Ledgers) -> TransferCode:
        """Build it and send the request. A full ledger is one with as much room as a first try has taken."""
        room = 1000
        if "ledger full" in self.world:
            trial = Model()
            self.build(Agreement({"model": trial}))
            room = trial.transfers_count
        ledger = Agreement(ledgers(room))
        now = self.build(ledger)
        batch = [self.request]
        if "chain" in self.world:
            batch.insert(0, {"id": 0, "flags": int(T.LINKED)})
        return ledger.post(raw.transfers(batch), now)[-1]

    def build(self, ledger: Agreement) -> int:
        """Do everything that comes before the request; return the time at which it comes."""
        self.ids = iter(range(FRESH, FRESH + 100))
        self.open_accounts(ledger)
        self.pay(ledger, FOURTH, THIRD, 1)
        if self.kind in RESOLVING:
            first = BASES[PLAIN]
            self.send(ledger, {**first, "id": NOT_A_HOLD}, {**first, "id": HOLD, "flags": T.HOLD, "timeout": 60})
        if self.sent_before:
            self.give_room(ledger)
            self.send(ledger, self.first)
        elif self.world & {"captured", "released"}:
            flags = T.CAPTURE if "captured" in self.world else T.RELEASE
            self.send(ledger, {"id": next(self.ids), "hold": HOLD, "amount": AMOUNT_ALL, "flags": flags})
        self.fill(ledger)
        self.close_and_freeze(ledger)
        return START_NS + (LATE_NS if "late" in self.world else 0)

    def open_accounts(self, ledger: Agreement) -> None:
        """Open the two accounts, with a peer for each to pay from and to, and others."""
        limits = {DEBIT: A.DEBITS_LIMITED * ("debit limited" in self.world)}
        limits[CREDIT] = A.CREDITS_LIMITED * ("credit limited" in self.world)
        rows = [
            {"id": number, "asset": self.asset(number), "code": 1, "flags": int(limits.get(number, 0))}
            for number in (DEBIT, CREDIT, DEBIT_PEER, CREDIT_PEER, THIRD, FOURTH)
        ]
        assert not any(ledger.open_accounts(raw.accounts(rows), START_NS))

    def asset(self, account: int) -> int:
        """Return the asset of an account: that of the credit account may be another."""
        return 2 if account in (CREDIT, CREDIT_PEER) and "credit asset" in self.world else 1

    def give_room(self, ledger: Agreement) -> None:
        """Let accounts with a limit take the request once."""
        if "debit limited" in self.world:
            self.pay(ledger, DEBIT_PEER, DEBIT, 5)
        if "credit limited" in self.world:
            self.pay(ledger, CREDIT, CREDIT_PEER, 5)

    def fill(self, ledger: Agreement) -> None:
        """Bring both sums of a full account to the largest amount, the one that its limit asks for first."""
        if "debit full" in self.world:
            sums = self.sums(ledger, DEBIT)
            self.pay(ledger, DEBIT_PEER, DEBIT, AMOUNT_MAX - sums["credits_posted"])
            self.pay(ledger, DEBIT, DEBIT_PEER, AMOUNT_MAX - sums["debits_posted"] - sums["debits_held"])
        if "credit full" in self.world:
            sums = self.sums(ledger, CREDIT)
            self.pay(ledger, CREDIT, CREDIT_PEER, AMOUNT_MAX - sums["debits_posted"])
            self.pay(ledger, CREDIT_PEER, CREDIT, AMOUNT_MAX - sums["credits_posted"] - sums["credits_held"])

    def close_and_freeze(self, ledger: Agreement) -> None:
        """Empty and close, or freeze, or both, in one transfer for each account."""
        for account, peer, name in ((DEBIT, DEBIT_PEER, "debit"), (CREDIT, CREDIT_PEER, "credit")):
            flags = T.FREEZING_DEBIT if f"{name} frozen" in self.world else T(0)
            if f"{name} closed" in self.world:
                flags |= T.CLOSING_DEBIT
                self.empty(ledger, account, peer)
            if flags:
                row = {"id": next(self.ids), "debit": account, "credit": peer, "flags": int(flags), "code": 1}
                self.send(ledger, {**row, "asset": self.asset(account)})

    def empty(self, ledger: Agreement, account: int, peer: int) -> None:
        """Release what the request, sent before, may hold, and balance the account both ways."""
        if self.sent_before and self.kind == HOLDING and self.sums(ledger, account)["transfers"]:
            ledger.post(raw.transfers([{"id": next(self.ids), "hold": REQUEST, "flags": int(T.RELEASE)}]), START_NS)
        self.pay(ledger, account, peer, AMOUNT_ALL, flags=T.BALANCING_DEBIT)
        self.pay(ledger, peer, account, AMOUNT_ALL, flags=T.BALANCING_CREDIT)

    def pay(self, ledger: Agreement, debit: int, credit: int, amount: int, *, flags: int = 0) -> None:
        """Send one payment that helps to build the situation."""
        row = {"id": next(self.ids), "debit": debit, "credit": credit, "amount": amount, "flags": int(flags)}
        self.send(ledger, {**row, "asset": self.asset(debit), "code": 1})

    def send(self, ledger: Agreement, *rows: Mapping[str, int]) -> None:
        """Send rows that must be accepted."""
        codes = ledger.post(raw.transfers(rows), START_NS)
        assert not any(codes), f"the situation can't be built: {rows} {codes}"

    def sums(self, ledger: Agreement, account: int) -> Row:
        """Return an account's fields."""
        accounts = ledger.accounts()
        found = accounts[raw.wide(accounts, "id").index(account)]
        return {name: int(found[name]) for name in accounts.dtype.names or ()}
