"""The reading of a handler's SQL: what has one answer on every node passes, everything else is refused by name."""

from __future__ import annotations

import pytest

from formicary.machine.sql import TableShape, Unsafe, check_statement

SHAPES = {
    "shop_orders": TableShape(
        frozenset({"id", "buyer", "seq", "amount", "state"}), (frozenset({"id"}), frozenset({"buyer", "seq"}))
    ),
    "shop_people": TableShape(frozenset({"person", "name"}), (frozenset({"person"}),)),
}

ONE_ANSWER = [
    "SELECT id FROM shop_orders WHERE state != ? AND amount > ? ORDER BY id",
    "SELECT seq FROM shop_orders WHERE amount > ? AND buyer = ? ORDER BY seq",
    "SELECT amount FROM shop_orders WHERE id = ?",
    "SELECT amount FROM shop_orders WHERE buyer = ? AND seq = ?",
    "SELECT id FROM shop_orders ORDER BY id",
    "SELECT state, amount FROM shop_orders ORDER BY amount DESC, id",
    "SELECT seq FROM shop_orders WHERE buyer = ? ORDER BY seq DESC LIMIT 1",
    "SELECT count(*) FROM shop_orders",
    "SELECT coalesce(max(seq), 0) FROM shop_orders WHERE buyer = ?",
    "SELECT buyer, count(*) AS orders FROM shop_orders GROUP BY buyer ORDER BY buyer",
    "SELECT o.id, p.name FROM shop_orders o JOIN shop_people p ON p.person = o.buyer ORDER BY o.id",
    "SELECT o.id, p.name FROM shop_orders AS o LEFT JOIN shop_people AS p ON p.person = o.buyer ORDER BY o.id LIMIT ?",
    "SELECT o.id FROM shop_orders o, shop_people p WHERE p.person = o.buyer ORDER BY o.id",
    "SELECT name FROM shop_people WHERE EXISTS (SELECT id FROM shop_orders WHERE buyer = person) ORDER BY person",
    "SELECT CASE WHEN amount > ? THEN 'big' ELSE 'small' END FROM shop_orders WHERE id = ?",
    "SELECT max(amount, ?) FROM shop_orders WHERE id = ?",
    "UPDATE shop_orders SET state = ? WHERE id = ?",
    "DELETE FROM shop_orders WHERE state = 'done' AND buyer IN (SELECT person FROM shop_people)",
    "INSERT INTO shop_orders (id, buyer) VALUES (?, ?) ON CONFLICT (id) DO NOTHING",
]

SEVERAL_ANSWERS = [
    ("SELECT amount FROM shop_orders", "not total"),
    ("SELECT amount FROM shop_orders LIMIT 1", "not total"),
    ("SELECT id FROM shop_orders ORDER BY amount", "not total"),
    ("SELECT seq FROM shop_orders WHERE buyer = ?", "not total"),
    ("SELECT amount FROM shop_orders WHERE id = ? OR seq = ?", "not total"),
    ("SELECT id FROM shop_orders WHERE seq BETWEEN ? AND id = ?", "not total"),
    ("SELECT o.id FROM shop_orders o JOIN shop_people p ON p.name = o.state ORDER BY o.id", "not total"),
    ("SELECT o.id FROM shop_orders o LEFT JOIN shop_people p ON o.id = ?", "not total"),
    ("SELECT buyer, count(*) FROM shop_orders GROUP BY buyer", "not total"),
    ("SELECT amount, max(seq) FROM shop_orders", "any row"),
    ("SELECT buyer, amount FROM shop_orders GROUP BY buyer ORDER BY buyer", "any row of the group"),
    ("SELECT buyer, amount, count(*) FROM shop_orders GROUP BY buyer ORDER BY buyer", "any row"),
    ("SELECT seq AS id FROM shop_orders ORDER BY id", "hides a column"),
    ("SELECT seq id FROM shop_orders ORDER BY id", "write AS"),
    ("SELECT min(seq) id FROM shop_orders GROUP BY buyer ORDER BY id", "write AS"),
    ("SELECT id FROM shop_orders ORDER BY 1", "plain column"),
    ("SELECT id FROM shop_orders ORDER BY length(id)", "plain column"),
    ("SELECT amount + 1 FROM shop_orders WHERE id = ?", "compute in Python"),
    ("UPDATE shop_orders SET amount = amount - ? WHERE id = ?", "compute in Python"),
    ("SELECT * FROM shop_orders WHERE id = ?", "name each column"),
    ("SELECT 1.5", "plain integer"),
    ("SELECT 1e3", "plain integer"),
    ("SELECT current_timestamp", "the clock"),
    ("SELECT CURRENT_DATE", "the clock"),
    ("WITH a AS (SELECT 1) SELECT 1", "SELECT, INSERT, UPDATE and DELETE only"),
    ("PRAGMA user_version", "SELECT, INSERT, UPDATE and DELETE only"),
    ("ATTACH 'x' AS y", "SELECT, INSERT, UPDATE and DELETE only"),
    ("CREATE TABLE shop_more (id INTEGER)", "SELECT, INSERT, UPDATE and DELETE only"),
    ("SELECT id FROM shop_orders UNION SELECT person FROM shop_people", "compound"),
    ("SELECT DISTINCT buyer FROM shop_orders ORDER BY buyer", "DISTINCT"),
    ("SELECT count(*) OVER (ORDER BY id) FROM shop_orders ORDER BY id", "window"),
    ("SELECT (SELECT name FROM shop_people) FROM shop_orders WHERE id = ?", "after IN or EXISTS"),
    ("SELECT id FROM (SELECT id FROM shop_orders) ORDER BY id", "after IN or EXISTS"),
    ("DELETE FROM shop_orders WHERE id IN (SELECT person FROM shop_people LIMIT 1)", "LIMIT in a subquery"),
    ("DELETE FROM shop_orders RETURNING id", "RETURNING"),
    ("INSERT INTO shop_orders SELECT person FROM shop_people", "after IN or EXISTS"),
    ("UPDATE shop_orders SET state = name FROM shop_people", "UPDATE … FROM"),
    ("SELECT rowid FROM shop_orders WHERE id = ?", "rowid"),
    ("SELECT shop_orders.rowid FROM shop_orders WHERE id = ?", "rowid"),
    ("SELECT 1; SELECT 2", "one statement"),
    ("SELECT id FROM shop_orders WHERE id = ? COLLATE NOCASE", "COLLATE"),
    ("SELECT id FROM elsewhere ORDER BY id", "tables of the product"),
]


@pytest.mark.parametrize("sql", ONE_ANSWER)
def test_a_statement_with_one_answer_passes(sql: str) -> None:
    """The rule leaves room for what products need."""
    assert check_statement(sql, SHAPES) == sql.split(maxsplit=1)[0].lower()


@pytest.mark.parametrize(("sql", "why"), SEVERAL_ANSWERS)
def test_a_statement_with_several_answers_is_refused(sql: str, why: str) -> None:
    """Whatever could differ between two nodes is refused, with the reason."""
    with pytest.raises(Unsafe, match=why):
        check_statement(sql, SHAPES)
