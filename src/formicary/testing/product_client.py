"""A client of a simulation that speaks to every product of the standard stack: people, shops and a bank.

Commands come from the products' own strategies and, for what these leave out, from the types. Before one is sent, its
ids are those that earlier replies gave, its people are those of this town and its times lie ahead of now: so that most
commands come as far as the rules, many are accepted, and the rest is refused for every reason there is. What a crash
took back the client still believes in, as real ones do.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from formicary.base.entry import EntryKind
from formicary.machine.applied import Applied
from formicary.machine.commands import Command, encode, pack_commands
from formicary.machine.registry import Registry
from formicary.machine.replies import OK
from formicary.products.anatomy import Access, Message, Product
from formicary.products.bank import commands as bank
from formicary.products.bank import strategies as bank_strategies
from formicary.products.clearing import commands as clearing
from formicary.products.clearing import strategies as clearing_strategies
from formicary.products.escrow import strategies as escrow_strategies
from formicary.products.guard import strategies as guard_strategies
from formicary.products.pay import strategies as pay_strategies
from formicary.products.shop import commands as shop
from formicary.products.shop import strategies as shop_strategies
from formicary.products.wallet import commands as wallet
from formicary.products.wallet import strategies as wallet_strategies
from formicary.testing.examples import drawn
from formicary.testing.plots import CHECKER, DOOR, EUR, HOUR, HOUSE, NODE, OPERATOR, RAIL, Plots

SECOND: Final = 1_000_000_000
PEOPLE: Final = tuple(name.encode().rjust(16, b".") for name in ("ann", "bo", "cy", "di"))
OTHER: Final = b"another bank".rjust(16, b".")
SIGNERS: Final = {"bank": RAIL, "clearing": DOOR}
"""Who signs the commands of a product that only a door or a rail may send; a person, where nothing is said."""
AS_NODE: Final = frozenset({"wallet.appoint", "wallet.dismiss", "clearing.add_institution", "guard.set_rules"})
AS_PERSON: Final = frozenset({"bank.link_account"})
RARE: Final = frozenset(
    {
        "wallet.close",
        "wallet.freeze",
        "wallet.freeze_person",
        "wallet.set_own_limit",
        "guard.set_rules",
        "guard.propose_rules",
    }
)
"""What makes a town quieter: once in a while is enough."""
USUAL: Final = (
    "pay.send",
    "bank.booked",
    "bank.booked",
    "bank.booked",
    "bank.withdraw",
    "shop.pay_till",
    "shop.pay_order",
    "shop.new_order",
    "escrow.buy",
)
PEOPLE_FIELDS: Final = frozenset({"payee", "payer", "person", "seller", "party", "contact", "carrier", "payee_ref"})
POOL: Final = 150
"""Commands that are drawn by the products' strategies for one simulation."""
STEPS: Final = 0.7
"""Of all commands, about how many are steps of plots."""
COMMANDS: Final = 12
"""In one entry at most."""
REMEMBERED: Final = 20
"""How far back a retry reaches, and how many names of one kind are known."""


class ProductClient:
    """Makes the bodies of entries, one after another; see :class:`formicary.testing.random_client.RandomClient`."""

    pauses: Final = (1, SECOND, 60 * SECOND, HOUR, 30 * HOUR)
    """What may lie between two requests."""

    def __init__(self, chance: random.Random, products: Sequence[Product]) -> None:
        self._chance = chance
        self._types = {f"{product.name}.{each.name}": each for product in products for each in product.commands}
        self._by_body = {each.body: name for name, each in self._types.items()}
        self._names = sorted(self._types)
        self._pool = pool(chance.getrandbits(64))
        self._plots = Plots(random.Random(chance.getrandbits(64)))
        self._known: dict[tuple[str, str], list[Any]] = {("clearing", "institution"): [OTHER]}
        self._asked: dict[bytes, tuple[str, bytes, Message]] = {}
        self._owner: dict[Any, bytes] = {}
        self._commands = 0
        self._sent: list[tuple[EntryKind, bytes]] = []
        self.accepted: dict[str, int] = {}
        """How many commands of each name were accepted: what a simulation really went through."""
        self.codes: dict[str, int] = {}
        """How often each code was answered."""

    def request(self, now_ns: int) -> tuple[EntryKind, bytes]:
        """Make the next request: (kind of entry, body)."""
        self._plots.begin(now_ns)
        chance, made = self._chance, (EntryKind.TICK, b"")
        if not self._sent:
            made = EntryKind.COMMANDS, self._beginning()
        elif chance.random() < 0.05:
            return self._sent[0]  # a crash may have taken it back
        elif chance.random() < 0.1:
            return chance.choice(self._sent[-REMEMBERED:])
        elif chance.random() < 0.9:
            made = (
                EntryKind.COMMANDS,
                pack_commands([self._step(now_ns) for _ in range(chance.randint(1, COMMANDS))]),
            )
        self._sent.append(made)
        return made

    def learn(self, applied: Applied, registry: Registry) -> None:
        """Note the names that replies gave."""
        self._plots.heard(applied.events)
        for answer in applied.answers:
            reply = answer.reply
            name, signer, body = self._asked.get(reply.command_id, ("", b"", None))
            self.codes[reply.code] = self.codes.get(reply.code, 0) + 1
            found = registry.command(name, 1) if reply.code == OK else None
            if found is None or body is None or answer.replayed:
                self._plots.answered(reply.command_id, None, accepted=False)
                continue
            told = None if found.type.reply is None else msgspec.msgpack.decode(reply.body, type=found.type.reply)
            self._plots.answered(reply.command_id, told, accepted=True)
            self.accepted[name] = self.accepted.get(name, 0) + 1
            if isinstance(body, bank.LinkAccount):
                self._note(found.product.name, body, signer)
            if told is not None:
                self._note(found.product.name, told, signer)

    def _note(self, product: str, message: Message, signer: bytes) -> None:
        """Note the names in a command or a reply, and who came by them first."""
        for field in message.__struct_fields__:
            if field in PEOPLE_FIELDS:
                continue
            value = getattr(message, field)
            for each in value if isinstance(value, tuple) else (value,):
                if isinstance(each, bytes | str) and len(each) >= len(bytes(16)):
                    singular = field.removesuffix("s")
                    known = self._known.setdefault((product, singular), [])
                    if each not in known:
                        known.append(each)
                        self._owner.setdefault(each, signer)
                    del known[:-REMEMBERED]

    # ── commands ────────────────────────────────────────────────────────────────────────────────────────────────

    def _beginning(self) -> bytes:
        """People, an operator, another institution: what everything else needs."""
        first = [self._encode(who, "wallet.open", wallet.Open((EUR,), None)) for who in (*PEOPLE, OPERATOR, CHECKER)]
        roles = ("operator", "approver", "arbiter", "auditor")
        first += [self._encode(NODE, "wallet.appoint", wallet.Appoint(OPERATOR, role)) for role in roles]  # type: ignore[arg-type]
        first.append(self._encode(NODE, "wallet.appoint", wallet.Appoint(CHECKER, "approver")))
        here = clearing.AddInstitution(HOUSE, True, bytes(32), "http://here.example", 0)  # noqa: FBT003 - a message
        first.append(self._encode(NODE, "clearing.add_institution", here))
        first += [self._encode(OPERATOR, "wallet.set_tier", wallet.SetTier(who, 2)) for who in PEOPLE]
        first += [self._encode(who, "bank.take_reference", bank.TakeReference()) for who in PEOPLE]
        other = clearing.AddInstitution(OTHER, False, bytes(32), "http://other.example", 0)  # noqa: FBT003 - a message
        first.append(self._encode(NODE, "clearing.add_institution", other))
        first += [self._encode(who, "shop.register", shop.Register(EUR, "FR", 5814, None)) for who in PEOPLE[:2]]
        first += [self._encode(who, "bank.link_account", bank.LinkAccount(who, bytes(16), who * 2)) for who in PEOPLE]
        return pack_commands(first)

    def _step(self, now_ns: int) -> bytes:
        """The next step of a plot, or a command by chance."""
        number = (self._commands + 1).to_bytes(16, "big")
        step = self._plots.take(number) if self._chance.random() < STEPS else None
        if step is None:
            return self._command(now_ns)
        return self._encode(step.signer, self._by_body[type(step.body)], step.body)

    def _command(self, now_ns: int) -> bytes:
        """One command by chance, of a strategy or of a type, fitted to what is known."""
        chance = self._chance
        if chance.random() < 0.5:
            body = chance.choice(self._pool)
            name = self._by_body[type(body)]
        else:
            name = chance.choice(USUAL) if chance.random() < 0.35 else chance.choice(self._follow_ups())
            body = drawn(self._types[name].body, chance)
        if name in RARE and chance.random() < 0.8:
            name, body = "pay.send", drawn(self._types["pay.send"].body, chance)
        fitted = self._fit(name.partition(".")[0], body, now_ns)
        signer = self._signer(name)
        owners = [self._owner[each] for each in values(fitted) if isinstance(each, bytes | str) and each in self._owner]
        if (
            owners
            and name not in USUAL
            and self._types[name].access is not Access.OPERATOR
            and signer in PEOPLE
            and chance.random() < 0.5
        ):
            signer = owners[0] if owners[0] in PEOPLE else signer
        return self._encode(signer, name, fitted)

    def _follow_ups(self) -> list[str]:
        """Commands about something that there is, as far as this client knows; now and then any command."""
        if self._chance.random() < 0.2:
            return self._names
        known = self._known
        return [
            name for name in self._names if any((name.partition(".")[0], each) in known for each in self._fields(name))
        ]

    def _fields(self, name: str) -> tuple[str, ...]:
        return self._types[name].body.__struct_fields__

    def _signer(self, name: str) -> bytes:
        chance, access = self._chance, self._types[name].access
        if chance.random() < 0.03:
            return chance.choice((*PEOPLE, OPERATOR, NODE, RAIL, DOOR))
        if name in AS_NODE:
            return NODE
        if access is Access.OPERATOR:
            return OPERATOR
        if access is Access.DOOR and name not in AS_PERSON:
            return SIGNERS.get(name.partition(".")[0]) or chance.choice(PEOPLE)
        return chance.choice(PEOPLE)

    def _encode(self, signer: bytes, name: str, body: Message) -> bytes:
        self._commands += 1
        number = self._commands.to_bytes(16, "big")
        self._asked[number] = name, signer, body
        return encode(Command(id=number, signer=signer, name=name, version=1, body=encode(body)))

    # ── fitting ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _fit(self, product: str, body: Message, now_ns: int) -> Message:
        """The same command about things that there are, by the names of its fields; some stay as they were drawn."""
        changed = {}
        for field in body.__struct_fields__:
            value = getattr(body, field)
            if isinstance(value, tuple) and value and isinstance(value[0], Message):
                changed[field] = tuple(self._fit(product, each, now_ns) for each in value)
            elif value is not None and self._chance.random() < 0.9:
                changed[field] = self._value(product, field, value, now_ns)
        return msgspec.structs.replace(body, **changed)

    def _value(self, product: str, field: str, value: Any, now_ns: int) -> Any:  # noqa: ANN401 - of any type
        chance = self._chance
        known = self._known.get((product, field))
        if known and isinstance(value, type(known[0])):
            return chance.choice(known)
        if field == "asset":
            return EUR
        if field == "assets":
            return (EUR,)
        if field in PEOPLE_FIELDS and isinstance(value, bytes) and len(value) == len(PEOPLE[0]):
            shops = self._known.get(("shop", "shop"), [])
            return chance.choice((*PEOPLE, *PEOPLE, *shops))
        if field.endswith("_ns") and isinstance(value, int):
            return now_ns + chance.choice((-SECOND, 60 * SECOND, HOUR, 40 * HOUR))
        if field == "amount_minor" and product == "bank":
            return chance.choice((100, 5_000, 50_000))
        if field == "direction":
            return chance.choice(("in", "in", "out"))
        if field == "entry_ref":
            return chance.randbytes(len(value))
        return value


def values(message: Message) -> list[Any]:
    """What stands in the fields of a message."""
    return [getattr(message, field) for field in message.__struct_fields__ if field not in PEOPLE_FIELDS | {"assets"}]


def pool(number: int) -> list[Message]:
    """Commands that the products' strategies draw under a seed."""
    found: list[Message] = []
    unknown, asset = [bytes(16)], EUR
    mix = st.one_of(
        wallet_strategies.aliases(),
        wallet_strategies.own_limits(),
        wallet_strategies.tiers(),
        wallet_strategies.trusts(),
        wallet_strategies.devices(),
        guard_strategies.recalls(unknown),
        guard_strategies.reports(unknown),
        guard_strategies.appeals(unknown),
        guard_strategies.decisions(unknown),
        pay_strategies.sends(),
        pay_strategies.asks(SECOND),
        pay_strategies.splits(),
        pay_strategies.gives(SECOND),
        pay_strategies.schedules(SECOND),
        bank_strategies.bookings([], [], asset),
        bank_strategies.settlings(PEOPLE),
        shop_strategies.payments(bytes(16), bytes(16), asset),
        shop_strategies.orders(bytes(16), asset, SECOND),
        shop_strategies.refunds([]),
        escrow_strategies.orders(SECOND, PEOPLE, bytes(32), bytes(32)),
        escrow_strategies.pools(SECOND),
        clearing_strategies.payments([OTHER], PEOPLE),
    )

    @seed(number)
    @settings(
        max_examples=POOL,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(mix)
    def draw(message: Message) -> None:
        found.append(message)

    draw()
    return found
