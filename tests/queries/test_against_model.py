"""Every query against the same question asked of the model's plain lists, on ledgers that Hypothesis makes up."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from formicary import queries
from formicary.kernel.kernel import Kernel
from formicary.kernel.objects import accounts_from, transfers_from
from formicary.queries import AccountFilter, Balances, HoldState, TransferFilter
from formicary.testing import raw, strategies
from formicary.testing.agreement import Agreement
from formicary.testing.model import Model
from formicary.testing.model_books import ModelAccount, ModelTransfer
from formicary.testing.model_rules import A, T

START_NS = 1_700_000_000_000_000_000
STEP_NS = 700_000_000
TIMES = tuple(START_NS + STEP_NS * step for step in range(-1, 14))


class Books:
    """A kernel and a model that have seen the same."""

    def __init__(self) -> None:
        self.kernel, self.model = Kernel(None), Model()
        self.ledger = Agreement({"kernel": self.kernel, "model": self.model})
        self.now = START_NS

    @property
    def transfers(self) -> list[ModelTransfer]:
        """All stored transfers."""
        return self.model.books.transfers

    @property
    def accounts(self) -> list[ModelAccount]:
        """All accounts."""
        return list(self.model.books.accounts.values())


@st.composite
def books(draw: st.DrawFn) -> Books:
    """A ledger after some batches, with times half a second and more apart."""
    made = Books()
    flags = (0, 0, A.DEBITS_LIMITED, 0)
    rows = [
        {"id": number, "asset": 1, "code": 1 + number % 2, "user_data_64": number % 3, "flags": int(flag)}
        for number, flag in zip(strategies.ACCOUNT_IDS, flags, strict=False)
    ]
    made.ledger.open_accounts(raw.accounts(rows), made.now)
    fresh = itertools.count(1000)
    for batch in draw(st.lists(strategies.transfer_batches(), max_size=12)):
        made.now += STEP_NS
        holds = [each.id for each in made.transfers if each.has(T.HOLD) and each.id not in made.model.books.resolved_by]
        made.ledger.expire(made.now, 1)
        made.ledger.post(raw.transfers(strategies.complete(batch, now=made.now, fresh=fresh, holds=holds)), made.now)
    made.ledger.open_accounts(raw.accounts(draw(strategies.account_batches())), made.now)
    return made


def maybe(*values: int) -> st.SearchStrategy[int]:
    """Mostly any, sometimes one of ``values``."""
    return st.sampled_from((0, 0, 0, *values))


def filters(kind: Callable[..., Any], **more: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Filters over the values that the ledgers have."""
    times = st.tuples(st.sampled_from(TIMES), st.sampled_from(TIMES)).map(sorted)
    times = st.one_of(st.just([0, 2**63 - 1]), times)
    return st.builds(
        lambda between, **fields: kind(time_min_ns=between[0], time_max_ns=between[1], **fields),
        times,
        asset=maybe(1, 2),
        code=maybe(1, 2),
        user_data=maybe(1, strategies.HALF),
        user_data_64=maybe(1, 2),
        user_data_32=maybe(1),
        newest_first=st.booleans(),
        limit=st.sampled_from((1, 2, 3, 5, 8190)),
        **more,
    )


account_filters = filters(AccountFilter)
transfer_filters = filters(
    TransferFilter,
    account=st.sampled_from((0, *strategies.ACCOUNT_IDS[:4])),
    debits=st.booleans(),
    credits=st.booleans(),
).filter(lambda wanted: wanted.debits or wanted.credits)


def passes(record: ModelTransfer | ModelAccount, wanted: TransferFilter | AccountFilter) -> bool:
    """Whether a record has what a filter asks for, sides apart."""
    fields = ("asset", "code", "user_data", "user_data_64", "user_data_32")
    is_in_time = wanted.time_min_ns <= record.time <= wanted.time_max_ns
    return is_in_time and all(getattr(wanted, name) in (0, getattr(record, name)) for name in fields)


def expected_transfers(made: Books, wanted: TransferFilter) -> list[int]:
    """The places of the transfers that pass, in the filter's order."""
    places = [
        place
        for place, each in enumerate(made.transfers)
        if passes(each, wanted)
        if not wanted.account
        or (wanted.debits and each.debit == wanted.account)
        or (wanted.credits and each.credit == wanted.account)
    ]
    return places[::-1] if wanted.newest_first else places


def paged(ask: Callable[[Any], Any], wanted: Any) -> list[Any]:
    """All pages of a query."""
    pages = [ask(wanted)]
    while pages[-1].cursor:
        assert len(pages[-1].records) == wanted.limit, "only the last page may be short"
        pages.append(ask(type(wanted)(**{**as_fields(wanted), "cursor": pages[-1].cursor})))
    return pages


def as_fields(wanted: Any) -> dict[str, Any]:
    """A filter's fields by name."""
    return {name: getattr(wanted, name) for name in wanted.__struct_fields__}


def balances_after(made: Books, account: int, last: int) -> Balances:
    """An account's sums after the transfers up to place ``last``, added up from nothing."""
    sums = dict.fromkeys(("debits_held", "debits_posted", "credits_held", "credits_posted"), 0)
    amounts = {each.id: each.amount for each in made.transfers}
    for each in made.transfers[: last + 1]:
        for side in [side for side, of in (("debits", each.debit), ("credits", each.credit)) if of == account]:
            if each.has(T.HOLD):
                sums[f"{side}_held"] += each.amount
            elif each.has(T.CAPTURE | T.RELEASE | T.EXPIRY):
                sums[f"{side}_held"] -= amounts[each.hold_id]
            if not each.has(T.HOLD | T.RELEASE | T.EXPIRY):
                sums[f"{side}_posted"] += each.amount
    return Balances(**sums)


def ids_of(records: Sequence[Any]) -> list[int]:
    """The ids of objects."""
    return [record.id for record in records]


@given(made=books(), wanted=transfer_filters)
@settings(max_examples=150)
def test_transfers(made: Books, wanted: TransferFilter) -> None:
    """The pages together are what passes the filter, in its order; a moment taken before gives the same."""
    expected = [made.transfers[place].id for place in expected_transfers(made, wanted)]
    pages = paged(lambda asked: queries.transfers(made.kernel, asked), wanted)
    assert [number for page in pages for number in ids_of(page.transfers)] == expected
    start = queries.moment(made.kernel, wanted.account)
    row = {"id": 5000, "debit": 1, "credit": 2, "amount": 1, "asset": 1, "code": 1}
    made.kernel.post(raw.transfers([row]), made.now + STEP_NS)
    assert ids_of(queries.transfers(start, wanted).transfers) == expected[: wanted.limit]


@given(made=books(), wanted=transfer_filters, account=st.sampled_from(strategies.ACCOUNT_IDS[:4]))
@settings(max_examples=100)
def test_balance_history(made: Books, wanted: TransferFilter, account: int) -> None:
    """Each transfer that passes comes with the account's sums after it, also across pages."""
    wanted = TransferFilter(**{**as_fields(wanted), "account": account})
    places = expected_transfers(made, wanted)
    expected = [(made.transfers[place].id, balances_after(made, account, place)) for place in places]
    pages = paged(lambda asked: queries.balance_history(made.kernel, asked), wanted)
    assert [(each.id, balances) for page in pages for each, balances in page.entries] == expected


@given(made=books(), account=st.sampled_from(strategies.ACCOUNT_IDS[:4]), time_ns=st.sampled_from(TIMES))
@settings(max_examples=100)
def test_balance_as_of(made: Books, account: int, time_ns: int) -> None:
    """The sums at a time are those after the last transfer that is not later."""
    last = sum(each.time <= time_ns for each in made.transfers) - 1
    assert queries.balance_as_of(made.kernel, account, time_ns) == balances_after(made, account, last)


@given(made=books(), wanted=account_filters)
@settings(max_examples=100)
def test_accounts(made: Books, wanted: AccountFilter) -> None:
    """The pages together are the accounts that pass, as they are now."""
    expected = [each.id for each in made.accounts if passes(each, wanted)]
    pages = paged(lambda asked: queries.accounts(made.kernel, asked), wanted)
    found = [each for page in pages for each in page.accounts]
    assert ids_of(found) == (expected[::-1] if wanted.newest_first else expected)
    assert [(each.debits_posted, each.credits_held) for each in found] == [
        (made.model.books.accounts[each.id].debits_posted, made.model.books.accounts[each.id].credits_held)
        for each in found
    ]


@given(made=books(), ids=st.lists(st.sampled_from((*strategies.TRANSFER_IDS, *range(1000, 1010))), max_size=20))
@settings(max_examples=50)
def test_lookups(made: Books, ids: list[int]) -> None:
    """Lookups keep the order asked, twice the same if asked twice; raw ones leave out what isn't there."""
    accounts = {each.id: each for each in accounts_from(made.kernel.stored_accounts(0, made.kernel.accounts_count))}
    transfers = {each.id: each for each in transfers_from(made.ledger.transfers())}
    assert queries.lookup_accounts(made.kernel, ids) == [accounts.get(number) for number in ids]
    assert queries.lookup_transfers(made.kernel, ids) == [transfers.get(number) for number in ids]
    records = queries.lookup_transfer_records(made.kernel, ids)
    assert raw.wide(records, "id") == [number for number in ids if number in transfers]
    records = queries.lookup_account_records(made.kernel, ids)
    assert raw.wide(records, "id") == [number for number in ids if number in accounts]


@given(made=books())
@settings(max_examples=50)
def test_trial_balance(made: Books) -> None:
    """Every asset balances, and its sums are those of its accounts, code by code."""
    found = queries.trial_balance(made.kernel)
    assert found.balanced
    assert [asset.asset for asset in found.assets] == sorted({each.asset for each in made.accounts})
    for asset in found.assets:
        for code in asset.codes:
            group = [each for each in made.accounts if (each.asset, each.code) == (asset.asset, code.code)]
            assert code.accounts == len(group)
            assert code.debits_posted == sum(each.debits_posted for each in group)
            assert code.credits_held == sum(each.credits_held for each in group)
        assert asset.credits_posted == sum(each.credits_posted for each in made.accounts if each.asset == asset.asset)
        assert asset.accounts == sum(code.accounts for code in asset.codes)


@given(made=books(), later=st.sampled_from((0, 1_000_000_000, 100_000_000_000)))
@settings(max_examples=100)
def test_hold_status(made: Books, later: int) -> None:
    """Each transfer is no hold, or is one whose state the model knows."""
    now = made.now + later
    ends = {T.CAPTURE: HoldState.CAPTURED, T.RELEASE: HoldState.RELEASED, T.EXPIRY: HoldState.EXPIRED}
    for each in made.transfers:
        status = queries.hold_status(made.kernel, each.id, now)
        if not each.has(T.HOLD):
            assert status is None
            continue
        assert status is not None
        expires_at = each.expires_at() or 0
        flags = made.model.books.resolved_by.get(each.id, 0)
        expected = next((state for flag, state in ends.items() if flags & flag), None)
        expected = expected or (HoldState.EXPIRED if expires_at and expires_at <= now else HoldState.OPEN)
        assert (status.state, status.expires_at_ns) == (expected, expires_at)
        assert status.remaining_ns == (expires_at - now if expected is HoldState.OPEN and expires_at else 0)
        assert bool(status.resolved_by) == bool(flags)
