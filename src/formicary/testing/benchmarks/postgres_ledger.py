"""What one would otherwise run: the same transfers in PostgreSQL, in the two best forms we know.

``batch``: one statement posts thousands of transfers, idempotent by id, balances updated by a grouped join, limits as a
check constraint. ``single``: a stored function does one checked, idempotent transfer a call, from 32 connections. Both
are durable (``synchronous_commit = on``) and keep the transfers with an index for an account's history.
"""

from __future__ import annotations

import re
import subprocess
import time
from typing import Final

import numpy as np
import psycopg

from formicary.testing.postgres import PrivatePostgres, postgres_binaries, private_postgres

SCHEMA: Final = """
CREATE TABLE account (
    id bigint PRIMARY KEY,
    debits bigint NOT NULL DEFAULT 0,
    credits bigint NOT NULL DEFAULT 0,
    limited boolean NOT NULL DEFAULT false,
    CHECK (NOT limited OR debits <= credits)
) WITH (fillfactor = 50);
CREATE TABLE transfer (
    id bigint PRIMARY KEY,
    debit bigint NOT NULL,
    credit bigint NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    created timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX transfer_debit ON transfer (debit, created);
CREATE INDEX transfer_credit ON transfer (credit, created);

CREATE FUNCTION post_batch(ids bigint[], debits bigint[], credits bigint[], amounts bigint[]) RETURNS bigint
LANGUAGE sql AS $$
    WITH fresh AS (
        INSERT INTO transfer (id, debit, credit, amount)
        SELECT * FROM unnest(ids, debits, credits, amounts)
        ON CONFLICT (id) DO NOTHING
        RETURNING debit, credit, amount
    ), change AS (
        SELECT id, sum(d)::bigint AS d, sum(c)::bigint AS c FROM (
            SELECT debit AS id, amount AS d, 0 AS c FROM fresh
            UNION ALL SELECT credit, 0, amount FROM fresh
        ) AS side GROUP BY id ORDER BY id
    ), changed AS (
        UPDATE account SET debits = account.debits + d, credits = account.credits + c
        FROM change WHERE account.id = change.id RETURNING 1
    )
    SELECT (SELECT count(*) FROM fresh) + 0 * (SELECT count(*) FROM changed)
$$;

CREATE FUNCTION post_one(p_id bigint, p_debit bigint, p_credit bigint, p_amount bigint) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO transfer (id, debit, credit, amount) VALUES (p_id, p_debit, p_credit, p_amount)
    ON CONFLICT (id) DO NOTHING;
    IF NOT FOUND THEN RETURN 'exists'; END IF;
    PERFORM 1 FROM account WHERE id IN (p_debit, p_credit) ORDER BY id FOR UPDATE;
    UPDATE account SET debits = debits + p_amount WHERE id = p_debit;
    IF NOT FOUND THEN RAISE EXCEPTION 'debit_account_not_found'; END IF;
    UPDATE account SET credits = credits + p_amount WHERE id = p_credit;
    IF NOT FOUND THEN RAISE EXCEPTION 'credit_account_not_found'; END IF;
    RETURN 'ok';
END
$$;
"""

SINGLE_SCRIPT: Final = """
\\set debit random(1, {accounts})
\\set offset random(1, {accounts} - 1)
\\set credit 1 + (:debit - 1 + :offset) % {accounts}
\\set id random(1, 9000000000000000000)
SELECT post_one(:id, :debit, :credit, 1);
"""
CLIENTS: Final = 32
TUNING: Final = {"shared_buffers": "1GB", "max_wal_size": "8GB", "wal_compression": "off", "synchronous_commit": "on"}


def measure(*, accounts: int, batch: int, seconds: float) -> dict[str, float]:
    """Transfers per second of both forms, each run for ``seconds`` on a private server."""
    with private_postgres() as server:
        _tune(server)
        with psycopg.connect(server.address) as connection:
            return _measure(server, connection, accounts=accounts, batch=batch, seconds=seconds)


def _tune(server: PrivatePostgres) -> None:
    """Give it the memory and the room for its own log that an operator would."""
    with psycopg.connect(server.address, autocommit=True) as connection:
        for name, value in TUNING.items():
            connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
    server.stop()
    server.start()


def _measure(
    server: PrivatePostgres, connection: psycopg.Connection, *, accounts: int, batch: int, seconds: float
) -> dict[str, float]:
    connection.execute(SCHEMA)
    connection.execute("INSERT INTO account (id) SELECT generate_series(1, %s)", (accounts,))
    connection.commit()
    connection.execute("ANALYZE account")
    connection.commit()
    return {
        "postgres_batch_per_s": _batch_per_s(connection, accounts=accounts, batch=batch, seconds=seconds),
        "postgres_single_per_s": _single_per_s(server, accounts=accounts, seconds=seconds),
    }


def _batch_per_s(connection: psycopg.Connection, *, accounts: int, batch: int, seconds: float) -> float:
    chance = np.random.default_rng(1)
    posted, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        ids = np.arange(posted + 1, posted + batch + 1)
        debited = chance.integers(1, accounts + 1, batch)
        credited = 1 + (debited + chance.integers(0, accounts - 1, batch)) % accounts
        arrays = [column.tolist() for column in (ids, debited, credited, np.ones(batch, np.int64))]
        connection.execute("SELECT post_batch(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])", arrays)
        connection.commit()
        posted += batch
    return posted / (time.perf_counter() - started)


def _single_per_s(server: PrivatePostgres, *, accounts: int, seconds: float) -> float:
    script = SINGLE_SCRIPT.format(accounts=accounts)
    command = [
        str(postgres_binaries() / "pgbench"),
        "--no-vacuum",
        "--protocol=prepared",
        f"--client={CLIENTS}",
        "--jobs=2",
        f"--time={max(1, round(seconds))}",
        "--file=/dev/stdin",
        server.address,
    ]
    printed = subprocess.run(  # noqa: S603 - our own server
        command, input=script, check=True, capture_output=True, text=True
    ).stdout
    found = re.search(r"tps = ([0-9.]+)", printed)
    assert found is not None, printed
    return float(found[1])
