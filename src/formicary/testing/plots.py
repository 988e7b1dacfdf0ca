"""What happens in a simulated town in more than one step: a request that is accepted, an order that is disputed.

A plot is a generator. It gives a signer and a command, gets the command's reply, and goes on, with people of its own so
that others' misfortunes do not end it. Plots run beside one another and beside commands by chance; a crash may take any
step back, and then a plot ends with the refusal of its next one, as it does for people.

Together they try every command of the standard products that anybody would send, so that crashes, torn writes and
invariants are tried against each of them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Iterable
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec
from nacl.signing import SigningKey

from formicary.machine.events import Event
from formicary.products.anatomy import Message
from formicary.products.bank import commands as bank
from formicary.products.bank.backing import day_of
from formicary.products.bank.references import write_reference
from formicary.products.clearing import commands as clearing
from formicary.products.clearing.words import Terms
from formicary.products.escrow import commands as escrow
from formicary.products.escrow.parcels import code_digest, parcel_bytes
from formicary.products.guard import commands as guard
from formicary.products.guard.rules import defaults
from formicary.products.pay import commands as pay
from formicary.products.shop import commands as shop
from formicary.products.wallet import commands as wallet

HOUR: Final = 3600 * 10**9
EUR: Final = 978
USD: Final = 840
NODE, RAIL, DOOR = b"node", b"rail/bank", b"door"
OPERATOR: Final = b"olga".rjust(16, b".")
CHECKER: Final = b"otto".rjust(16, b".")
"""Approves what the operator proposes."""
HOUSE: Final = b"this bank".rjust(16, b".")
TEXT: Final = bytes(16)
"""Sealed words of somebody's."""
AT_ONCE: Final = 12
"""Plots that run beside one another."""

Plot: TypeAlias = Generator[tuple[bytes, Message], Any, None]
Settling: TypeAlias = Generator[tuple[bytes, Message], Any, bytes]


class Step(NamedTuple):
    """What a plot does next."""

    plot: Plot
    signer: bytes
    body: Message


class Stage:
    """What plots know beyond replies: the time, chance, and what events said."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.now_ns = 0
        self.cases: dict[bytes, bytes] = {}
        """The guard's case of a held payment."""
        self.owed: dict[bytes, bytes] = {}
        """The newest sum that escrow owes somebody."""

    def name(self, length: int = 16) -> bytes:
        """Fresh bytes: a person, a key, a digest."""
        return self.chance.randbytes(length)

    def soon(self, hours: int = 48) -> int:
        """A time ahead."""
        return self.now_ns + hours * HOUR

    def settled(self, money_minor: int = 100_000) -> Settling:
        """Somebody with a wallet, high limits and money from the bank."""
        who = self.name()
        yield who, wallet.Open((EUR,), None)
        yield OPERATOR, wallet.SetTier(who, 2)
        if money_minor:
            taken = yield who, bank.TakeReference()
            yield RAIL, bank.Booked(EUR, self.name(32), "in", money_minor, taken.reference, self.now_ns)
        return who


# ── wallet ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def belongings(stage: Stage) -> Plot:
    """Names, contact points, devices and currencies come and go."""
    who = yield from stage.settled(0)
    alias, contact, device = stage.name(32), stage.name(32), stage.name()
    yield who, wallet.ClaimAlias(alias)
    yield who, wallet.ReleaseAlias(alias)
    yield who, wallet.AddContact(contact, "mail", True)  # noqa: FBT003 - a message
    yield who, wallet.RemoveContact(contact)
    yield who, wallet.AddDevice(device, stage.name(32), "passkey", None)
    yield who, wallet.AddDevice(stage.name(), stage.name(32), "pin", None)
    yield who, wallet.RemoveDevice(device)
    yield who, wallet.OpenCurrency(USD)
    yield who, wallet.SetOwnLimit(EUR, 5_000, 50_000)


def freezing(stage: Stage) -> Plot:
    """By the person, then by the institution."""
    who = yield from stage.settled(0)
    yield who, wallet.Freeze()
    yield who, wallet.Unfreeze()
    yield OPERATOR, wallet.FreezePerson(who, "fraud")
    yield OPERATOR, wallet.UnfreezePerson(who)


def recovery(stage: Stage) -> Plot:
    """A contact vouches for a new device; or the person, who was there all the time, stops it and trusts no more."""
    who = yield from stage.settled(0)
    friend = yield from stage.settled(0)
    yield who, wallet.Trust(friend)
    asked = yield DOOR, wallet.StartRecovery(who, stage.name(), stage.name(32), "passkey", None)
    if stage.chance.random() < 0.5:
        yield friend, wallet.ApproveRecovery(asked.recovery)
    else:
        yield who, wallet.CancelRecovery(asked.recovery)
        yield who, wallet.Untrust(friend)


def leaving(stage: Stage) -> Plot:
    """The money goes to the bank, and the wallet is closed."""
    who = yield from stage.settled(stage.chance.choice((0, 7_000)))
    account = stage.name()
    yield who, bank.LinkAccount(account, TEXT, stage.name(32))
    yield who, wallet.Close(account)


def offices(stage: Stage) -> Plot:
    """Roles are given and taken, changes proposed and decided by another."""
    who = yield from stage.settled(0)
    yield NODE, wallet.Appoint(who, "auditor")
    yield NODE, wallet.Dismiss(who, "auditor")
    made = yield OPERATOR, wallet.Propose(wallet.SetParameter("recovery_delay_s", 86_400))
    yield CHECKER, wallet.Approve(made.proposal)
    made = yield OPERATOR, wallet.Propose(wallet.Appoint(who, "arbiter"))
    yield CHECKER, wallet.Reject(made.proposal)


# ── guard ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def doubts(stage: Stage) -> Plot:
    """A payment that the guard holds is taken back, or appealed and decided."""
    payer = yield from stage.settled()
    payee = yield from stage.settled(0)
    sent = yield payer, pay.Send(payee, EUR, 3_000, "fee_for_money", None)
    case = stage.cases.get(sent.payment)
    if case is None or stage.chance.random() < 0.5:
        yield payer, guard.Recall(sent.payment)
    else:
        yield payer, guard.Appeal(case, TEXT)
        yield OPERATOR, guard.Decide(case, stage.chance.choice(("release", "return")), TEXT)


def reports(stage: Stage) -> Plot:
    """A payment that was made is reported as a scam, and the case closed."""
    payer = yield from stage.settled()
    payee = yield from stage.settled(0)
    sent = yield payer, pay.Send(payee, EUR, 100, "friend", None)
    told = yield payee, guard.Report(sent.payment, TEXT)
    yield OPERATOR, guard.Decide(told.case, "close", None)


def rules(stage: Stage) -> Plot:
    """A version from the machine itself, one that another operator approves, one that they reject."""
    rule_set = stage.chance.choice((defaults(), defaults()[:-1]))
    made = yield NODE, guard.SetRules(rule_set)
    proposed = yield OPERATOR, guard.ProposeRules(made.version, defaults())
    made = yield CHECKER, guard.ApproveRules(proposed.proposal)
    proposed = yield OPERATOR, guard.ProposeRules(made.version, rule_set)
    yield CHECKER, guard.RejectRules(proposed.proposal)


# ── pay ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def requests(stage: Stage) -> Plot:
    """One is accepted, one declined, one taken back; then a bill is split."""
    payer = yield from stage.settled()
    payee = yield from stage.settled(0)
    for answer in (pay.AcceptRequest, pay.DeclineRequest, pay.WithdrawRequest):
        asked = yield payee, pay.Ask(payer, EUR, 500, "friend", None, stage.soon(500))
        yield payee if answer is pay.WithdrawRequest else payer, answer(asked.request)
    yield payee, pay.Split(EUR, 900, (pay.Share(payer, 1), pay.Share(payee, 2)), None)


def packets(stage: Stage) -> Plot:
    """A packet for two of which one opens it, and an order that is called off."""
    giver = yield from stage.settled()
    child = yield from stage.settled(0)
    given = yield giver, pay.Give(EUR, 1_000, 2, "drawn", stage.soon(), None, ())
    yield child, pay.OpenPacket(given.packet)
    planned = yield giver, pay.Schedule(child, EUR, 300, "family", None, stage.soon(1), "day", 3)
    yield giver, pay.CancelOrder(planned.order)


# ── bank ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def withdrawals(stage: Stage) -> Plot:
    """One is booked and comes back, one is rejected; then the account is forgotten."""
    who = yield from stage.settled()
    account = stage.name()
    yield who, bank.LinkAccount(account, TEXT, stage.name(32))
    going = yield who, bank.Withdraw(account, EUR, 4_000)
    yield RAIL, bank.Instructed(going.withdrawal)
    yield RAIL, bank.Booked(EUR, stage.name(32), "out", 4_000, going.withdrawal.hex(), stage.now_ns)
    yield RAIL, bank.Returned(going.withdrawal, stage.name(32), EUR, 4_000, "AC04", stage.now_ns)
    going = yield who, bank.Withdraw(account, EUR, 2_000)
    yield RAIL, bank.Rejected(going.withdrawal, "AC01")
    yield who, bank.UnlinkAccount(account)


def unclear_money(stage: Stage) -> Plot:
    """Money without a reference is given to somebody, sent back, and kept."""
    who = yield from stage.settled(0)
    for settle in (lambda ref: bank.Assign(ref, who), bank.SendBack, bank.TakeOwn):
        entry = stage.name(32)
        yield RAIL, bank.Booked(EUR, entry, "in", 1_500, "", stage.now_ns)
        yield OPERATOR, settle(entry)


def statements(stage: Stage) -> Plot:
    """A statement, what it lists, and the day's backing."""
    entry, number = stage.name(32), stage.chance.randrange(1, 10**6)
    yield RAIL, bank.Booked(EUR, entry, "in", 1_500, "", stage.now_ns)
    yield RAIL, bank.Statement(EUR, number, day_of(stage.now_ns), 0, 1_500, 1)
    yield RAIL, bank.Listed(EUR, number, (entry,))
    yield RAIL, bank.Attest(day_of(stage.now_ns), stage.now_ns)


# ── shop ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def shopping(stage: Stage) -> Plot:
    """A shop from its opening over its first refund and settlement to its end."""
    owner = yield from stage.settled(0)
    helper = yield from stage.settled(0)
    payer = yield from stage.settled()
    opened = yield owner, shop.Register(EUR, "FR", 5814, None)
    till = yield owner, shop.AddTill(opened.shop, None, "ask")
    yield owner, shop.AddStaff(opened.shop, helper, "cashier")
    tariff = f"t{stage.chance.randrange(10**6)}"
    yield OPERATOR, shop.SetTariff(tariff, EUR, 10, 500, stage.now_ns)
    yield OPERATOR, shop.AssignTariff(opened.shop, tariff)
    paid = yield payer, shop.PayTill(opened.shop, till.till, EUR, 4_000, 100)
    yield owner, shop.Refund(paid.payment, 1_000, "damaged")
    code = stage.name(32)
    yield helper, shop.Charge(opened.shop, till.till, payer, code, stage.soon(), EUR, 500, "R-1")
    account = stage.name()
    yield owner, bank.LinkAccount(account, TEXT, stage.name(32))
    yield owner, shop.SetSettlement(opened.shop, 0, account, 0)
    yield owner, shop.SettleNow(opened.shop, EUR)
    yield helper, shop.CloseDay(opened.shop, till.till)
    yield owner, shop.OpenCurrency(opened.shop, USD)
    yield owner, shop.RemoveStaff(opened.shop, helper)
    yield owner, shop.RemoveTill(opened.shop, till.till)
    yield OPERATOR, shop.SetShopState(opened.shop, "suspended")
    yield owner, shop.SetShopState(opened.shop, "closed")


def order_and_exit(stage: Stage) -> Plot:
    """One order is taken back, one paid, and its payer let out by a token."""
    owner = yield from stage.settled(0)
    payer = yield from stage.settled()
    opened = yield owner, shop.Register(EUR, "FR", 5814, None)
    for leaves in (False, True):
        made = yield owner, shop.NewOrder(opened.shop, None, EUR, 800, "none", 0, "A1", stage.soon(), False, leaves)  # noqa: FBT003
        if not leaves:
            yield owner, shop.WithdrawOrder(made.order)
            continue
        yield payer, shop.PayOrder(made.order, 0)
        token = stage.name(32)
        yield payer, shop.TakeExit(made.order, token)
        yield owner, shop.UseExit(opened.shop, token)


def stay(stage: Stage) -> Plot:
    """A room that nobody takes, and one with its key, its folio and its bill."""
    owner = yield from stage.settled(0)
    guest = yield from stage.settled()
    opened = yield owner, shop.Register(EUR, "FR", 7011, None)
    offered = yield owner, shop.OfferStay(opened.shop, EUR, 10_000, stage.soon())
    yield owner, shop.WithdrawStay(offered.stay)
    offered = yield owner, shop.OfferStay(opened.shop, EUR, 10_000, stage.soon(500))
    key = stage.name(32)
    yield guest, shop.CheckIn(offered.stay, key)
    yield owner, shop.UseKey(offered.stay, key)
    yield owner, shop.ChargeFolio(offered.stay, 1_200, TEXT)
    yield guest, shop.CheckOut(offered.stay)


# ── escrow ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _order(stage: Stage, seller: bytes, **changes: Any) -> escrow.Buy:  # noqa: ANN401 - fields of the command
    plain = escrow.Buy(
        seller, EUR, 2_000, stage.soon(500), "release", 14 * 86_400, 0, None, None, None, milestones=(), note=None
    )
    return msgspec.structs.replace(plain, **changes)


def trading(stage: Stage) -> Plot:
    """Orders that are called off, confirmed, paid in parts, delivered by a carrier, and decided by an arbiter."""
    buyer = yield from stage.settled()
    seller = yield from stage.settled(0)
    made = yield buyer, _order(stage, seller)
    yield buyer, escrow.Cancel(made.order)
    made = yield buyer, _order(stage, seller)
    yield seller, escrow.Ship(made.order, None)
    yield buyer, escrow.Confirm(made.order)
    parts = (escrow.Milestone(500, None), escrow.Milestone(1_500, None))
    made = yield buyer, _order(stage, seller, milestones=parts)
    yield buyer, escrow.AcceptMilestone(made.order, 1)
    carrier, code = SigningKey(stage.name(32)), b"1234"
    key, digest = bytes(carrier.verify_key), code_digest(code)
    made = yield buyer, _order(stage, seller, carrier=stage.name(), carrier_key=key, code=digest)
    yield seller, escrow.Ship(made.order, None)
    signature = carrier.sign(parcel_bytes(made.order, "DELIVERED", code)).signature
    yield seller, escrow.Deliver(made.order, "DELIVERED", code, signature)
    made = yield buyer, _order(stage, seller)
    yield seller, escrow.Ship(made.order, None)
    yield seller, escrow.Extend(made.order, stage.soon(500))
    yield buyer, escrow.Dispute(made.order, "damaged", (TEXT,))
    yield seller, escrow.AnswerDispute(made.order, (TEXT,))
    yield OPERATOR, escrow.Decide(made.order, 700, None)


def owing(stage: Stage) -> Plot:
    """The seller can't be paid, and collects later."""
    buyer = yield from stage.settled()
    seller = yield from stage.settled(0)
    made = yield buyer, _order(stage, seller)
    yield seller, escrow.Ship(made.order, None)
    yield OPERATOR, wallet.FreezePerson(seller, "court")
    yield buyer, escrow.Confirm(made.order)
    yield OPERATOR, wallet.UnfreezePerson(seller)
    owed = stage.owed.get(seller)
    if owed is not None:
        yield seller, escrow.Collect(owed)


def pooling(stage: Stage) -> Plot:
    """People order together: one leaves, the rest accept a part, and the maker or an arbiter ends it."""
    maker = yield from stage.settled(0)
    first = yield from stage.settled()
    second = yield from stage.settled()
    stages = (escrow.PoolStage(1, None), escrow.PoolStage(2, None))
    opened = yield maker, escrow.OpenPool(EUR, 400, 1, 3, stage.soon(500), stages, None)
    yield second, escrow.JoinPool(opened.pool, 1)
    yield second, escrow.LeavePool(opened.pool)
    yield first, escrow.JoinPool(opened.pool, 2)
    yield second, escrow.JoinPool(opened.pool, 1)
    yield first, escrow.AcceptPoolMilestone(opened.pool, 1)
    if stage.chance.random() < 0.5:
        yield maker, escrow.CancelPool(opened.pool)
    else:
        yield OPERATOR, escrow.DecidePool(opened.pool, 100, None)


# ── clearing ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _elsewhere(stage: Stage) -> Generator[tuple[bytes, Message], Any, tuple[bytes, SigningKey]]:
    other, key = stage.name(), SigningKey(stage.name(32))
    known = clearing.AddInstitution(other, False, bytes(key.verify_key), "http://other.example", 0)  # noqa: FBT003
    yield NODE, known
    return other, key


def paying_elsewhere(stage: Stage) -> Plot:
    """Payments that another institution accepts and refuses; what it is owed then is settled through the bank."""
    other, key = yield from _elsewhere(stage)
    payer = yield from stage.settled()
    amount_minor = 3_000
    for word in ("accepted", "refused"):
        sent = yield payer, clearing.SendOut(other, TEXT, stage.name(), EUR, amount_minor, "friend", None)
        if word == "refused":
            yield DOOR, clearing.RefusedOut(sent.payment, "person_unknown")
            continue
        terms = Terms(
            payer_institution=HOUSE,
            payee_institution=other,
            transfer=sent.payment,
            asset=EUR,
            amount_minor=amount_minor,
        )
        yield DOOR, clearing.AcceptedOut(sent.payment, key.sign(terms.signed_bytes("accepted")).signature)
        yield DOOR, clearing.ToldOut(sent.payment)
    sent = yield payer, clearing.SendOut(other, TEXT, stage.name(), EUR, amount_minor, "friend", None)
    yield payer, clearing.CancelOut(sent.payment)
    reference = write_reference(stage.chance.randrange(10**12))
    yield OPERATOR, clearing.SetBank(other, stage.name(), TEXT, stage.name(32), reference)
    made = yield OPERATOR, clearing.ProposeSettlement(other, EUR, 1_000)
    yield CHECKER, clearing.RejectSettlement(made.settlement)
    made = yield OPERATOR, clearing.ProposeSettlement(other, EUR, 1_000)
    yield CHECKER, clearing.ApproveSettlement(made.settlement)


def paid_from_elsewhere(stage: Stage) -> Plot:
    """Payments that another institution offers: one is captured, one cancelled."""
    other, key = yield from _elsewhere(stage)
    payee = yield from stage.settled(0)
    for end in ("captured", "cancelled"):
        transfer = stage.name()
        terms = Terms(payer_institution=other, payee_institution=HOUSE, transfer=transfer, asset=EUR, amount_minor=900)
        words = {word: key.sign(terms.signed_bytes(word)).signature for word in ("offered", "captured", "cancelled")}
        yield DOOR, clearing.OfferedIn(other, transfer, payee, EUR, 900, None, words["offered"])
        if end == "captured":
            yield DOOR, clearing.CapturedIn(other, transfer, words[end])
        else:
            yield DOOR, clearing.CancelledIn(other, transfer, EUR, 900, words[end])


# ── all of them ─────────────────────────────────────────────────────────────────────────────────────────────────────

PLOTS: Final[tuple[Callable[[Stage], Plot], ...]] = (
    *(belongings, freezing, recovery, leaving, offices, doubts, reports, rules, requests, packets),
    *(withdrawals, unclear_money, statements, shopping, order_and_exit, stay, trading, owing, pooling),
    *(paying_elsewhere, paid_from_elsewhere),
)


class Plots:
    """Runs a few plots beside one another: gives their next commands, and takes the answers."""

    def __init__(self, chance: random.Random) -> None:
        self.stage = Stage(chance)
        self._waiting: list[Step] = []
        self._asked: dict[bytes, Step] = {}
        self._coming: list[Callable[[Stage], Plot]] = []

    def begin(self, now_ns: int) -> None:
        """A request is made: what was asked before and never answered is asked again, for the node died meanwhile."""
        self.stage.now_ns = now_ns
        self._waiting += self._asked.values()
        self._asked.clear()

    def take(self, command: bytes) -> Step | None:
        """The next step of some plot, to be sent under this id; None while all of them wait for answers."""
        if not self._waiting and len(self._asked) < AT_ONCE:
            if not self._coming:
                self._coming = list(PLOTS)
                self.stage.chance.shuffle(self._coming)
            plot = self._coming.pop()(self.stage)
            self._waiting.append(Step(plot, *next(plot)))
        if not self._waiting:
            return None
        self._asked[command] = self._waiting.pop(0)
        return self._asked[command]

    def answered(self, command: bytes, reply: Message | None, *, accepted: bool) -> None:
        """Let the plot of a command go on with its reply, or end it with the refusal."""
        step = self._asked.pop(command, None)
        if step is None or not accepted:
            return
        try:
            self._waiting.append(Step(step.plot, *step.plot.send(reply)))
        except StopIteration:
            return

    def heard(self, events: Iterable[Event]) -> None:
        """Note what only events tell."""
        for event in events:
            if (event.product, event.kind) == ("guard", "payment_held"):
                held = msgspec.msgpack.decode(event.payload, type=guard.PaymentHeld)
                self.stage.cases[held.payment] = held.case
            elif (event.product, event.kind) == ("escrow", "payout_owed"):
                self.stage.owed[event.subject] = msgspec.msgpack.decode(event.payload, type=escrow.PayoutOwed).owed
