"""The log in PostgreSQL, on a real server, against the guarantees of every log; and what a network adds to them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path

import psycopg
import pytest

from formicary.base.entry import Entry
from formicary.base.errors import Closed, Corrupt, Fault, Fenced, Refusal, StorageReadOnly
from formicary.log import Log, LogReader, open_log
from formicary.log.postgres import PostgresLog, PostgresLogReader, split_address
from formicary.testing.postgres import PrivatePostgres, private_postgres

from tests.log.conformance import LogConformance, check_chain, draft_after, fill

pytestmark = pytest.mark.postgres

PATIENCE_S = 3.0
_names = count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[PrivatePostgres]:
    """One server for this file."""
    with private_postgres() as running:
        yield running


@pytest.fixture
def address(server: PrivatePostgres) -> str:
    """A log that no other test uses."""
    return f"{server.address}&formicary_log=log-{next(_names)}"


class PostgresAccidents:
    """A log on a server, and what can happen there."""

    def __init__(self, server: PrivatePostgres, address: str) -> None:
        self.server = server
        self.address = address
        self.opened = ExitStack()

    def open(self) -> Log:
        """A writer, made as the one door makes it."""
        log = open_log(self.address)
        self.opened.callback(log.close)
        return log

    def reader(self) -> LogReader:
        """A reader."""
        return self.opened.enter_context(closing(open_log(self.address, writer=False)))

    def abandon(self, log: Log) -> None:
        """The connection is gone, and the server notices."""
        self.break_lock(log)

    def break_lock(self, log: Log) -> None:
        """The server ends the writer's session."""
        assert isinstance(log, PostgresLog)
        end_session(self.server, log)

    def fail_syncs(self, log: Log) -> None:
        """The server is made to cancel what a commit needs, over and over."""
        assert isinstance(log, PostgresLog)
        log._connection.execute("SET transaction_read_only = on")
        log._connection.execute("SET default_transaction_read_only = on")


def end_session(server: PrivatePostgres, log: PostgresLog) -> None:
    """Terminate the writer's backend and wait until its lock is free."""
    pid = log._connection.info.backend_pid
    with psycopg.connect(server.address, autocommit=True) as control:
        control.execute("SELECT pg_terminate_backend(%s)", [pid])
        while control.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone():
            time.sleep(0.01)


class TestPostgresLog(LogConformance):
    """All guarantees."""

    @pytest.fixture
    def store(self, server: PrivatePostgres, address: str) -> Iterator[PostgresAccidents]:
        """A log of its own on the shared server."""
        store = PostgresAccidents(server, address)
        with store.opened:
            yield store


def read_all(address: str) -> list[Entry]:
    """Everything, through a reader of its own."""
    with closing(PostgresLogReader(address)) as reader:
        return list(reader.read(1))


def test_the_address_names_the_log() -> None:
    """Our parameter is taken out before libpq sees it; without it the log is ``main``."""
    assert split_address("postgresql://u@h:5433/d?formicary_log=eu&sslmode=require") == (
        "postgresql://u@h:5433/d?sslmode=require",
        "eu",
    )
    assert split_address("postgresql://u@/d?host=/run/x") == ("postgresql://u@/d?host=/run/x", "main")


def test_a_missing_log_is_refused(address: str) -> None:
    """A reader never makes a log; a writer does unless told not to."""
    open_log(f"{address}-other").close()
    for open_it in (lambda: open_log(address, writer=False), lambda: open_log(address, create=False)):
        with pytest.raises(Refusal) as refusal:
            open_it()
        assert refusal.value.code == "log_missing"


def test_a_lost_connection_is_mended_within_a_sync(server: PrivatePostgres, address: str) -> None:
    """The session ends between append and sync: the group is read back, not found, and sent again, once."""
    log = PostgresLog(address, patience_s=PATIENCE_S)
    written = fill(log, 2)
    written.append(log.append(draft_after(log, b"sent twice, stored once")))
    end_session(server, log)
    log.sync()
    assert list(log.read(1)) == written
    log.close()


def test_a_commit_whose_answer_is_lost_is_read_back(
    server: PrivatePostgres, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit happened but the connection broke before saying so: the entries are found and not sent again."""
    log = PostgresLog(address, patience_s=PATIENCE_S)
    written = fill(log, 2)
    send, sent = log._send, []

    def send_and_lose_the_answer(group: list[object]) -> None:
        sent.append(len(group))
        send(group)  # type: ignore[arg-type]
        end_session(server, log)
        raise psycopg.OperationalError("the connection was lost")

    monkeypatch.setattr(log, "_send", send_and_lose_the_answer)
    written.append(log.append(draft_after(log, b"stored")))
    log.sync()
    monkeypatch.undo()
    assert sent == [1]
    written.append(log.append(draft_after(log, b"and the next")))
    log.sync()
    assert list(log.read(1)) == written
    log.close()


def test_a_commit_still_under_way_is_recognised(address: str) -> None:
    """The first attempt commits after the reading back: the second finds the place taken, by the same entries."""
    log = PostgresLog(address, patience_s=PATIENCE_S)
    entries = [log.append(draft_after(log, b"slow")), log.append(draft_after(log, b"slow too"))]
    log._send(entries)
    log.sync()
    assert list(log.read(1)) == entries
    log.close()


def test_a_server_that_crashes_and_returns(address: str) -> None:
    """What was acknowledged is there after the server's crash; a group under way is stored once when it returns."""
    with private_postgres() as own:
        log = PostgresLog(own.address, patience_s=30)
        written = fill(log, 5)
        written.append(log.append(draft_after(log, b"under way")))
        own.stop(crash=True)
        returning = threading.Timer(0.5, own.start)
        returning.start()
        log.sync()
        returning.join()
        assert list(log.read(1)) == written
        written.append(log.append(draft_after(log, b"after")))
        log.sync()
        check_chain(read_all(own.address))
        assert list(log.read(1)) == written
        log.close()
    assert address


def test_a_server_that_stays_away_is_a_fault() -> None:
    """Patience ends: the outcome is unknown, the writer stops, and says so."""
    with private_postgres() as own:
        log = PostgresLog(own.address, patience_s=0.5)
        fill(log, 1)
        log.append(draft_after(log))
        own.stop(crash=True)
        with pytest.raises(Fault, match="unknown"):
            log.sync()
        with pytest.raises(Closed):
            log.append(draft_after(log))
        log.close()


def test_a_read_only_server_is_named(address: str) -> None:
    """A standby, or a database set read-only, takes no group."""
    log = PostgresLog(address)
    log._connection.execute("SET default_transaction_read_only = on")
    log.append(draft_after(log))
    with pytest.raises(StorageReadOnly):
        log.sync()
    log.close()


def test_a_superseded_writer_that_reconnects_is_fenced(server: PrivatePostgres, address: str) -> None:
    """Its new session gets no lock and its epoch changes 0 rows; the newer writer is not disturbed."""
    stale = PostgresLog(address, patience_s=PATIENCE_S)
    fill(stale, 1)
    stale.append(draft_after(stale, b"stale"))
    end_session(server, stale)
    newer = PostgresLog(address)
    fill(newer, 1)
    newer.close()
    with pytest.raises(Fenced):
        stale.sync()
    stale.close()
    found = read_all(address)
    assert [entry.epoch for entry in found] == [stale.epoch, newer.epoch]


def test_changed_rows_are_found(server: PrivatePostgres, address: str) -> None:
    """A changed body, time, kind or parent, an exchanged or a missing row: reading names the entry."""
    log = PostgresLog(address)
    fill(log, 20)
    log.close()
    name = split_address(address)[1]
    changes = (
        "UPDATE formicary_entries SET body = body || 'x'",
        "UPDATE formicary_entries SET time_ns = time_ns + 1",
        "UPDATE formicary_entries SET kind = 99",
        "UPDATE formicary_entries SET parent = hash",
        "UPDATE formicary_entries SET epoch = 0",
        "DELETE FROM formicary_entries",
    )
    for change in changes:
        with psycopg.connect(server.address) as tamper:
            tamper.execute(f"{change} WHERE log = %s AND index = 7".encode(), [name])
            tamper.commit()
            seen: list[Entry] = []
            with pytest.raises(Corrupt) as found, closing(PostgresLogReader(address)) as reader:
                seen.extend(reader.read(1))
            assert (len(seen), found.value.record) == (6, 7)
            restore(tamper, name, address)


def restore(tamper: psycopg.Connection[tuple[object, ...]], name: str, address: str) -> None:
    """Write the log anew, as it was."""
    tamper.execute("DELETE FROM formicary_entries WHERE log = %s", [name])
    tamper.execute("UPDATE formicary_logs SET newest = 0 WHERE name = %s", [name])
    tamper.commit()
    log = PostgresLog(address)
    fill(log, 20)
    log.close()


def test_rows_missing_at_the_end_are_found(server: PrivatePostgres, address: str) -> None:
    """The log's row knows how many entries there are: the newest can't be deleted unnoticed."""
    log = PostgresLog(address)
    fill(log, 3)
    log.close()
    with psycopg.connect(server.address) as tamper:
        tamper.execute("DELETE FROM formicary_entries WHERE log = %s AND index = 3", [split_address(address)[1]])
    with pytest.raises(Corrupt):
        PostgresLog(address)
    with pytest.raises(Corrupt):
        read_all(address)


def test_a_server_without_fsync_is_refused(address: str, tmp_path: Path) -> None:
    """What such a server acknowledges may be lost, so a ledger does not start on it."""
    assert address
    assert tmp_path
    with private_postgres() as own:
        with psycopg.connect(own.address, autocommit=True) as control:
            control.execute("ALTER SYSTEM SET fsync = off")
            control.execute("SELECT pg_reload_conf()")
            while control.execute("SHOW fsync").fetchone() != ("off",):
                time.sleep(0.02)
        with pytest.raises(Refusal) as refusal:
            PostgresLog(own.address)
        assert refusal.value.code == "not_durable"
