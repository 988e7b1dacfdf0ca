"""A ledger test is a table that a banker can read. :func:`check` runs it on three ledgers and demands equal answers.

::

    check('''
        account shop EUR ; account alice EUR debits_limited
        fund    alice 100
        pay     alice shop 60
        pay     alice shop 50             -> exceeds_credits
        hold    h1 alice shop 30 timeout 60
        capture h1 20
        balance alice 20 ; held alice 0
    ''')

One statement a line, or several parted by ``;``. ``#`` starts a comment. After ``->`` stands the expected answer: a
code in lower case; without an arrow a request must be ``ok``. Names stand for ids: write them, and they exist.

Requests (WORDS are flags in lower case, and fields with a value, of the record that is sent):

=============================  =========================================================================================
account NAME ASSET WORDS       open an account (its chart code is 1 unless ``code N`` is said)
fund NAME AMOUNT WORDS         pay from ``world.ASSET``, an unlimited account that opens itself when first needed
pay FROM TO AMOUNT WORDS       a plain transfer; AMOUNT may be ``all``
hold HOLD FROM TO AMOUNT WORDS a hold with a name of its own
capture HOLD AMOUNT WORDS      capture a part, or ``all``
release HOLD WORDS             give the whole hold back
close, reopen, freeze, thaw    NAME WORDS: a transfer of nothing from NAME to ``world.ASSET`` with that status flag
retry ID WORDS                 send the request of that name again, changed by WORDS (``plain`` drops its flags)
batch … end                    send the requests between in one batch
chain … end                    the same, linked; ``end open`` leaves the last one linked, too
=============================  =========================================================================================

A request that will be spoken of again has a name: ``pay alice shop 5 id p1``. Time stands still but for ``at +61s``.
``expire`` (or ``expire LIMIT``) records the expiries that are due, ``-> N`` says how many. ``mark M`` and ``undo M``
remember a state and go back to it.

Questions: ``balance NAME N`` (posted credits − posted debits), ``held NAME N`` (debits held), ``incoming NAME N``
(credits held), ``status NAME open|frozen|closed|frozen+closed``, ``outcome HOLD open|captured|released|expired``,
``stored ID FIELD VALUE …`` (what became of a request), ``count accounts|transfers N``.

``nobody`` is the id zero, ``ledger`` an id of the ledger's own range, ``time`` takes ``-5s`` (five seconds ago), and
the field that names a hold is written ``of HOLD``, because ``hold`` is the flag.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from formicary.kernel.codes import AccountCode, TransferCode
from formicary.kernel.records import AccountFlag, TransferFlag
from formicary.testing import raw
from formicary.testing.agreement import Agreement, DisagreementError, Ledger, three_ledgers
from formicary.testing.model_books import Records
from formicary.testing.table_words import Names, Row, Statement, fill, moment, statements, whole

START_NS: Final = 1_800_000_000_000_000_000
"""The time at which every table starts."""
STATUS_VERBS: Final = {
    "close": TransferFlag.CLOSING_DEBIT,
    "reopen": TransferFlag.REOPENING_DEBIT,
    "freeze": TransferFlag.FREEZING_DEBIT,
    "thaw": TransferFlag.THAWING_DEBIT,
}
NEEDS: Final = {
    "account": "NAME ASSET",
    "fund": "NAME AMOUNT",
    "pay": "FROM TO AMOUNT",
    "hold": "HOLD FROM TO AMOUNT",
    "capture": "HOLD AMOUNT",
    "release": "HOLD",
    "retry": "ID",
    **dict.fromkeys(STATUS_VERBS, "NAME"),
    "at": "TIME",
    **dict.fromkeys(("mark", "undo"), "NAME"),
    **dict.fromkeys(("balance", "held", "incoming"), "NAME AMOUNT"),
    "status": "NAME STATUS",
    "outcome": "HOLD OUTCOME",
    "stored": "ID FIELD VALUE",
    "count": "KIND NUMBER",
    **dict.fromkeys(("batch", "chain", "end", "expire"), ""),
}
"""The words that each verb can't do without."""
OUTCOMES: Final = {
    TransferFlag.CAPTURE: "captured",
    TransferFlag.RELEASE: "released",
    TransferFlag.EXPIRY: "expired",
}


class TableError(AssertionError):
    """A statement's answer was not the expected one, or the ledgers disagreed."""


def check(text: str, ledgers: Mapping[str, Ledger] | None = None) -> Table:
    """Run a table on ``ledgers`` (kernel, twin and model when none are given); return it for further questions.

    Raise :class:`TableError` with the line and what differed, and ``BadInput`` when the table can't be read.
    """
    table = Table(Agreement(three_ledgers() if ledgers is None else ledgers))
    for statement in statements(text):
        table.run(statement)
    if table.group is not None:
        raise table.group[0].wrong("batch or chain without end")
    return table


@dataclass(slots=True)
class Request:
    """A record to send, and the statement that asked for it."""

    statement: Statement
    kind: str
    row: Row


@dataclass
class Table:
    """A table being run: its ledgers, names, clock, and the batch that is being gathered."""

    ledger: Agreement
    now: int = START_NS
    names: Names = field(default_factory=Names)
    group: tuple[Statement, list[Request]] | None = None
    assets: dict[int, int] = field(default_factory=dict)
    sent: dict[str, Request] = field(default_factory=dict)
    marks: dict[str, list[object]] = field(default_factory=dict)
    codes: set[AccountCode | TransferCode] = field(default_factory=set)
    """Every code that a request was answered with."""

    def run(self, statement: Statement) -> None:
        """Do what one statement says, or ask what it asks."""
        verb, words = statement.verb, statement.words
        if verb not in NEEDS:
            raise statement.wrong(f"no such verb: {verb}")
        if len(words) < len(NEEDS[verb].split()):
            raise statement.wrong(f"{verb} needs {NEEDS[verb]}")
        simple = self._simple().get(verb)
        if simple is not None and verb != "stored" and len(words) > max(1, len(NEEDS[verb].split())):
            raise statement.wrong(f"{verb} takes no more than {NEEDS[verb] or 'one word'}")
        try:
            if verb in ("batch", "chain"):
                self._begin(statement)
            elif verb == "end":
                self._end(statement)
            elif simple is not None:
                simple(statement, *words)
            else:
                self._send(self._request(statement))
        except (ValueError, OverflowError) as error:
            raise statement.wrong(str(error)) from error
        except DisagreementError as error:
            raise TableError(f"line {statement.line}: {statement.text}: the ledgers disagree: {error}") from error

    # ------------------------------------------------------------------ requests

    def _request(self, statement: Statement) -> Request:
        builders: dict[str, Callable[..., tuple[Row, Sequence[str]]]] = {
            "account": self._account,
            "fund": self._fund,
            "pay": self._pay,
            "hold": self._hold,
            "capture": self._capture,
            "release": self._release,
            "retry": self._retry,
        }
        kind = "account" if statement.verb == "account" else "transfer"
        if statement.verb == "retry":
            kind = self._sent(statement.words[0]).kind
        if statement.verb in STATUS_VERBS:
            row, words = self._status(STATUS_VERBS[statement.verb], *statement.words)
        else:
            row, words = builders[statement.verb](*statement.words)
        fill(row, kind, words, self.names, self.now)
        request = Request(statement, kind, row)
        self._remember(request)
        return request

    def _remember(self, request: Request) -> None:
        """Keep a request under its name, for ``retry``; and an account's asset, for its transfers."""
        words = request.statement.words
        if request.kind == "account":
            self.assets.setdefault(request.row["id"], request.row["asset"])
            self.sent.setdefault(words[0], request)
        if request.statement.verb == "hold":
            self.sent.setdefault(words[0], request)
        if "id" in words[:-1] and request.statement.verb != "retry":
            self.sent.setdefault(words[words.index("id") + 1], request)

    def _account(self, name: str, asset: str, *words: str) -> tuple[Row, Sequence[str]]:
        account = self.names.number("account", name)
        return {"id": account, "asset": self.names.number("asset", asset), "code": 1}, words

    def _fund(self, name: str, amount: str, *words: str) -> tuple[Row, Sequence[str]]:
        account = self.names.number("account", name)
        return self._transfer(self._world(account), account, amount=whole(amount)), words

    def _pay(self, debit: str, credit: str, amount: str, *words: str) -> tuple[Row, Sequence[str]]:
        accounts = (self.names.number("account", debit), self.names.number("account", credit))
        return self._transfer(*accounts, amount=whole(amount)), words

    def _hold(self, name: str, debit: str, credit: str, amount: str, *words: str) -> tuple[Row, Sequence[str]]:
        row, _ = self._pay(debit, credit, amount)
        return row | {"id": self.names.number("transfer", name), "flags": TransferFlag.HOLD}, words

    def _capture(self, hold: str, amount: str, *words: str) -> tuple[Row, Sequence[str]]:
        flags = TransferFlag.CAPTURE
        return {**self._new_id(), "hold": self._held(hold), "amount": whole(amount), "flags": flags}, words

    def _release(self, hold: str, *words: str) -> tuple[Row, Sequence[str]]:
        return {**self._new_id(), "hold": self._held(hold), "flags": TransferFlag.RELEASE}, words

    def _held(self, hold: str) -> int:
        return self.names.number("transfer", hold)

    def _status(self, flag: TransferFlag, name: str, *words: str) -> tuple[Row, Sequence[str]]:
        account = self.names.number("account", name)
        return self._transfer(account, self._world(account), amount=0) | {"flags": flag}, words

    def _retry(self, name: str, *words: str) -> tuple[Row, Sequence[str]]:
        row = dict(self._sent(name).row)
        if "plain" in words:
            row["flags"] = 0
        return row, [word for word in words if word != "plain"]

    def _sent(self, name: str) -> Request:
        if name not in self.sent:
            raise ValueError(f"nothing was sent under the name {name}")
        return self.sent[name]

    def _transfer(self, debit: int, credit: int, *, amount: int) -> Row:
        asset = self.assets.get(debit) or self.assets.get(credit) or 1
        return {**self._new_id(), "debit": debit, "credit": credit, "amount": amount, "asset": asset, "code": 1}

    def _new_id(self) -> Row:
        return {"id": self.names.number("transfer", f"unnamed {len(self.names.known.get('transfer', ()))}")}

    def _world(self, account: int) -> int:
        """Return the id of the unlimited account of the same asset, opened when it is first needed."""
        asset = self.assets.get(account, 1)
        known = {number: name for name, number in self.names.known.get("asset", {}).items()}
        world = self.names.number("account", f"world.{known.get(asset, asset)}")
        if world not in self.assets:
            self.assets[world] = asset
            self.ledger.open_accounts(raw.accounts([{"id": world, "asset": asset, "code": 1}]), self.now)
        return world

    # ------------------------------------------------------------------ batches

    def _begin(self, statement: Statement) -> None:
        if self.group is not None:
            raise statement.wrong("a batch or chain can't stand inside another")
        self.group = (statement, [])

    def _send(self, request: Request) -> None:
        if self.group is None:
            self._post([request])
        else:
            self.group[1].append(request)

    def _end(self, statement: Statement) -> None:
        if self.group is None:
            raise statement.wrong("end without batch or chain")
        (begin, requests), self.group = self.group, None
        if begin.verb == "chain":
            linked = requests if "open" in statement.words else requests[:-1]
            for request in linked:
                request.row["flags"] = request.row.get("flags", 0) | TransferFlag.LINKED
        self._post(requests)

    def _post(self, requests: Sequence[Request]) -> None:
        """Send one batch, and compare each answer with the one that its statement expects."""
        rows = [request.row for request in requests]
        codes: Sequence[AccountCode | TransferCode]
        if all(request.kind == "account" for request in requests):
            codes = self.ledger.open_accounts(raw.accounts(rows), self.now)
        elif all(request.kind == "transfer" for request in requests):
            codes = self.ledger.post(raw.transfers(rows), self.now)
        else:
            raise ValueError("accounts and transfers can't share a batch")
        self.codes.update(codes)
        for request, code in zip(requests, codes, strict=True):
            self._expect(request.statement, request.statement.answer or "ok", code.name.lower())

    # ------------------------------------------------------------------ time, marks and questions

    def _simple(self) -> dict[str, Callable[..., None]]:
        return {
            "at": self._at,
            "expire": self._expire,
            "mark": self._mark,
            "undo": self._undo,
            "balance": self._balance,
            "held": self._held_now,
            "incoming": self._incoming,
            "status": self._status_now,
            "outcome": self._outcome,
            "stored": self._stored,
            "count": self._count,
        }

    def _at(self, _statement: Statement, when: str) -> None:
        self.now = moment(when, self.now)

    def _expire(self, statement: Statement, limit: str = "1_000_000") -> None:
        count = self.ledger.expire(self.now, whole(limit))
        if statement.answer:
            self._expect(statement, statement.answer, str(count))

    def _mark(self, _statement: Statement, name: str) -> None:
        self.marks[name] = self.ledger.mark()

    def _undo(self, _statement: Statement, name: str) -> None:
        if name not in self.marks:
            raise ValueError(f"there is no mark {name}")
        self.ledger.undo(self.marks.pop(name))

    def _balance(self, statement: Statement, name: str, amount: str) -> None:
        account = self._find("account", name)
        self._expect(statement, str(whole(amount)), str(account["credits_posted"] - account["debits_posted"]))

    def _held_now(self, statement: Statement, name: str, amount: str) -> None:
        self._expect(statement, str(whole(amount)), str(self._find("account", name)["debits_held"]))

    def _incoming(self, statement: Statement, name: str, amount: str) -> None:
        self._expect(statement, str(whole(amount)), str(self._find("account", name)["credits_held"]))

    def _status_now(self, statement: Statement, name: str, status: str) -> None:
        flags = self._find("account", name)["flags"] & (AccountFlag.FROZEN | AccountFlag.CLOSED)
        found = [flag.name.lower() for flag in (AccountFlag.FROZEN, AccountFlag.CLOSED) if flags & flag and flag.name]
        self._expect(statement, status, "+".join(found) or "open")

    def _outcome(self, statement: Statement, hold: str, outcome: str) -> None:
        transfers = self.ledger.transfers()
        resolvers = transfers["flags"][[named == self._held(hold) for named in raw.wide(transfers, "hold")]].tolist()
        found = [OUTCOMES[flag] for flags in resolvers for flag in OUTCOMES if flags & flag]
        self._expect(statement, outcome, "+".join(found) or "open")

    def _stored(self, statement: Statement, name: str, *words: str) -> None:
        """Compare fields of a stored transfer, or with ``account NAME …`` of an account."""
        kind = "account" if name == "account" else "transfer"
        name, words = (words[0], words[1:]) if kind == "account" else (name, words)
        found = self._find(kind, name)
        expected: Row = {}
        fill(expected, kind, words, self.names, self.now)
        for field_name, value in expected.items():
            self._expect(statement, f"{field_name} {value}", f"{field_name} {found[field_name]}")

    def _count(self, statement: Statement, kind: str, number: str) -> None:
        counts = {"accounts": self.ledger.first.accounts_count, "transfers": self.ledger.first.transfers_count}
        self._expect(statement, number, str(counts[kind]))

    def _find(self, kind: str, name: str) -> Row:
        """Return the fields of a stored account or transfer as ints, wide ones whole."""
        records: Records = self.ledger.accounts() if kind == "account" else self.ledger.transfers()
        number = self.names.number(kind, name)
        for place, found in enumerate(raw.wide(records, "id")):
            if found == number:
                one = records[place : place + 1]
                wides = {wide: raw.wide(one, wide)[0] for wide in raw.wide_fields(records.dtype)}
                return wides | {field_name: int(one[field_name][0]) for field_name in records.dtype.names or ()}
        raise ValueError(f"the ledger has no {kind} {name}")

    def _expect(self, statement: Statement, expected: str, found: str) -> None:
        if expected != found:
            raise TableError(f"line {statement.line}: {statement.text}: expected {expected}, found {found}")
