"""The fence: a handler reads and writes its own product's tables, and nothing that could differ between two nodes."""

from __future__ import annotations

import dataclasses

import pytest

from formicary.machine.fence import ROWS_MAX, FenceBroken, FencedRows
from formicary.machine.rows import Effect, Rows
from formicary.products.anatomy import Product

SHOP = Product(
    name="shop",
    schema="""CREATE TABLE shop_orders (id INTEGER NOT NULL PRIMARY KEY, state TEXT NOT NULL, weight INTEGER) STRICT;
              CREATE INDEX shop_orders_by_state ON shop_orders (state, id);""",
)
BANK = Product(name="bank", schema="CREATE TABLE bank_secrets (id INTEGER NOT NULL PRIMARY KEY) STRICT;")


@pytest.fixture
def shop() -> FencedRows:
    """The rows of the shop, beside a bank."""
    return Rows(None, [SHOP, BANK]).fenced["shop"]


def test_a_product_reads_and_writes_its_own_rows(shop: FencedRows) -> None:
    """What a handler normally does just works, and says how many rows it touched."""
    assert shop.run("INSERT INTO shop_orders (id, state) VALUES (?, ?), (?, ?)", 1, "new", 2, "new") == 2
    assert shop.run("UPDATE shop_orders SET state = ? WHERE id = ?", "paid", 2) == 1
    assert shop.all("SELECT id, state FROM shop_orders ORDER BY id") == [(1, "new"), (2, "paid")]
    assert shop.one("SELECT state FROM shop_orders WHERE id = ?", 2) == ("paid",)
    assert shop.one("SELECT state FROM shop_orders WHERE id = ?", 3) is None
    assert shop.run("DELETE FROM shop_orders WHERE state = ?", "new") == 1


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELECT id FROM bank_secrets ORDER BY id", "tables of the product"),
        ("SELECT id FROM shop_orders WHERE id IN (SELECT id FROM bank_secrets) ORDER BY id", "tables of the product"),
        ("SELECT name FROM sqlite_schema ORDER BY name", "tables of the product"),
        ("SELECT value FROM machine_counters WHERE name = 'events'", "tables of the product"),
        ("SELECT state FROM shop_orders", "not total"),
        ("SELECT random()", "random"),
        ("SELECT hex(randomblob(4))", "randomblob"),
        ("SELECT date('now')", "date"),
        ("SELECT julianday('now')", "julianday"),
        ("SELECT strftime('%s')", "strftime"),
        ("SELECT current_timestamp", "the clock"),
        ("SELECT sum(weight) FROM shop_orders", "sum"),
        ("SELECT avg(weight) FROM shop_orders", "avg"),
        ("SELECT total(weight) FROM shop_orders", "total"),
        ("SELECT group_concat(state) FROM shop_orders", "group_concat"),
        ("SELECT last_insert_rowid()", "last_insert_rowid"),
        ("SELECT sqlite_version()", "sqlite_version"),
        ("SELECT nothing FROM shop_orders WHERE id = ?", "nothing"),
    ],
)
def test_a_query_outside_the_fence_is_a_bug(shop: FencedRows, sql: str, why: str) -> None:
    """Other tables, chance, the clock, floats and unordered reads break the fence, and the statement is named."""
    values = (1,) if "?" in sql else ()
    with pytest.raises(FenceBroken, match=why) as broken:
        shop.all(sql, *values)
    assert sql in str(broken.value)
    assert str(broken.value).startswith("shop: ")


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("INSERT INTO bank_secrets (id) VALUES (1)", "bank_secrets is not a table of shop"),
        ("DELETE FROM machine_replies", "machine_replies is not a table of shop"),
        ("UPDATE machine_counters SET value = 7", "machine_counters is not a table of shop"),
        ("DELETE FROM shop_orders WHERE id IN (SELECT id FROM bank_secrets)", "tables of the product"),
        ("INSERT INTO shop_orders (id, state) VALUES (random(), 'x')", "random"),
        ("UPDATE shop_orders SET id = 5", "id is part of a key"),
        ("ATTACH 'x.db' AS x", "only"),
        ("PRAGMA user_version = 3", "only"),
        ("CREATE TABLE shop_more (id INTEGER)", "only"),
        ("DROP TABLE shop_orders", "only"),
        ("SAVEPOINT mine", "only"),
        ("COMMIT", "only"),
        ("SELECT id FROM shop_orders ORDER BY id", "not for this method"),
    ],
)
def test_a_change_outside_the_fence_is_a_bug(shop: FencedRows, sql: str, why: str) -> None:
    """Other tables, keys, schemas and transactions are out of a handler's reach."""
    with pytest.raises(FenceBroken, match=why):
        shop.run(sql)


def test_a_statement_approved_for_one_product_is_not_for_another() -> None:
    """The database caches statements by their text; the fence remembers for whom each was judged."""
    rows = Rows(None, [SHOP, BANK])
    sql = "SELECT id FROM bank_secrets ORDER BY id"
    assert rows.fenced["bank"].all(sql) == []
    with pytest.raises(FenceBroken):
        rows.fenced["shop"].all(sql)


def test_a_broken_statement_ran_nothing(shop: FencedRows) -> None:
    """Judging a statement compiles it and runs nothing of it, whether it passes or not."""
    with pytest.raises(FenceBroken):
        shop.run("INSERT INTO shop_orders (id, state) VALUES (1, hex(randomblob(2)))")
    assert shop.all("SELECT id FROM shop_orders ORDER BY id") == []
    shop.run("INSERT INTO shop_orders (id, state) VALUES (1, 'x')")
    assert shop.one("SELECT count(*) FROM shop_orders") == (1,)


@pytest.mark.parametrize("value", [1.5, True, (1, 2), object()])
def test_only_integers_texts_and_bytes_are_values(shop: FencedRows, value: object) -> None:
    """A float, or a truth value that comes back as a number, never gets into a row."""
    with pytest.raises(FenceBroken, match="not a value for a row"):
        shop.run("INSERT INTO shop_orders (id, state) VALUES (1, ?)", value)  # type: ignore[arg-type]


def test_a_float_never_comes_back(shop: FencedRows) -> None:
    """Should SQLite make a float all the same, the result is refused."""
    shop._connection.create_scalar_function("unhex", lambda _value: 0.5, 1)
    with pytest.raises(FenceBroken, match="a float came back"):
        shop.one("SELECT unhex(?)", "00")


def test_a_query_returns_a_limited_number_of_rows(shop: FencedRows) -> None:
    """A handler that reads everything there is would slow down until nobody could use it."""
    many = [(number, "x") for number in range(ROWS_MAX + 1)]
    shop._connection.executemany("INSERT INTO shop_orders (id, state) VALUES (?, ?)", many)
    with pytest.raises(FenceBroken, match="more than 10000 rows"):
        shop.all("SELECT id FROM shop_orders ORDER BY id")
    assert len(shop.all("SELECT id FROM shop_orders ORDER BY id LIMIT 10000")) == ROWS_MAX


def test_one_means_one(shop: FencedRows) -> None:
    """A second row where one was expected is a bug, not a choice."""
    shop.run("INSERT INTO shop_orders (id, state) VALUES (1, 'x'), (2, 'x')")
    with pytest.raises(FenceBroken, match="more than one row"):
        shop.one("SELECT id FROM shop_orders ORDER BY id")


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ("CREATE TABLE orders (id INTEGER NOT NULL PRIMARY KEY) STRICT", "does not begin with shop_"),
        ("CREATE TABLE bank_more (id INTEGER NOT NULL PRIMARY KEY) STRICT", "does not begin with shop_"),
        ("CREATE TABLE shop_a (id INTEGER NOT NULL PRIMARY KEY)", "not STRICT"),
        ("CREATE TABLE shop_a (id INTEGER NOT NULL PRIMARY KEY, x REAL) STRICT", "REAL is not"),
        ("CREATE TABLE shop_a (id INTEGER NOT NULL PRIMARY KEY, x ANY) STRICT", "ANY is not"),
        ("CREATE TABLE shop_a (id INTEGER) STRICT", "no key"),
        ("CREATE TABLE shop_a (id TEXT, x INTEGER NOT NULL UNIQUE) STRICT", "PRIMARY KEY"),
        ("CREATE TABLE shop_a (id INTEGER NOT NULL PRIMARY KEY, x TEXT DEFAULT CURRENT_TIMESTAMP) STRICT", "current"),
        ("CREATE TABLE shop_a (id INTEGER NOT NULL PRIMARY KEY, x TEXT DEFAULT (hex(random()))) STRICT", "random"),
        ("CREATE TABLE shop_a (id TEXT COLLATE NOCASE NOT NULL PRIMARY KEY) STRICT", "collate"),
        ("CREATE VIEW shop_v AS SELECT 1", "not for a schema"),
        ("CREATE TRIGGER shop_t AFTER INSERT ON bank_secrets BEGIN DELETE FROM bank_secrets; END", "trigger"),
        ("PRAGMA user_version = 7", "PRAGMA"),
        ("DROP TABLE machine_replies", "machine_replies"),
        ("CREATE TABLE", "incomplete input"),
    ],
)
def test_a_schema_keeps_to_its_own_tables_and_to_whole_types(schema: str, why: str) -> None:
    """Tables are STRICT, keyed, float-free, without defaults by the clock, and under the product's own prefix."""
    with pytest.raises(FenceBroken, match=why):
        Rows(None, [BANK, dataclasses.replace(SHOP, schema=schema)])


def test_what_was_read_of_a_steady_table_is_kept_until_it_is_written() -> None:
    """Asked again, the database is not; after a write it is, until the entry has ended."""
    rows = Rows(None, [dataclasses.replace(SHOP, steady=frozenset({"shop_orders"})), BANK])
    shop = rows.fenced["shop"]
    state = "SELECT state FROM shop_orders WHERE id = ? LIMIT 1"
    rows.begin()
    shop.run("INSERT INTO shop_orders (id, state) VALUES (?, ?)", 1, "new")
    assert shop.one(state, 1) == ("new",)
    shop.run("UPDATE shop_orders SET state = ? WHERE id = ?", "paid", 1)
    assert shop.one(state, 1) == ("paid",)
    rows.end(1, Effect(b"", b"", [], []), rows.changes(1, ()))
    assert shop.one(state, 1) == ("paid",)
    assert shop.one(state, 2) is None
    behind_its_back = "UPDATE shop_orders SET state = 'other' WHERE id = 1"
    rows.connection.execute(behind_its_back)
    assert shop.one(state, 1) == ("paid",), "it did not come from memory"
    shop.run("INSERT INTO shop_orders (id, state) VALUES (?, ?)", 2, "new")
    assert shop.one(state, 1) == ("other",)
    assert shop.one(state, 2) == ("new",)


def test_what_a_refused_command_wrote_into_a_steady_table_is_not_kept() -> None:
    """Nor what an entry wrote that was given up."""
    rows = Rows(None, [dataclasses.replace(SHOP, steady=frozenset({"shop_orders"})), BANK])
    shop = rows.fenced["shop"]
    state = "SELECT state FROM shop_orders WHERE id = ? LIMIT 1"
    rows.begin()
    mark = rows.mark()
    assert shop.one(state, 1) is None
    shop.run("INSERT INTO shop_orders (id, state) VALUES (?, ?)", 1, "new")
    assert shop.one(state, 1) == ("new",)
    rows.undo(mark)
    assert shop.one(state, 1) is None
    shop.run("INSERT INTO shop_orders (id, state) VALUES (?, ?)", 1, "late")
    assert shop.one(state, 1) == ("late",)
    rows.rollback()
    assert shop.one(state, 1) is None


def test_only_a_products_own_table_can_be_steady() -> None:
    """A name that is not there is a slip of the pen."""
    with pytest.raises(AssertionError, match="not all its tables"):
        Rows(None, [dataclasses.replace(SHOP, steady=frozenset({"bank_secrets"})), BANK])
