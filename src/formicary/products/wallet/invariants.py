"""What always holds of the wallet, after every entry. Rows are read in pages, for there may be many."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from formicary.kernel.records import AccountFlag
from formicary.products.wallet.codes import ALIASES_MAX, CLOSED, FROZEN, OPEN, PURSE, TRUSTED_MAX
from formicary.products.wallet.limits import SPENT_MAX

if TYPE_CHECKING:
    from formicary.machine.context import View
    from formicary.machine.fence import Row

PAGE: Final = 1000


def purses_have_their_accounts(view: View) -> None:
    """Each purse is an account of its currency that can't be overdrawn, and knows its person."""
    for person, asset, name, day_minor, year_minor, raise_ns, raise_timer in _purses(view):
        account = view.account(int.from_bytes(name, "big"))
        where = f"{person.hex()} in {asset}"
        assert account is not None, f"{where}: no account"
        assert (account.asset, account.code) == (asset, PURSE), f"{where}: the account is another kind"
        assert AccountFlag.DEBITS_LIMITED in account.flags, f"{where}: the account has no lower end"
        assert account.user_data == int.from_bytes(person, "big"), f"{where}: the account is somebody else's"
        assert account.debits_held + account.debits_posted <= account.credits_posted, f"{where}: overdrawn"
        assert 0 <= day_minor <= SPENT_MAX, f"{where}: spending of a day"
        assert 0 <= year_minor <= SPENT_MAX, f"{where}: spending of a year"
        assert (raise_ns > 0) == (raise_timer > 0), f"{where}: a wish without its timer, or a timer without a wish"


def states_say_who_froze(view: View) -> None:
    """Frozen is who froze themselves or was frozen; closed has neither devices nor names nor roles nor trust."""
    for person, state, self_frozen, operator_frozen in _people(view):
        if state == CLOSED:
            _assert_forgotten(view, person)
        else:
            expected = FROZEN if self_frozen or operator_frozen else OPEN
            assert state == expected, f"{person.hex()} is {state}, and should be {expected}"
            trusted = view.rows.all("SELECT contact FROM wallet_trusted WHERE person = ? ORDER BY contact", person)
            assert len(trusted) <= TRUSTED_MAX, f"{person.hex()} trusts too many"
            assert (person,) not in trusted, f"{person.hex()} trusts themselves"
            sql = "SELECT alias FROM wallet_aliases WHERE person = ? AND released_ns = 0 ORDER BY alias"
            assert len(view.rows.all(sql, person)) <= ALIASES_MAX, f"{person.hex()} has too many aliases"


def recoveries_keep_their_words(view: View) -> None:
    """Only a recovery under way has a timer and vouchers, and only trusted contacts vouch."""
    for name, person, state, timer in _recoveries(view):
        sql = "SELECT contact FROM wallet_vouchers WHERE recovery = ? ORDER BY contact"
        vouchers = [contact for (contact,) in view.rows.all(sql, name)]
        trusted = view.rows.all("SELECT contact FROM wallet_trusted WHERE person = ? ORDER BY contact", person)
        under_way = state in {"asked", "approved"}
        assert (timer > 0) == under_way, f"recovery {name.hex()} is {state} with timer {timer}"
        assert under_way or not vouchers, f"recovery {name.hex()} ended and has vouchers"
        assert state != "approved" or vouchers, f"recovery {name.hex()} goes on without anybody's word"
        assert all((contact,) in trusted for contact in vouchers), f"recovery {name.hex()}: a stranger vouched"


INVARIANTS: Final = (purses_have_their_accounts, states_say_who_froze, recoveries_keep_their_words)


def _assert_forgotten(view: View, person: bytes) -> None:
    for sql in (
        "SELECT count(*) FROM wallet_devices WHERE person = ? ORDER BY 1",
        "SELECT count(*) FROM wallet_contacts WHERE person = ? ORDER BY 1",
        "SELECT count(*) FROM wallet_aliases WHERE person = ? AND released_ns = 0 ORDER BY 1",
        "SELECT count(*) FROM wallet_trusted WHERE person = ? ORDER BY 1",
        "SELECT count(*) FROM wallet_trusted WHERE contact = ? ORDER BY 1",
        "SELECT count(*) FROM wallet_roles WHERE person = ? ORDER BY 1",
        "SELECT count(*) FROM wallet_purses WHERE person = ? AND raise_ns > 0 ORDER BY 1",
    ):
        assert view.rows.one(sql, person) == (0,), f"{person.hex()} is closed, and yet: {sql}"


def _people(view: View) -> Iterator[Row]:
    sql = """SELECT person, state, self_frozen, operator_frozen FROM wallet_people WHERE person > ?
             ORDER BY person LIMIT ?"""
    rows = view.rows.all(sql, b"", PAGE)
    while rows:
        yield from rows
        rows = view.rows.all(sql, rows[-1][0], PAGE)


def _purses(view: View) -> Iterator[Row]:
    sql = """SELECT person, asset, account, day_minor, year_minor, raise_ns, raise_timer FROM wallet_purses
             WHERE (person, asset) > (?, ?) ORDER BY person, asset LIMIT ?"""
    rows = view.rows.all(sql, b"", 0, PAGE)
    while rows:
        yield from rows
        rows = view.rows.all(sql, rows[-1][0], rows[-1][1], PAGE)


def _recoveries(view: View) -> Iterator[Row]:
    sql = """SELECT recovery, person, state, timer FROM wallet_recoveries WHERE recovery > ?
             ORDER BY recovery LIMIT ?"""
    rows = view.rows.all(sql, b"", PAGE)
    while rows:
        yield from rows
        rows = view.rows.all(sql, rows[-1][0], PAGE)
