"""Questions of people about their own wallet, and of doors about whoever is in front of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

from formicary.base.errors import Refusal
from formicary.products.wallet.answers import (
    AccountItem,
    Accounts,
    AliasItem,
    ContactItem,
    DeviceItem,
    DeviceKey,
    DeviceKeys,
    Devices,
    Find,
    Found,
    LimitsAnswer,
    Me,
    Names,
    Nothing,
    OfAsset,
    OfPerson,
    Recoveries,
    RecoveryItem,
    TierItem,
    Tiers,
    Trusted,
    TrustItem,
)
from formicary.products.wallet.codes import CLOSED, CODES, FROZEN, VOUCHERS_NEEDED
from formicary.products.wallet.limits import TIERS, Limits, Spent, day_of, rule_limits

if TYPE_CHECKING:
    from formicary.machine.context import View

DIGEST_BYTES: Final = 32
RECOVERIES_SHOWN: Final = 20
_RECOVERY_COLUMNS: Final = "recovery, person, state, started_ns, due_ns"


class PersonRow(NamedTuple):
    """One person, as they stand."""

    person: bytes
    tier: int
    state: str
    self_frozen: int
    operator_frozen: str
    opened_ns: int

    @property
    def frozen_by(self) -> str:
        """Who stopped the payments; an operator's freeze comes before one's own, for it holds longer."""
        if self.state != FROZEN:
            return ""
        return "operator" if self.operator_frozen else "person"


def refuse(code: str) -> NoReturn:
    """Refuse a question with one of the wallet's codes."""
    raise Refusal(CODES[code], code=code)


def person_row(view: View, person: bytes) -> PersonRow:
    """One person, open, frozen or closed; refuses person_unknown."""
    sql = """SELECT person, tier, state, self_frozen, operator_frozen, opened_ns FROM wallet_people WHERE person = ?
             ORDER BY person"""
    found = view.rows.one(sql, person)
    return refuse("person_unknown") if found is None else PersonRow(*found)


def counted(view: View, sql: str, *values: int | str | bytes) -> int:
    """The one number of a counting query."""
    found = view.rows.one(sql, *values)
    assert found is not None, "count(*) always answers"
    return int(found[0])


def roles_of(view: View, person: bytes) -> tuple[str, ...]:
    """The roles of a person, whether or not they rest."""
    rows = view.rows.all("SELECT role FROM wallet_roles WHERE person = ? ORDER BY role", person)
    return tuple(role for (role,) in rows)


def aliases_count(view: View, person: bytes) -> int:
    """How many aliases a person has."""
    return counted(view, "SELECT count(*) FROM wallet_aliases WHERE person = ? AND released_ns = 0 ORDER BY 1", person)


def contacts_count(view: View, person: bytes) -> int:
    """How many contact points a person has noted."""
    return counted(view, "SELECT count(*) FROM wallet_contacts WHERE person = ? ORDER BY 1", person)


def devices_count(view: View, person: bytes) -> int:
    """How many devices may sign for a person."""
    return counted(view, "SELECT count(*) FROM wallet_devices WHERE person = ? ORDER BY 1", person)


def me(view: View, who: bytes, _asked: Nothing) -> Me:
    """How the asker's wallet stands."""
    row = person_row(view, who)
    return Me(
        person=row.person,
        tier=row.tier,
        state=row.state,
        opened_ns=row.opened_ns,
        frozen_by=row.frozen_by,
        aliases=aliases_count(view, who),
        contacts=contacts_count(view, who),
        devices=devices_count(view, who),
        roles=roles_of(view, who),
    )


def accounts(view: View, who: bytes, _asked: Nothing) -> Accounts:
    """Balances of the asker, by currency."""
    person_row(view, who)
    return Accounts(items=account_items(view, who))


def account_items(view: View, person: bytes) -> tuple[AccountItem, ...]:
    """Balances of a person, by currency."""
    rows = view.rows.all("SELECT asset, account FROM wallet_purses WHERE person = ? ORDER BY asset", person)
    return tuple(_account_item(view, asset, account) for asset, account in rows)


def _account_item(view: View, asset: int, account: bytes) -> AccountItem:
    found = view.account(int.from_bytes(account, "big"))
    assert found is not None, "a purse has its account"
    balance_minor = found.credits_posted - found.debits_posted
    return AccountItem(
        account=account,
        asset=asset,
        balance_minor=balance_minor,
        available_minor=balance_minor - found.debits_held,
        held_minor=found.debits_held,
        coming_minor=found.credits_held,
    )


def names(view: View, who: bytes, _asked: Nothing) -> Names:
    """Aliases and contact points of the asker, as digests."""
    person_row(view, who)
    sql = "SELECT alias, claimed_ns FROM wallet_aliases WHERE person = ? AND released_ns = 0 ORDER BY alias"
    aliases = [AliasItem(alias=alias, claimed_ns=at_ns) for alias, at_ns in view.rows.all(sql, who)]
    sql = "SELECT contact, kind, findable FROM wallet_contacts WHERE person = ? ORDER BY contact"
    contacts = [
        ContactItem(contact=contact, kind=kind, findable=bool(findable))
        for contact, kind, findable in view.rows.all(sql, who)
    ]
    return Names(aliases=tuple(aliases), contacts=tuple(contacts))


def devices(view: View, who: bytes, _asked: Nothing) -> Devices:
    """Devices of the asker, oldest first."""
    person_row(view, who)
    sql = "SELECT device, kind, label, added_ns FROM wallet_devices WHERE person = ? ORDER BY added_ns, device"
    return Devices(
        items=tuple(
            DeviceItem(device=device, kind=kind, label=label, added_ns=added_ns)
            for device, kind, label, added_ns in view.rows.all(sql, who)
        )
    )


def device_keys(view: View, _who: bytes, asked: OfPerson) -> DeviceKeys:
    """Keys of a person's devices, for a door that checks a signature."""
    sql = "SELECT device, kind, key FROM wallet_devices WHERE person = ? ORDER BY added_ns, device"
    rows = view.rows.all(sql, asked.person)
    return DeviceKeys(items=tuple(DeviceKey(device=device, kind=kind, key=key) for device, kind, key in rows))


def limits(view: View, who: bytes, asked: OfAsset) -> LimitsAnswer:
    """Limits of the asker in a currency, and what was spent in the UTC day and year that it is."""
    row = person_row(view, who)
    sql = """SELECT day, day_minor, year, year_minor, own_payment_minor, own_day_minor, raise_payment_minor,
                    raise_day_minor, raise_ns FROM wallet_purses WHERE person = ? AND asset = ? ORDER BY person"""
    found = view.rows.one(sql, who, asked.asset)
    if found is None:
        refuse("currency_not_open")
    day, day_minor, year, year_minor, own_payment, own_day, raise_payment, raise_day, raise_ns = found
    spent = Spent(day, day_minor, year, year_minor).at(day_of(view.time_ns))
    tier = tier_limits(view, row.tier, asked.asset)
    return LimitsAnswer(
        asset=asked.asset,
        tier=row.tier,
        payment_minor=tier.payment_minor,
        day_minor=tier.day_minor,
        year_minor=tier.year_minor,
        balance_minor=tier.balance_minor,
        own_payment_minor=own_payment,
        own_day_minor=own_day,
        raise_payment_minor=raise_payment,
        raise_day_minor=raise_day,
        raise_ns=raise_ns or None,
        spent_day_minor=spent.day_minor,
        spent_year_minor=spent.year_minor,
    )


def tier_limits(view: View, tier: int, asset: int) -> Limits:
    """Limits of a tier in a currency, by its row or by the rule."""
    sql = """SELECT payment_minor, day_minor, year_minor, balance_minor FROM wallet_limits WHERE tier = ? AND asset = ?
             ORDER BY tier"""
    found = view.rows.one(sql, tier, asset)
    return rule_limits(tier, asset) if found is None else Limits(*found)


def tiers(view: View, _who: bytes, asked: OfAsset) -> Tiers:
    """Limits of every tier in a currency."""
    items = (
        TierItem(
            tier=tier,
            payment_minor=found.payment_minor,
            day_minor=found.day_minor,
            year_minor=found.year_minor,
            balance_minor=found.balance_minor,
        )
        for tier in TIERS
        for found in (tier_limits(view, tier, asked.asset),)
    )
    return Tiers(asset=asked.asset, items=tuple(items))


def trusted(view: View, who: bytes, _asked: Nothing) -> Trusted:
    """Trusted contacts of the asker, and those whose trusted contact the asker is."""
    person_row(view, who)
    own = view.rows.all("SELECT contact, since_ns FROM wallet_trusted WHERE person = ? ORDER BY contact", who)
    others = view.rows.all("SELECT person, since_ns FROM wallet_trusted WHERE contact = ? ORDER BY person", who)
    return Trusted(
        items=tuple(TrustItem(person=person, since_ns=since_ns) for person, since_ns in own),
        trusted_by=tuple(TrustItem(person=person, since_ns=since_ns) for person, since_ns in others),
    )


def recoveries(view: View, who: bytes, _asked: Nothing) -> Recoveries:
    """Recoveries that concern the asker."""
    person_row(view, who)
    sql = f"""SELECT {_RECOVERY_COLUMNS} FROM wallet_recoveries WHERE person = ?
              ORDER BY started_ns DESC, recovery LIMIT ?"""  # noqa: S608 - put together from our own constants
    own = view.rows.all(sql, who, RECOVERIES_SHOWN)
    sql = "SELECT person FROM wallet_trusted WHERE contact = ? ORDER BY person"
    sql_open = f"""SELECT {_RECOVERY_COLUMNS} FROM wallet_recoveries
                   WHERE person = ? AND state IN ('asked', 'approved') ORDER BY started_ns, recovery"""  # noqa: S608
    others = [row for (person,) in view.rows.all(sql, who) for row in view.rows.all(sql_open, person)]
    return Recoveries(
        items=tuple(_recovery_item(view, who, *row) for row in own),
        to_vouch=tuple(_recovery_item(view, who, *row) for row in others),
    )


def _recovery_item(  # noqa: PLR0917 - a row's columns
    view: View, who: bytes, name: bytes, person: bytes, state: str, started_ns: int, due_ns: int
) -> RecoveryItem:
    sql = "SELECT contact FROM wallet_vouchers WHERE recovery = ? ORDER BY contact"
    vouched = [contact for (contact,) in view.rows.all(sql, name)]
    people = counted(view, "SELECT count(*) FROM wallet_trusted WHERE person = ? ORDER BY 1", person)
    return RecoveryItem(
        recovery=name,
        person=person,
        state=state,
        started_ns=started_ns,
        due_ns=due_ns or None,
        vouched=len(vouched),
        needed=min(VOUCHERS_NEEDED, people),
        vouched_by_me=who in vouched,
    )


def find(view: View, _who: bytes, asked: Find) -> Found:
    """Whom a digest belongs to: exact match only, and for a contact point only with its person's consent."""
    digest = digest_of(asked.digest, DIGEST_BYTES)
    sql = "SELECT person FROM wallet_aliases WHERE alias = ? AND released_ns = 0 ORDER BY alias"
    found = view.rows.one(sql, digest)
    if found is not None:
        return Found(person=found[0], kind="alias")
    sql = """SELECT c.person, c.kind FROM wallet_contacts AS c JOIN wallet_people AS p ON p.person = c.person
             WHERE c.contact = ? AND c.findable = 1 AND p.state <> ? ORDER BY c.contact"""
    found = view.rows.one(sql, digest, CLOSED)
    return refuse("nobody_found") if found is None else Found(person=found[0], kind=found[1])


def digest_of(text: str, size: int) -> bytes:
    """Bytes of hexadecimal digits in lower case; refuses digest_unreadable."""
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        digest = b""
    return digest if len(digest) == size and digest.hex() == text else refuse("digest_unreadable")
