"""SQL for the operator: one moment, read-only, within bounds, and the same in memory, on disk and from a follower."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest

import formicary
from formicary.base.errors import Refusal
from formicary.client import ApiRefusal, Client, NotAllowed
from formicary.gateway.operator_sql import ask_snapshot
from formicary.gateway.snapshot import SQL_ROWS_MAX, Snapshot
from formicary.stack import standard_products

from tests.gateway.house import ALICE, BOB, EUR, OPERATOR, House


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A gateway for all tests of this file."""
    made = House(tmp_path_factory.mktemp("sql"))
    made.settle()
    made.run(ALICE, "pay.send", payee=BOB, asset=EUR, amount_minor=500, purpose="friend", note=None)
    yield made
    made.close()


@pytest.fixture(scope="module")
def operator(house: House) -> Iterator[Client]:
    """The operator's client."""
    with house.client(OPERATOR, "ledger:read", roles="operator") as client:
        yield client


def test_rows_join_with_accounts_and_transfers(house: House, operator: Client) -> None:
    """Ids are the same blobs in products' tables and in the kernel's."""
    sql = """SELECT a.asset, a.credits_posted - a.debits_posted AS balance, p.state FROM wallet_accounts w
             JOIN accounts a ON a.id = w.account JOIN wallet_people p ON p.person = w.person
             ORDER BY a.credits_posted"""
    with Snapshot(house.ledger) as snapshot:
        tables = snapshot.tables
    assert {"accounts", "transfers", "wallet_people", "machine_events"} <= set(tables)
    answer = operator.post("/v1/operator/sql", {"sql": "SELECT count(*), sum(amount_minor) FROM transfers"})
    assert answer["rows"][0][0] == 2
    if "wallet_accounts" in tables:
        joined = operator.post("/v1/operator/sql", {"sql": sql})
        assert joined["rows"]


def test_one_account_is_found_by_its_id(house: House, operator: Client) -> None:
    """The look-up by id agrees with the walk over all."""
    number = house.purse(ALICE)
    where = f"= x'{number:032x}'"
    wanted = "SELECT credits_posted, id FROM accounts WHERE id " + where  # noqa: S608 - an id of our own
    assert operator.post("/v1/operator/sql", {"sql": wanted})["rows"] == [[50_000, f"{number:032x}"]]
    walked = "SELECT credits_posted, id FROM accounts WHERE +id " + where  # noqa: S608 - an id of our own
    assert operator.post("/v1/operator/sql", {"sql": walked})["rows"] == [[50_000, f"{number:032x}"]]
    nothing = operator.post("/v1/operator/sql", {"sql": "SELECT * FROM accounts WHERE id = 'text'"})
    assert nothing["rows"] == []
    assert nothing["columns"][0] == "id"


def test_a_snapshot_is_one_moment(house: House) -> None:
    """What is posted while a snapshot is open is not in it, neither in rows nor in records."""
    with Snapshot(house.ledger) as snapshot:
        count = "SELECT (SELECT count(*) FROM transfers), (SELECT count(*) FROM machine_events), count(*) FROM accounts"
        before = snapshot.ask(count)[1]
        house.run(b"later".rjust(16, b"."), "wallet.open", assets=(EUR,), alias=None)
        house.give(ALICE, 1)
        assert snapshot.ask(count)[1] == before
        newest = house.ledger.transfer_records()
        last = list(newest)[-1][-1]
        number = int(last["id_hi"]) << 64 | int(last["id_lo"])
        assert snapshot.ask("SELECT id FROM transfers WHERE id = x'" + f"{number:032x}'")[1] == []  # noqa: S608 - an id of our own
    with Snapshot(house.ledger) as later:
        assert later.ask(count)[1] != before


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM wallet_people",
        "DROP TABLE wallet_people",
        "CREATE TABLE x (y)",
        "CREATE TEMP TABLE x (y)",
        "ATTACH 'x.db' AS x",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA table_info(wallet_people)",
        "SELECT * FROM pragma_database_list",
        "VACUUM INTO '/tmp/x.db'",
        "SELECT load_extension('x')",
        "SELECT zeroblob(1000000000)",
        "BEGIN",
        "COMMIT",
        "SELECT 1; SELECT 2",
        "SELECT 1; DELETE FROM wallet_people",
        "UPDATE accounts SET code = 1",
        "INSERT INTO transfers (id) VALUES (1)",
        "SELECT * FROM dbstat",
        "EXPLAIN SELECT 1",
        "SELEC 1",
        "SELECT 'a",
        'SELECT "nonsense"',
        "",
        "-- nothing",
        "SELECT * FROM sqlite_stmt",
        "SELECT * FROM bytecode('SELECT 1')",
    ],
)
def test_only_one_select_is_answered(house: House, sql: str) -> None:
    """Whatever else is asked is refused, or answers nothing, and changes nothing."""
    before = house.ledger.digest
    with Snapshot(house.ledger) as snapshot:
        if sql in {"", "-- nothing"} or sql.startswith("EXPLAIN"):
            assert snapshot.ask(sql)[1] is not None
        else:
            with pytest.raises(Refusal) as refused:
                snapshot.ask(sql)
            assert refused.value.code in {"sql_refused", "sql_malformed"}
    assert house.ledger.digest == before


def test_what_takes_too_long_is_ended(house: House) -> None:
    """An endless question is stopped by the clock, a large answer by the number of rows."""
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT "
    with Snapshot(house.ledger) as snapshot:
        with pytest.raises(Refusal) as refused:
            snapshot.ask(endless + "count(*) FROM n", seconds_max=0.3)
        assert refused.value.code == "sql_too_slow"
        _, rows, more = snapshot.ask(endless + "x FROM n")
        assert (len(rows), more) == (SQL_ROWS_MAX, True)


def test_memory_and_follower_answer_the_same(house: House) -> None:
    """A ledger without files and one that only follows give the same rows as the writer's own."""
    sql = "SELECT number, kind FROM machine_events ORDER BY number"
    wanted = ask_snapshot(house.ledger, sql).rows
    with formicary.open(house.folder / "ledger", read_only=True, products=standard_products()) as follower:
        assert ask_snapshot(follower, sql).rows == wanted
    with formicary.open(products=standard_products()) as memory:
        assert ask_snapshot(memory, "SELECT count(*) FROM transfers").rows == ((0,),)


def test_only_operators_ask(house: House, operator: Client) -> None:
    """A person without a role is refused; a question that can't be read tells where."""
    with house.client(ALICE, "wallet:read") as alice, pytest.raises(NotAllowed):
        alice.post("/v1/operator/sql", {"sql": "SELECT 1"})
    with pytest.raises(ApiRefusal) as refused:
        operator.post("/v1/operator/sql", {"sql": "SELEC"})
    assert (refused.value.code, refused.value.status, refused.value.where) == ("sql_malformed", 422, "sql")


def test_tables_are_exported_whole(operator: Client) -> None:
    """As CSV and as Parquet, with the same rows."""
    parquet = pytest.importorskip("pyarrow.parquet")
    assert "wallet_people" in operator.get("/v1/operator/tables")["tables"]
    for table in ("accounts", "transfers", "machine_events"):
        text = operator.get("/v1/operator/export", table=table, format="csv")
        rows = list(csv.DictReader(io.StringIO(text.decode())))
        raw = operator.get("/v1/operator/export", table=table, format="parquet")
        read = parquet.read_table(io.BytesIO(raw)).to_pylist()
        plain = [{name: "" if value is None else str(value) for name, value in row.items()} for row in read]
        assert plain == rows
        assert rows
    with pytest.raises(ApiRefusal):
        operator.get("/v1/operator/export", table="nonsense", format="csv")
