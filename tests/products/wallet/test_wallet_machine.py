"""The wallet against an obvious model: people, money, limits, trust and devices in plain dictionaries."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from formicary.products.anatomy import Message
from formicary.products.wallet import product
from formicary.products.wallet.answers import Devices, Nothing, OfAsset
from formicary.products.wallet.codes import NODE
from formicary.products.wallet.commands import (
    AddDevice,
    ClaimAlias,
    Close,
    Freeze,
    FreezePerson,
    Open,
    RemoveDevice,
    SetOwnLimit,
    SetTier,
    Trust,
    Unfreeze,
    UnfreezePerson,
    Untrust,
)
from formicary.products.wallet.offers import Purses
from formicary.products.wallet.strategies import (
    EUR,
    PEOPLE,
    UNKNOWN,
    aliases,
    amounts,
    devices,
    freezes,
    opens,
    own_limits,
    people,
    tiers,
    trusts,
)
from formicary.testing.trial import SECOND_NS, Trial

from tests.products.wallet.probe import PROBE, Pay, Payouts, Receive

DAY_S = 86_400
MONEY = 40_000
TIER_LIMITS = (
    (15_000, 25_000, 250_000, 50_000),
    (250_000, 500_000, 3_000_000, 1_500_000),
    (10**7, 10**8, 10**9, 10**9),
)
"""In euro cents: a payment, a day, a year, a balance."""


@dataclass
class Person:
    """What the model knows of somebody. Spending is a list of (day, cents)."""

    assets: tuple[int, ...]
    tier: int = 0
    closed: bool = False
    frozen_by: set[str] = field(default_factory=set)
    cents: int = 0
    spent: list[tuple[int, int]] = field(default_factory=list)
    own: tuple[int, int] = (0, 0)
    wish: tuple[int, int] | None = None
    wish_at_s: int = 0
    trusts: set[bytes] = field(default_factory=set)
    devices: set[bytes] = field(default_factory=set)


def first(ladder: dict[str, bool]) -> str:
    """The first rung that breaks, or ok."""
    return next((code for code, broken in ladder.items() if broken), "ok")


def lower(old: int, new: int) -> int:
    """The lower limit, where zero is none and so the highest of all."""
    return min((limit for limit in (old, new) if limit), default=0)


class Model:
    """What the wallet means, without a ledger. Every check is a ladder; the first broken rung is the answer."""

    def __init__(self) -> None:
        self.people: dict[bytes, Person] = {}
        self.aliases: dict[bytes, tuple[bytes, bool]] = {}

    def there(self, who: bytes, *, active: bool = False) -> dict[str, bool]:
        """The rungs that nearly every command begins with."""
        person = self.people.get(who)
        ladder = {"person_unknown": person is None, "person_closed": person is not None and person.closed}
        return ladder | ({"person_frozen": person is not None and bool(person.frozen_by)} if active else {})

    def alias(self, who: bytes, alias: bytes) -> dict[str, bool]:
        """The rungs of taking an alias; nobody waits here until one has rested."""
        holder, used = self.aliases.get(alias, (who, False))
        mine = sum(1 for owner, in_use in self.aliases.values() if owner == who and in_use)
        return {"alias_taken": used, "alias_resting": holder != who, "aliases_too_many": mine >= 3}

    def pays(self, who: bytes, amount: int, day: int) -> dict[str, bool]:
        """The rungs of a payer in euros."""
        person = self.people.get(who)
        if person is None:
            return {"person_unknown": True}
        payment, in_day, in_year, _ = TIER_LIMITS[person.tier]
        own_payment, own_day = person.own
        today = sum(cents for at, cents in person.spent if at == day) + amount
        this_year = sum(cents for _, cents in person.spent) + amount
        return {
            "person_frozen": bool(person.frozen_by),
            "person_closed": person.closed,
            "currency_not_open": EUR not in person.assets,
            "limit_payment": amount > payment,
            "limit_day": today > in_day,
            "limit_year": this_year > in_year,
            "own_limit_payment": 0 < own_payment < amount,
            "own_limit_day": 0 < own_day < today,
        }

    def is_paid(self, who: bytes, amount: int) -> dict[str, bool]:
        """The rungs of a payee in euros."""
        person = self.people.get(who)
        if person is None:
            return {"person_unknown": True}
        return {
            "person_closed": person.closed,
            "person_frozen": bool(person.frozen_by),
            "currency_not_open": EUR not in person.assets,
            "balance_limit": person.cents + amount > TIER_LIMITS[person.tier][3],
        }

    def close(self, who: bytes) -> None:
        """Money goes to the bank, and all that names the person goes too."""
        person = self.people[who]
        person.closed, person.cents, person.wish = True, 0, None
        person.frozen_by, person.trusts, person.devices = set(), set(), set()
        for other in self.people.values():
            other.trusts.discard(who)
        for alias, (owner, _) in list(self.aliases.items()):
            if owner == who:
                self.aliases[alias] = (who, False)

    def pass_time(self, now_s: int) -> None:
        """Wishes for higher limits come true."""
        for person in self.people.values():
            if person.wish is not None and person.wish_at_s <= now_s:
                person.own, person.wish = person.wish, None


class Wallets(RuleBasedStateMachine):
    """People open, pay, freeze, trust and close while days go by; the machine and the model agree on each answer."""

    @initialize()
    def begin(self) -> None:
        """Two people with some euros, so that something happens."""
        self.trial = Trial([product(Payouts()), PROBE])
        self.model = Model()
        for who in PEOPLE[:2]:
            self.open(who, Open((EUR,), None))
            self.receive(who, MONEY)

    def send(self, who: bytes, name: str, body: Message) -> str:
        """Put one command on the log, and tell the model what time it is."""
        code = self.trial.say(who, name, body).code
        self.model.pass_time(self.trial.now_ns // SECOND_NS)
        return code

    def agree(self, code: str, ladder: dict[str, bool]) -> bool:
        """Assert that both say the same; answer whether it was done."""
        assert code == first(ladder)
        return code == "ok"

    @rule(who=people().filter(lambda who: who != PEOPLE[-1]), body=opens())
    def open(self, who: bytes, body: Open) -> None:
        """Open a wallet, perhaps for the second time."""
        ladder = {
            "person_exists": who in self.model.people,
            "currency_unknown": UNKNOWN in body.assets,
            "currency_twice": len(set(body.assets)) != len(body.assets),
        } | ({} if body.alias is None else self.model.alias(who, body.alias))
        if self.agree(self.send(who, "wallet.open", body), ladder):
            self.model.people[who] = Person(body.assets)
            if body.alias is not None:
                self.model.aliases[body.alias] = (who, True)

    @rule(who=people(), body=aliases())
    def claim(self, who: bytes, body: ClaimAlias) -> None:
        """Take an alias."""
        ladder = self.model.there(who, active=True) | self.model.alias(who, body.alias)
        if self.agree(self.send(who, "wallet.claim_alias", body), ladder):
            self.model.aliases[body.alias] = (who, True)

    @rule(who=people(), amount=amounts())
    def receive(self, who: bytes, amount: int) -> None:
        """Money comes from outside."""
        if self.agree(self.send(NODE, "probe.receive", Receive(who, EUR, amount)), self.model.is_paid(who, amount)):
            self.model.people[who].cents += amount

    @rule(payer=people(), payee=people(), amount=amounts())
    def pay(self, payer: bytes, payee: bytes, amount: int) -> None:
        """One person pays another."""
        code = self.send(payer, "probe.pay", Pay(payee, EUR, amount))
        day = self.trial.now_ns // SECOND_NS // DAY_S
        broken = first(self.model.pays(payer, amount, day))
        if broken == "ok":
            broken = first(self.model.is_paid(payee, amount))
        if broken == "ok":
            broken = first({
                "accounts_must_be_different": payer == payee,
                "exceeds_credits": amount > self.model.people[payer].cents,
            })  # fmt: skip
        assert code == broken
        if code == "ok":
            self.model.people[payer].cents -= amount
            self.model.people[payer].spent.append((day, amount))
            self.model.people[payee].cents += amount

    @rule(who=people(), body=own_limits())
    def limit(self, who: bytes, body: SetOwnLimit) -> None:
        """Somebody limits themselves."""
        person = self.model.people.get(who)
        ladder = self.model.there(who) | {"currency_not_open": person is not None and body.asset not in person.assets}
        if self.agree(self.send(who, "wallet.set_own_limit", body), ladder) and body.asset == EUR:
            assert person is not None
            wish = (body.payment_minor, body.day_minor)
            payment, in_day = (lower(old, new) for old, new in zip(person.own, wish, strict=True))
            person.own = (payment, in_day)
            person.wish = wish if wish != person.own else None
            person.wish_at_s = self.trial.now_ns // SECOND_NS + DAY_S

    @rule(body=tiers())
    def set_tier(self, body: SetTier) -> None:
        """An operator moves somebody."""
        person = self.model.people.get(body.person)
        ladder = self.model.there(body.person) | {"tier_same": person is not None and person.tier == body.tier}
        if self.agree(self.send(NODE, "wallet.set_tier", body), ladder):
            self.model.people[body.person].tier = body.tier

    @rule(who=people(), body=freezes(), by_operator=st.booleans(), undo=st.booleans())
    def freeze(self, who: bytes, body: FreezePerson, *, by_operator: bool, undo: bool) -> None:
        """Somebody freezes or thaws themselves, or an operator does it."""
        who = body.person if by_operator else who
        person = self.model.people.get(who)
        frozen_by = person.frozen_by if person is not None else set()
        mine = "operator" if by_operator else "person"
        ladder = self.model.there(who)
        if not undo:
            ladder |= {"already_frozen": mine in frozen_by}
        elif by_operator:
            ladder |= {"not_frozen": mine not in frozen_by}
        else:
            ladder |= {"not_frozen": not frozen_by, "frozen_by_operator": mine not in frozen_by}
        if by_operator:
            name, command = ("unfreeze_person", UnfreezePerson(who)) if undo else ("freeze_person", body)
        else:
            name, command = ("unfreeze", Unfreeze()) if undo else ("freeze", Freeze())
        if self.agree(self.send(NODE if by_operator else who, f"wallet.{name}", command), ladder):
            (frozen_by.discard if undo else frozen_by.add)(mine)

    @rule(who=people(), body=trusts())
    def trust(self, who: bytes, body: Trust | Untrust) -> None:
        """Somebody names a trusted contact, or takes the name back."""
        person = self.model.people.get(who)
        trusts = person.trusts if person is not None else set()
        if isinstance(body, Trust):
            ladder = self.model.there(who, active=True)
            ladder |= {"trust_oneself": body.person == who} if first(ladder) == "ok" else {}
            ladder |= self.model.there(body.person) if first(ladder) == "ok" else {}
            ladder |= {"trusted_already": body.person in trusts}
            if self.agree(self.send(who, "wallet.trust", body), ladder):
                trusts.add(body.person)
        else:
            ladder = self.model.there(who) | {"not_trusted": body.person not in trusts}
            if self.agree(self.send(who, "wallet.untrust", body), ladder):
                trusts.discard(body.person)

    @rule(who=people(), body=devices())
    def device(self, who: bytes, body: AddDevice | RemoveDevice) -> None:
        """A device comes or goes."""
        person = self.model.people.get(who)
        own = person.devices if person is not None else set()
        known = any(body.device in somebody.devices for somebody in self.model.people.values())
        if isinstance(body, AddDevice):
            if self.agree(self.send(who, "wallet.add_device", body), self.model.there(who) | {"device_taken": known}):
                own.add(body.device)
        else:
            ladder = self.model.there(who) | {"device_not_found": body.device not in own, "device_last": len(own) == 1}
            if self.agree(self.send(who, "wallet.remove_device", body), ladder):
                own.discard(body.device)

    @rule(who=people(), to_bank=st.booleans())
    def close(self, who: bytes, *, to_bank: bool) -> None:
        """Somebody leaves."""
        person = self.model.people.get(who)
        left = person is not None and person.cents > 0 and not to_bank
        ladder = self.model.there(who, active=True) | {"balance_not_zero": left}
        if self.agree(self.send(who, "wallet.close", Close(bytes(16) if to_bank else None)), ladder):
            self.model.close(who)

    @rule(hours=st.sampled_from((1, 7, 23, 30)))
    def wait(self, hours: int) -> None:
        """Time passes."""
        self.trial.wait(hours=hours)
        self.model.pass_time(self.trial.now_ns // SECOND_NS)

    @invariant()
    def agrees(self) -> None:
        """Money, states, trust, devices and own limits are the same on both sides."""
        view, purses = self.trial.view("wallet"), Purses()
        for who, person in self.model.people.items():
            assert purses.is_person(view, who) == (not person.closed)
            assert purses.is_frozen(view, who) == bool(person.frozen_by)
            assert purses.trusted_of(view, who) == tuple(sorted(person.trusts))
            found: Devices = self.trial.ask("wallet.devices", who, Nothing())
            assert {item.device for item in found.items} == person.devices
            if EUR in person.assets:
                limits = self.trial.ask("wallet.limits", who, OfAsset(asset=EUR))
                assert (limits.own_payment_minor, limits.own_day_minor) == person.own
                cents = {
                    item.asset: item.balance_minor for item in self.trial.ask("wallet.accounts", who, Nothing()).items
                }
                assert cents[EUR] == person.cents

    def teardown(self) -> None:
        """The whole history again, in SQLite's other order, has the same digest."""
        self.trial.replay()
        self.trial.close()


TestWallets = Wallets.TestCase
TestWallets.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
