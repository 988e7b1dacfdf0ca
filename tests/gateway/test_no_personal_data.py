"""No personal string of the town is in the log, the state, the doors' file, process logs or a backup; erased, nowhere.

The town runs as a process, people of it also give phone and mail, send notes, link bank accounts and are looked at by
operators. Then every file that the institution writes is read byte by byte, with the town running and after a kill, for
each personal string in UTF-8 and UTF-16. The vault's own files may have it only sealed. After one person is erased the
vault's files, with their write-ahead logs, are searched for what the vault sealed of that person, byte by byte too.

The sandbox bank is another firm: its folder (``bank/``) has names and account numbers by its nature, as a bank's has.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from formicary.testing.town_process import Browser, TownProcess
from formicary.town.people import PEOPLE, SHOPS

from tests.stories.telling import purchase_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
PHONE, MAIL = "+32470123987", "alice.moreau.1987@example.org"
IBAN = "FR7630006000011234567890189"
NOTES = ("Rückzahlung für Opas Rollator", "奶奶生日快乐", "The corner is badly crushed.", "Label of my second phone")
NAME = "Zenobia Quillfeather"
ALIAS = "zenobia.quill"
TOWN_NOTES = (
    "Cinema and popcorn",
    "Bon anniversaire !",
    "Pizza on Friday",
    "Good luck!",
    "Dinner for four",
    "First edition",
    "A used atlas",
    "Box of plums",
    "The box came crushed and half of it is missing.",
    "Activation fee for my grant",
)
OWN_WORDS = {"olivia", "otto", "ines", "ben", "dana", "emil", "hugo", "kofi", "chen", "alice", "fatou", "grete"}
"""Aliases that are words of ours, or parts of them (``deadlines``, ``benchmark``): looked for with their ``@`` only."""


class Traces:
    """A town in which somebody did everything that leaves personal strings, and those strings."""

    def __init__(self, town: TownProcess) -> None:
        self.town = town
        self.person = town.newcomer(NAME, ALIAS)
        self.strings = sorted(_strings())
        self._live()

    def _live(self) -> None:
        """Leave traces wherever one can."""
        person, town = self.person, self.town
        olivia, ben, emil = town.enter("olivia"), town.enter("ben"), town.enter("emil")
        olivia.done("/v1/wallet/set_tier", person=person.id, tier=2)
        person.patch("/v1/profile", phone=PHONE, mail=MAIL, findable=True, name=NAME)
        assert ben.get("/v1/parties", find=MAIL)["id"] == person.id
        assert ben.get("/v1/parties", find=f"@{ALIAS}")["name"]
        _send(ben, person, 900, NOTES[0])
        _send(person, ben, 400, NOTES[1])
        person.confirm()
        person.done("/v1/bank/accounts", iban=IBAN)
        shop = town.told["shops"]["booknook"]
        order = person.done("/v1/escrow/buy", **purchase_of(shop, 300, note=NOTES[2]))["order"]
        emil.done("/v1/escrow/ship", order=order, tracking="JJD000390007")
        person.done("/v1/escrow/dispute", order=order, reason="damaged", evidence=[NOTES[2]])
        olivia.confirm()
        olivia.done("/v1/escrow/decide", order=order, seller_minor=0, reason=NOTES[3])
        olivia.get("/v1/wallet/people", limit=100)
        olivia.done("/v1/operator/sql", sql="SELECT COUNT(*) FROM wallet_people")
        person.refused("/v1/pay/send", payee="00" * 16, asset="EUR", amount_minor=1, purpose="friend", note=NOTES[0])
        town.nobody().refused("/v1/sign-in/pin", alias=ALIAS, pin="111111")


def _send(payer: Browser, payee: Browser, amount_minor: int, note: str) -> None:
    wish = {"payee": payee.id, "asset": "EUR", "amount_minor": amount_minor, "purpose": "friend", "note": note}
    payer.done("/v1/pay/send", **wish)


def _strings() -> Iterator[str]:
    """Every personal string of the town."""
    for person in PEOPLE:
        yield person.name
        yield f"@{person.alias}"
        yield person.iban
        yield from (part for part in person.name.split() if len(part) > 4)
        if person.alias not in OWN_WORDS:
            yield person.alias
    for shop in SHOPS:
        yield shop.name
        yield f"@{shop.alias}"
    yield from (*TOWN_NOTES, *NOTES, PHONE, PHONE[1:], MAIL, IBAN, NAME, *NAME.split(), ALIAS)


def found_in(files: list[Path], strings: list[str]) -> list[str]:
    """Where any of the strings stands, in UTF-8 or UTF-16 of either order, in whatever case (of ASCII)."""
    needles = {}
    for text in strings:
        inner = text.encode("utf-16-be").lstrip(b"\0")  # what both orders have in common, of an ASCII text
        for written in (text.encode(), inner, b"" if text.isascii() else text.encode("utf-16-le")):
            needles[written.lower()] = text
    needles.pop(b"")
    hits = []
    for path in files:
        content = path.read_bytes().lower()
        hits += [f"{path}: {text!r}" for needle, text in needles.items() if needle in content]
    return hits


def files_below(*folders: Path) -> list[Path]:
    """Every file in some folders."""
    return [
        path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".sock"
    ]


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traces]:
    """A town that runs, full of traces."""
    with TownProcess(tmp_path_factory.mktemp("traces"), settings={"FORMICARY_LOG_LEVEL": "debug"}) as town:
        yield Traces(town)


def ours(town: TownProcess) -> list[Path]:
    """Every file that the institution writes: all of the data folder but the bank's, and what the process said."""
    data = town.data
    files = [path for path in files_below(data) if data / "bank" not in path.parents and path.name != "bank.log"]
    return [*files, town.stderr, *_spoken(town)]


def _spoken(town: TownProcess) -> list[Path]:
    """Standard output, without the one line that tells a newcomer of a sandbox how to sign in as whom."""
    kept = town.folder / "spoken.log"
    kept.write_bytes(b"\n".join(line for line in town.stdout.read_bytes().splitlines() if not line.startswith(b"{")))
    return [kept]


def test_the_search_finds_what_is_there(traces: Traces, tmp_path: Path) -> None:
    """The strings are those that people see, and a file that had one in either encoding would be found."""
    assert traces.person.get("/v1/profile")["mail"] == MAIL
    notes = {line["note"] for line in traces.person.get("/v1/pay/activity")["items"]}
    assert {NOTES[0], NOTES[1]} <= notes
    for number, encoding in enumerate(("utf-8", "utf-16-le", "utf-16-be")):
        (tmp_path / f"{number}").write_bytes(b"\x00\x01" + NOTES[1].encode(encoding) + b"\x02")
    assert len(found_in(files_below(tmp_path), traces.strings)) == 3
    assert len(traces.strings) > 60
    assert {"rows.db", "gateway.db", "vault.db", "kms.key"} <= {path.name for path in ours(traces.town)}


def test_nothing_personal_while_it_runs(traces: Traces) -> None:
    """Log, state, doors' file with its write-ahead log, process logs: none; the vault has everything sealed."""
    assert not found_in(ours(traces.town), traces.strings)


def test_nothing_personal_in_a_backup(traces: Traces, tmp_path: Path) -> None:
    """A backup that is taken while the town runs has none, nor has what is restored from it."""
    target = tmp_path / "backup"
    program = str(Path(sys.executable).with_name("formicary"))
    command = [program, "ledger", "backup", str(traces.town.data / "ledger"), str(target), "--with-keys"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert files_below(target)
    assert not found_in(files_below(target), traces.strings)


def test_nothing_personal_after_a_kill_and_a_stop(traces: Traces) -> None:
    """A process that dies leaves none behind, nor does one that stops and writes its checkpoint."""
    town = traces.town
    town.kill()
    assert not found_in(ours(town), traces.strings)
    town.start()
    town.stop()
    assert any(path.parent.name == "state" for path in ours(town)), "a checkpoint"
    assert not found_in(ours(town), traces.strings)
    town.start()
    traces.person = town.enter(ALIAS)


def test_erased_is_nowhere(traces: Traces, tmp_path: Path) -> None:
    """After erasing, nothing that the vault sealed of the person stands in any file, and nobody reads it."""
    town, person = traces.town, traces.person
    party = bytes.fromhex(person.id)
    copy = tmp_path / "older"
    _copy_vault(town, copy)
    sealed = _sealed_of(copy, party)
    assert len(sealed) > 8, "names, contact points, notes"
    assert _hits(files_below(town.data / "vault"), sealed), "they stand in the vault's files now"

    ben = town.enter("ben")
    _send(person, ben, person.money()["balance_minor"], "The rest")
    person.confirm()
    person.delete("/v1/profile")

    assert not _hits(files_below(town.data), sealed), "not even sealed, not even in a write-ahead log"
    assert not found_in(ours(town), traces.strings)
    notes = {line["note"] for line in ben.get("/v1/pay/activity", limit=100)["items"]}
    assert NOTES[1] not in notes, "nobody reads any more what the person wrote"
    assert NOTES[0] in notes, "what others wrote themselves is theirs"
    assert ben.refused("/v1/codes:read", text=f"@{ALIAS}").status == 404
    assert not _keys_of(town.data / "vault" / "keys" / "keys.db", party), "the key is destroyed"
    town.stop()
    assert not _hits(files_below(town.data), sealed)
    assert not found_in(ours(town), traces.strings)
    town.start()


def _copy_vault(town: TownProcess, target: Path) -> None:
    """The vault's data as a backup would have it, with its write-ahead log."""
    target.mkdir()
    for path in files_below(town.data / "vault"):
        if path.name.startswith("vault.db"):
            shutil.copy(path, target / path.name)


def _sealed_of(folder: Path, party: bytes) -> list[bytes]:
    """Every sealed value that belongs to a person, or that they may read."""
    connection = sqlite3.connect(folder / "vault.db")
    try:
        fields = connection.execute("SELECT sealed FROM fields WHERE party = ?", (party,)).fetchall()
        sql = "SELECT sealed FROM texts WHERE owner = ? OR reader = ?"
        texts = connection.execute(sql, (party, party)).fetchall()
        return [row[0] for row in (*fields, *texts)]
    finally:
        connection.close()


def _keys_of(path: Path, party: bytes) -> list[bytes]:
    """Wrapped keys of a person, whatever their table is called."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = []
        for table in tables:
            for row in connection.execute(f"SELECT * FROM {table}"):  # noqa: S608 - our own tables
                if party in row:
                    found += [value for value in row if isinstance(value, bytes) and len(value) >= 32]
        return found
    finally:
        connection.close()


def _hits(files: list[Path], values: list[bytes]) -> list[str]:
    """Where any of the values, or a good part of one, stands."""
    needles = {part for value in values for part in (value[:24], value[-24:])}
    return [f"{path}: {needle.hex()}" for path in files for needle in needles if needle in path.read_bytes()]
