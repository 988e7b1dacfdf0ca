"""Codes at the door: orders, tills and payers' codes are paid once; altered, old and foreign ones are explained.

Stories 3 and 8, through the public routes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formicary.gateway.payer_codes import AHEAD_MAX, Codes
from formicary.gateway.shop_codes import Label, ShopCode, is_unaltered, read_shop_code, write_shop_code
from formicary.kernel.records import ACCOUNT, TRANSFER
from formicary.rails import emvco
from formicary.rails.emvco import MerchantCode

from tests.gateway.town import Person, Town
from tests.rails.published_codes import OTHERS, SCHEMES

SECOND = 10**9
MINUTE = Codes(bytes(32), 60 * SECOND)
SECRETS = {7: (b"a" * 16, b"s" * 32), 8: (b"b" * 16, b"t" * 32)}


# ── the payer's 18 digits ───────────────────────────────────────────────────────────────────────────────────────────


@given(serial=st.sampled_from([7, 8]), now=st.integers(10**18, 2 * 10**18), late=st.integers(0, 200 * SECOND))
@settings(max_examples=100, deadline=None)
def test_a_payers_code_says_who_and_until_when(serial: int, now: int, late: int) -> None:
    """Always 18 digits, good for a minute to the third of a second, and still recognised when it is too late."""
    party, secret = SECRETS[serial]
    digits, until = MINUTE.write(serial, secret, now)
    assert len(digits) == 18
    assert digits.isdigit()
    assert now + 59 * SECOND < until <= now + 60 * SECOND
    read = MINUTE.read(digits, now + late, SECRETS.get)
    assert read is not None
    assert (read.party, read.until_ns) == (party, until)


@given(now=st.integers(10**18, 2 * 10**18), place=st.integers(0, 17), more=st.integers(1, 9))
@settings(max_examples=100, deadline=None)
def test_an_altered_payers_code_is_nobodys(now: int, place: int, more: int) -> None:
    """Any other digit anywhere: the whole number deciphers to something else."""
    digits, _ = MINUTE.write(7, SECRETS[7][1], now)
    other = digits[:place] + str((int(digits[place]) + more) % 10) + digits[place + 1 :]
    assert MINUTE.read(other, now, SECRETS.get) is None
    assert Codes(b"k" * 32, 60 * SECOND).read(digits, now, SECRETS.get) is None, "another institution's"


def test_codes_of_one_person_have_nothing_in_common() -> None:
    """A hundred codes, third of a second by third of a second: all different, no digit stays."""
    codes = [MINUTE.write(7, SECRETS[7][1], 10**18 + step * SECOND * 3 // 10)[0] for step in range(100)]
    assert len(set(codes)) == 100
    assert all(len({code[place] for code in codes}) > 5 for place in range(18))


# ── a shop's codes ──────────────────────────────────────────────────────────────────────────────────────────────────

KEY = b"k" * 32
WHOM = ShopCode(
    institution=b"i" * 16,
    shop=b"s" * 16,
    till=b"t" * 16,
    order=b"o" * 16,
    until_s=1_900_000_000,
    code=MerchantCode(accounts=(), currency=978, amount_minor=1250, additional=(("01", "A-17"),)),
)


@pytest.mark.parametrize("name", ["Café Paris", "最佳运输", "A" * 60, ""])
def test_a_shops_code_reads_back_whatever_its_name(name: str) -> None:
    """Accents go, other scripts stand in their own template, long names are cut; the ids are whole."""
    text = write_shop_code(WHOM, Label(name, "北京", "CN", 5812), KEY)
    read = read_shop_code(emvco.parse(text))
    assert read is not None
    assert read[:5] == WHOM[:5]
    assert is_unaltered(text, KEY)
    assert not is_unaltered(text, bytes(32))


@pytest.mark.parametrize("name", ["54", "59", "53", "62", "58", "52"])
def test_a_changed_field_with_a_new_checksum_is_found_out(name: str) -> None:
    """Whoever prints a sticker over a code can make a checksum, but not the mark."""
    text = write_shop_code(WHOM, Label("Shop", "Paris", "FR", 5812), KEY)
    changes = {"54": "1.00", "59": "Mallory", "53": "840", "62": "0104A-18", "58": "DE", "52": "0001"}
    objects = [(each, changes[each] if each == name else value) for each, value in emvco.read_objects(text)[:-1]]
    forged = emvco.sign(emvco.write_objects(tuple(objects)))
    assert emvco.parse(forged)
    assert not is_unaltered(forged, KEY)


# ── through the doors ───────────────────────────────────────────────────────────────────────────────────────────────


def give(town: Town, who: Person, amount_minor: int) -> None:
    """Money from nowhere, as records: this test is about codes, not about banks."""
    house = np.zeros(1, ACCOUNT)
    house["id_lo"], house["asset"], house["code"] = 77, 978, 9
    assert town.ledger.open_accounts(house).tolist() == [0]
    purse = int(who.get("/v1/wallet/accounts").json()["items"][0]["account"], 16)
    transfer = np.zeros(1, TRANSFER)
    transfer["id_lo"], transfer["debit_lo"], transfer["amount"] = 10**12, 77, amount_minor
    transfer["credit_lo"], transfer["credit_hi"] = purse & (2**64 - 1), purse >> 64
    transfer["asset"], transfer["code"] = 978, 9
    assert town.ledger.post(transfer).tolist() == [0]


def later(town: Town, seconds: int) -> str:
    """A time from now, as doors write it."""
    return f"{datetime.fromtimestamp(town.now_ns() // SECOND + seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


class Cafe:
    """A shop at the doors: its owner, a till, and somebody with money."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.owner = town.person("Olga", alias="olga")
        self.payer = town.person("Paul", alias="paul")
        town.raise_tier(self.payer)
        give(town, self.payer, 100_000)
        self.shop = self.post(self.owner, "/v1/shop/register", asset="EUR", country="FR", category=5812, alias=None)[
            "shop"
        ]["id"]
        named = self.owner.ask("PATCH", f"/v1/parties/{self.shop}", json={"name": "Café Olga", "city": "Lyon"})
        assert named.status_code == 200, named.text
        self.till = self.post(self.owner, "/v1/shop/add_till", shop=self.shop, label="Bar", tip="ask")["till"]

    def post(self, who: Person, path: str, **body: Any) -> Any:
        """Ask for something that is granted."""
        answer = who.post(path, **body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def get(self, who: Person, path: str, **query: Any) -> Any:
        """Read something."""
        answer = who.get(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def order(self, amount: int = 1250, **more: Any) -> str:
        """Make an order."""
        fields = {"till": None, "tip": "none", "tip_value": 0, "number": "A-17", "many": False, "exit": False, **more}
        body = {
            "shop": self.shop,
            "asset": "EUR",
            "amount_minor": amount,
            "until": later(self.town, 600),
            **fields,
        }
        return str(self.post(self.owner, "/v1/shop/new_order", **body)["order"])

    def read(self, text: str) -> Any:
        """Scan as the payer."""
        return self.payer.post("/v1/codes:read", text=text)


@pytest.fixture
def cafe(town: Town) -> Cafe:
    """A shop in the town."""
    return Cafe(town)


def test_an_orders_code_is_paid_once_and_then_told_as_used(cafe: Cafe) -> None:
    """Read, paid, read again; and when its time is over."""
    order = cafe.order()
    drawn = cafe.get(cafe.town.nobody, f"/v1/orders/{order}/code")
    told = cafe.read(drawn["text"]).json()
    assert (told["kind"], told["payable"], told["order"], told["shop"]["name"]) == (
        "shop_order",
        True,
        order,
        "Café Olga",
    )
    assert (told["asset"], told["amount_minor"], told["number"]) == ("EUR", 1250, "A-17")
    paid = cafe.post(cafe.payer, "/v1/shop/pay_order", order=order, tip_minor=0)
    assert paid["state"] == "paid"
    again = cafe.read(drawn["link"]).json()
    assert (again["payable"], again["code"]) == (False, "code_used")
    assert "used" in again["why"]
    other = cafe.get(cafe.town.nobody, f"/v1/orders/{cafe.order()}/code")["text"]
    cafe.town.wait(seconds=601)
    late = cafe.read(other).json()
    assert (late["payable"], late["code"]) == (False, "code_expired")


def test_altered_codes_are_refused_and_say_why(cafe: Cafe) -> None:
    """Another amount with a right checksum, and a checksum that is not right."""
    text = cafe.get(cafe.town.nobody, f"/v1/orders/{cafe.order()}/code")["text"]
    cheaper = [(each, "1.00" if each == "54" else value) for each, value in emvco.read_objects(text)[:-1]]
    for altered in (emvco.sign(emvco.write_objects(tuple(cheaper))), text[:-1] + ("0" if text[-1] != "0" else "1")):
        answer = cafe.read(altered)
        assert (answer.status_code, answer.json()["code"]) == (422, "code_altered")


def test_a_printed_till_is_paid_until_it_is_removed(cafe: Cafe) -> None:
    """With and without an amount on it."""
    path = f"/v1/shop/{cafe.shop}/tills/{cafe.till}/code"
    told = cafe.read(cafe.get(cafe.owner, path, asset="EUR", amount_minor=300)["text"]).json()
    assert (told["kind"], told["till"], told["amount_minor"], told["tip"]) == ("shop_till", cafe.till, 300, "ask")
    text = cafe.get(cafe.owner, path)["text"]
    assert cafe.read(text).json()["payable"] is True
    cafe.post(cafe.owner, "/v1/shop/remove_till", shop=cafe.shop, till=cafe.till)
    assert cafe.read(text).json()["code"] == "till_removed"


def test_a_payers_code_is_charged_once(cafe: Cafe) -> None:
    """Replayed: code_used; a minute later: code_expired; made up: not understood; a retry gets the same answer."""
    code = cafe.get(cafe.payer, "/v1/my-code")
    assert code["qr"].startswith("<svg")
    assert code["barcode"].startswith("<svg")
    body = {"shop": cafe.shop, "till": cafe.till, "asset": "EUR", "amount_minor": 480, "number": "R-1"}
    key = cafe.town.key()
    once = {"json": {"text": code["text"], **body}, "headers": {"Idempotency-Key": key}}
    first = cafe.owner.ask("POST", "/v1/shop/charge-code", **once)
    assert (first.status_code, first.json()["state"]) == (200, "paid")
    assert cafe.owner.ask("POST", "/v1/shop/charge-code", **once).json() == first.json()
    spaced = f"{code['digits'][:9]} {code['digits'][9:]}"
    assert cafe.owner.post("/v1/shop/charge-code", digits=spaced, **body).json()["code"] == "code_used"
    assert cafe.payer.post("/v1/shop/charge-code", digits=spaced, **body).json()["code"] == "shop_not_yours"
    assert cafe.owner.post("/v1/shop/charge-code", digits="0" * 18, **body).json()["code"] == "code_not_understood"
    newer = cafe.get(cafe.payer, "/v1/my-code")["digits"]
    cafe.town.wait(seconds=61)
    assert cafe.owner.post("/v1/shop/charge-code", digits=newer, **body).json()["code"] == "code_expired"
    assert cafe.read(newer).json()["code"] == "code_is_a_payers"


def test_two_displays_never_share_a_code(cafe: Cafe, monkeypatch: pytest.MonkeyPatch) -> None:
    """However quickly one asks, each answer is a code of its own and can be charged; too quickly, and one waits."""
    now_ns = cafe.town.now_ns()
    monkeypatch.setattr(cafe.town.door, "now_ns", lambda: now_ns)
    codes = [cafe.get(cafe.payer, "/v1/my-code") for _ in range(AHEAD_MAX)]
    assert len({code["digits"] for code in codes}) == AHEAD_MAX
    while (slow := cafe.payer.get("/v1/my-code")).status_code == 200:
        assert len(codes) < AHEAD_MAX + 3
        codes.append(slow.json())
    assert (slow.status_code, slow.json()["code"], slow.headers["retry-after"]) == (429, "rate_limited", "1")
    body = {"shop": cafe.shop, "till": cafe.till, "asset": "EUR", "amount_minor": 100}
    for code in (codes[0], codes[1], codes[-1]):
        charged = cafe.owner.post("/v1/shop/charge-code", text=code["text"], **body)
        assert charged.status_code == 200, charged.text
        assert charged.json()["state"] == "paid"
    again = cafe.owner.post("/v1/shop/charge-code", text=codes[1]["text"], **body)
    assert again.json()["code"] == "code_used"
    monkeypatch.undo()
    cafe.town.wait(seconds=61 + 9)


def test_codes_run_ahead_over_the_end_of_a_half_minute() -> None:
    """A code of the next half minute is read before that has begun; what follows the last moment is the next step's."""
    codes = Codes(bytes(32), 60 * 10**9)
    now_ns = 1_767_225_600 * 10**9 + 30 * 10**9 - 10**8
    seen = set()
    taken_ns = 0
    while (moment_ns := codes.next_free(now_ns, taken_ns)) is not None:
        taken_ns = moment_ns
        digits, until_ns = codes.write(7, bytes(16), moment_ns)
        found = codes.read(digits, now_ns, lambda serial: (b"ann", bytes(16)) if serial == 7 else None)
        assert found is not None
        assert (found.party, found.until_ns) == (b"ann", until_ns)
        seen.add(found.digest)
    assert len(seen) == AHEAD_MAX + 1
    assert codes.next_free(now_ns + 10**10, taken_ns) == now_ns + 10**10


def test_scan_pay_and_leave_with_a_token(cafe: Cafe) -> None:
    """Story 8: the token opens the gate once, at that shop."""
    order = cafe.order(exit=True)
    assert cafe.post(cafe.payer, "/v1/shop/pay_order", order=order, tip_minor=0)["exit_until"]
    token = cafe.post(cafe.payer, "/v1/shop/exit-token", order=order)["token"]
    opened = cafe.post(cafe.owner, "/v1/shop/open-gate", shop=cafe.shop, token=token)
    assert opened["order"] == order
    again = cafe.owner.post("/v1/shop/open-gate", shop=cafe.shop, token=token).json()
    assert again["code"] == "exit_used"


def test_a_hotel_by_one_consent(cafe: Cafe) -> None:
    """Story 8: check-in gives deposit, key and folio; the key opens; check-out pays the folio and frees the rest."""
    until = later(cafe.town, 86_400)
    stay = cafe.post(cafe.owner, "/v1/shop/offer_stay", shop=cafe.shop, asset="EUR", deposit_minor=20_000, until=until)[
        "stay"
    ]
    assert cafe.read(f"{cafe.town.config.public_origin}/#/stay/{stay}").json()["kind"] == "stay"
    key = cafe.post(cafe.payer, "/v1/shop/check-in", stay=stay)
    cafe.post(cafe.owner, "/v1/shop/open-door", stay=stay, key=key["key"])
    wrong = cafe.owner.post("/v1/shop/open-door", stay=stay, key="0" * 32).json()
    assert wrong["code"] == "stay_key_wrong"
    cafe.post(cafe.owner, "/v1/shop/charge_folio", stay=stay, amount_minor=700, label="Minibar")
    folio = cafe.get(cafe.payer, "/v1/shop/stay", stay=stay)
    assert (folio["folio"][0]["label"], folio["folio_minor"]) == ("Minibar", 700)
    out = cafe.post(cafe.payer, "/v1/shop/check_out", stay=stay)
    assert (out["paid_minor"], out["released_minor"]) == (700, 19_300)


@pytest.mark.parametrize("name", ["pix", "promptpay", "sgqr"])
def test_codes_of_other_schemes_are_named_and_not_payable(ann: Person, name: str) -> None:
    """With the reason in plain words, and what the code says."""
    told = ann.post("/v1/codes:read", text=SCHEMES[name]).json()
    assert (told["kind"], told["payable"], told["code"]) == ("other_scheme", False, "code_not_routable")
    assert told["schemes"]
    for text in OTHERS.values():
        assert ann.post("/v1/codes:read", text=text).json()["code"] == "code_not_routable"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("hello", "code_not_understood"),
        ("000201", "bad_input"),
        ("0002012", "bad_input"),
        ("x" * 4096, "code_not_understood"),
        ("x" * 10_240, "bad_input"),
        ("000201" + "9" * 4000, "bad_input"),
        ("000201\u0660\u0662", "bad_input"),
        ("\u202e000201", "code_not_understood"),
        ("https://evil.example/#/send/@ann", "code_not_understood"),
        ("/#/send/xyz", "bad_input"),
    ],
)
def test_junk_is_a_clear_problem(ann: Person, text: str, code: str) -> None:
    """Never more than 422, and never a surprise."""
    answer = ann.post("/v1/codes:read", text=text)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text


def test_people_and_links(town: Town, ann: Person, bo: Person) -> None:
    """By alias, by link, by id; and a packet's link."""
    origin = town.config.public_origin
    for text in ("@bo.b", f"{origin}/#/send/@bo.b", f"{origin}/#/send/{bo.id}"):
        assert ann.post("/v1/codes:read", text=text).json()["person"]["id"] == bo.id
    packet = ann.post("/v1/codes:read", text=f"{origin}/#/packet/{'ab' * 16}").json()
    assert (packet["kind"], packet["packet"]) == ("packet", "ab" * 16)
    assert ann.post("/v1/codes:read", text="@nobody.here").json()["code"] == "person_not_found"


def test_any_text_is_drawn(town: Town) -> None:
    """As SVG that runs nothing; too much is refused."""
    drawn = town.nobody.get("/v1/qr", text="hello")
    assert (drawn.status_code, drawn.headers["content-type"]) == (200, "image/svg+xml")
    assert town.nobody.get("/v1/qr", text="x" * 1201).status_code == 422


def test_a_shop_of_another_institution_is_payable_once_it_is_connected(town: Town, ann: Person) -> None:
    """Until then the code is read and explained; whose platform it is makes no other difference."""
    rival = b"r" * 16
    whom = WHOM._replace(institution=rival, until_s=town.now_ns() // SECOND + 600)
    text = write_shop_code(whom, Label("Rival", "Lyon", "FR", 5812), KEY)
    told = ann.post("/v1/codes:read", text=text).json()
    assert (told["payable"], told["code"], told["institution"]) == (False, "code_not_routable", rival.hex())
    assert (told["kind"], told["shop"]["id"], told["amount_minor"]) == ("shop_order", WHOM.shop.hex(), 1250)
    old = write_shop_code(WHOM._replace(institution=rival, until_s=1), Label("Rival", "Lyon", "FR", 5812), KEY)
    assert ann.post("/v1/codes:read", text=old).json()["code"] == "code_expired"
    if "clearing.add_institution" in {name for name, _ in town.door.registry.commands}:
        fields = {"own": False, "key": bytes(32), "address": "https://rival.example", "notice_minor": 0}
        town.node("clearing.add_institution", institution=rival, **fields)
        assert ann.post("/v1/codes:read", text=text).json()["payable"] is True
