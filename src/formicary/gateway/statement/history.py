"""What moved on an account, from the kernel's own history: exact, in order, with the balance after each line.

The kernel says what moved and what the balance was; nothing here is added up that it does not confirm. A hold moves
nothing until it is captured, so holds, releases and expiries are no lines. A shop's fee, which the kernel books right
beside the sale, stands on the sale's own line. So on any span, with signs as below::

    opening + Σ (amount - fee) = closing
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from formicary.base.errors import Refusal
from formicary.kernel.records import TransferFlag
from formicary.products.shop.codes import FEE, FEE_BACK
from formicary.queries import TransferFilter

if TYPE_CHECKING:
    from formicary.kernel.objects import Transfer
    from formicary.node.ledger import Ledger
    from formicary.queries import Balances

TRANSFERS_MAX: Final = 50_000
"""Transfers of one account, holds included, that one statement looks at."""
READ_AT_ONCE: Final = 5_000
BESIDE_NS: Final = 1
"""Transfers of one chain follow one another by so much on the ledger's clock."""


@dataclass(frozen=True, slots=True)
class Line:
    """One movement. What came in is positive, what went out negative; minor units."""

    transfer: int
    hold: int
    """The hold that it captured; 0 for none."""
    time_ns: int
    code: int
    amount_minor: int
    """Without the fee."""
    fee_minor: int
    """What the institution took off for it; negative when it gave a fee back."""
    balance_minor: int
    """After it, and after its fee."""


@dataclass(frozen=True, slots=True)
class History:
    """All that moved in a span, whole."""

    opening_minor: int
    closing_minor: int
    held_minor: int
    """Of the closing balance, what is held away for payments that are not final."""
    coming_minor: int
    """Beyond the closing balance, what is held for the account."""
    lines: tuple[Line, ...]
    through_ns: int
    """Time of the newest transfer that counts: the same span up to this time always gives the same."""

    @property
    def in_minor(self) -> int:
        """What came in, without fees."""
        return sum(line.amount_minor for line in self.lines if line.amount_minor > 0)

    @property
    def out_minor(self) -> int:
        """What went out, without fees; not negative."""
        return -sum(line.amount_minor for line in self.lines if line.amount_minor < 0)

    @property
    def fee_minor(self) -> int:
        """The fees, less what was given back of them."""
        return sum(line.fee_minor for line in self.lines)


def read_history(ledger: Ledger, account: int, *, from_ns: int, to_ns: int) -> History:
    """Read what moved on an account in a span of ns since 1970, both ends included; blocks on the ledger.

    Refuses ``statement_too_long`` beyond TRANSFERS_MAX. The span is cut at the newest transfer there is, so that what
    comes while reading changes nothing: the past never does.
    """
    newest = ledger.query(TransferFilter(account=account, time_max_ns=to_ns, limit=1)).transfers
    if not newest:
        return History(0, 0, 0, 0, (), 0)
    through_ns = newest[0].time
    end = ledger.balance_as_of(account, through_ns)
    opening = end if through_ns < from_ns else _before(ledger, account, from_ns)
    lines = tuple(_with_fees(_moves(ledger, account, opening.posted, from_ns=from_ns, to_ns=through_ns)))
    history = History(opening.posted, end.posted, end.debits_held, end.credits_held, lines, through_ns)
    moved = history.in_minor - history.out_minor - history.fee_minor
    assert opening.posted + moved == end.posted, "a statement adds up"
    return history


def _before(ledger: Ledger, account: int, time_ns: int) -> Balances:
    return ledger.balance_as_of(account, max(0, time_ns - 1))


def _moves(ledger: Ledger, account: int, opening_minor: int, *, from_ns: int, to_ns: int) -> Iterator[Line]:
    """What changed the balance, oldest first; each change is the kernel's own, from one balance to the next."""
    if to_ns < from_ns:
        return
    seen, cursor, balance_minor = 0, 0, opening_minor
    while True:
        page = ledger.balance_history(
            TransferFilter(
                account=account,
                time_min_ns=from_ns,
                time_max_ns=to_ns,
                newest_first=False,
                limit=READ_AT_ONCE,
                cursor=cursor,
            )
        )
        seen += len(page.records)
        if seen > TRANSFERS_MAX or (seen == TRANSFERS_MAX and page.cursor):
            raise Refusal("the span has too many transfers", code="statement_too_long")
        for transfer, after in page.entries:
            change = after.posted - balance_minor
            balance_minor = after.posted
            _check(transfer, account, change)
            if change:
                yield Line(transfer.id, transfer.hold_id, transfer.time, transfer.code, change, 0, balance_minor)
        cursor = page.cursor
        if not cursor:
            return


def _check(transfer: Transfer, account: int, change: int) -> None:
    """Whether the balance moved by what the transfer says."""
    still = TransferFlag.HOLD | TransferFlag.RELEASE | TransferFlag.EXPIRY
    if transfer.flags & still or transfer.debit == transfer.credit:
        assert change == 0, "a hold and its end move nothing"
    else:
        assert change == (transfer.amount if transfer.credit == account else -transfer.amount), "the kernel's own sums"


def _with_fees(moves: Iterator[Line]) -> Iterator[Line]:
    """Put a fee on the line that it belongs to: one taken follows its sale, one given back goes before its refund."""
    waiting: Line | None = None
    for line in moves:
        if waiting is None:
            waiting = line
        elif line.code == FEE and _belong(waiting, line) and waiting.amount_minor > 0:
            yield replace(waiting, fee_minor=-line.amount_minor, balance_minor=line.balance_minor)
            waiting = None
        elif waiting.code == FEE_BACK and _belong(waiting, line) and line.amount_minor < 0:
            yield replace(line, fee_minor=-waiting.amount_minor)
            waiting = None
        else:
            yield waiting
            waiting = line
    if waiting is not None:
        yield waiting


def _belong(first: Line, second: Line) -> bool:
    return second.time_ns - first.time_ns <= BESIDE_NS
