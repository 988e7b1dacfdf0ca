"""Who lives in the town: all invented. Their ids follow from their aliases, so that every town has the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from blake3 import blake3

PIN: Final = "270604"
"""Everybody's PIN in the town: it is a sandbox, and newcomers are told."""


@dataclass(frozen=True, slots=True)
class Townsperson:
    """Somebody with a wallet."""

    alias: str
    name: str
    language: str
    top_up: str
    """What the bank has sent, in euros with decimals."""
    roles: tuple[str, ...] = ()

    @property
    def id(self) -> bytes:
        """The person's id on the ledger."""
        return town_id(f"person {self.alias}")

    @property
    def iban(self) -> str:
        """An IBAN with right check digits that no bank gave out."""
        return iban_of(int.from_bytes(self.id[:4], "big"))


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop, with its first till and what it sells."""

    alias: str
    name: str
    city: str
    category: int
    """ISO 18245 merchant category code."""
    owner: str
    cashiers: tuple[str, ...]
    tip: str
    goods: tuple[tuple[str, int], ...]
    """(order number, price in cents) of orders paid on the first day."""


def town_id(text: str) -> bytes:
    """16 bytes that follow from a text."""
    return blake3(f"formicary town: {text}".encode()).digest(length=16)


def iban_of(number: int) -> str:
    """A French IBAN with valid check digits (ISO 13616) of the account ``number`` at bank code 30006."""
    account = f"{number % 10**11:011d}"
    basic = f"3000600001{account}"
    rib = 97 - (89 * 30006 + 15 * 1 + 3 * int(account)) % 97
    bban = f"{basic}{rib:02d}"
    check = 98 - int(bban + "152700") % 97
    return f"FR{check:02d}{bban}"


PEOPLE: Final = (
    Townsperson("alice", "Alice Moreau", "fr", "820.00"),
    Townsperson("ben", "Ben Okafor", "en", "460.00"),
    Townsperson("chen", "陈 Wei", "zh", "1240.00"),
    Townsperson("dana", "Dana Novak", "en", "95.50"),
    Townsperson("emil", "Emil Lindqvist", "en", "610.00"),
    Townsperson("fatou", "Fatou Diallo", "fr", "1875.25"),
    Townsperson("grete", "Grete Baumann", "en", "3150.00"),
    Townsperson("hugo", "Hugo Garnier", "fr", "240.00"),
    Townsperson("ines", "Ines Carvalho", "en", "530.00"),
    Townsperson("kofi", "Kofi Mensah", "en", "20.00"),
    Townsperson("olivia", "Olivia Brandt", "en", "100.00", ("operator", "approver", "arbiter")),
    Townsperson("otto", "Otto Keller", "en", "100.00", ("operator", "approver", "auditor")),
)
SHOPS: Final = (
    Shop("crumb", "Crumb & Crust", "Antwerp", 5462, "fatou", ("dana",), "ask", (("A-1", 420), ("A-2", 1160))),
    Shop("booknook", "The Book Nook", "Antwerp", 5942, "emil", (), "none", (("B-1", 2490), ("B-2", 1299))),
    Shop("greens", "Greens at the Gate", "Antwerp", 5411, "chen", ("hugo",), "none", (("G-1", 3175),)),
    Shop("linden", "Hotel Linden", "Antwerp", 7011, "ines", (), "none", ()),
)
