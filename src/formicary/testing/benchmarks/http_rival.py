"""What one would otherwise write: the same payment as a FastAPI route over PostgreSQL, one transaction each.

It checks what Formicary's payment checks, and as durably: the session, the retry by its key, that payer and payee are
open and not frozen, the limits for a payment, a day and a year, whether the payee is new and how often the payer
paid within the hour, the balance. Written as one would for speed: async psycopg with a pool, prepared statements, rows
locked in order, few round trips.

    uvicorn formicary.testing.benchmarks.http_rival:app     # with RIVAL_DATABASE in the environment
"""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import Cookie, FastAPI, Header, HTTPException
from psycopg.errors import UniqueViolation
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel, Field

CONNECTIONS: Final = 24
LIMIT_PAYMENT: Final = 10**9
LIMIT_DAY: Final = 10**12
LIMIT_YEAR: Final = 10**13
NEW_PAYEE_FROM: Final = 50_000
PER_HOUR: Final = 10**9

SCHEMA: Final = """
CREATE TABLE person (
    id uuid PRIMARY KEY, state text NOT NULL, frozen boolean NOT NULL DEFAULT false, tier int NOT NULL
);
CREATE TABLE session (
    token text PRIMARY KEY, person uuid NOT NULL REFERENCES person, expires timestamptz NOT NULL
);
CREATE TABLE purse (
    person uuid NOT NULL, asset int NOT NULL, balance bigint NOT NULL CHECK (balance >= 0),
    PRIMARY KEY (person, asset)
) WITH (fillfactor = 50);
CREATE TABLE spent (
    person uuid NOT NULL, asset int NOT NULL, day date NOT NULL, minor bigint NOT NULL, PRIMARY KEY (person, asset, day)
);
CREATE TABLE spent_year (
    person uuid NOT NULL, asset int NOT NULL, year int NOT NULL, minor bigint NOT NULL,
    PRIMARY KEY (person, asset, year)
);
CREATE TABLE payment (
    id uuid PRIMARY KEY, key text NOT NULL, payer uuid NOT NULL, payee uuid NOT NULL, asset int NOT NULL,
    minor bigint NOT NULL, purpose text NOT NULL, created timestamptz NOT NULL DEFAULT now(), UNIQUE (payer, key)
);
CREATE INDEX payment_payer ON payment (payer, created);
CREATE INDEX payment_payee ON payment (payee, created);
"""


class Send(BaseModel):
    """The body of a payment."""

    payee: str = Field(min_length=32, max_length=32)
    asset: int
    amount_minor: int = Field(ge=1, le=10**15)
    purpose: str = Field(max_length=20)


class Sent(BaseModel):
    """Its answer."""

    payment: str
    state: str


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with AsyncConnectionPool(os.environ["RIVAL_DATABASE"], min_size=CONNECTIONS, max_size=CONNECTIONS) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=_lifespan)


@app.post("/v1/pay/send")
async def send(
    body: Send,
    session: Annotated[str, Cookie()],
    idempotency_key: Annotated[str, Header()],
) -> Sent:
    """Pay somebody, once for each key."""
    async with app.state.pool.connection() as connection, connection.cursor() as cursor:
        found = await (
            await cursor.execute("SELECT person FROM session WHERE token = %s AND expires > now()", (session,))
        ).fetchone()
        if found is None:
            raise HTTPException(401, "not signed in")
        payer = str(found[0])
        try:
            return await _pay(cursor, payer, body, idempotency_key)
        except UniqueViolation:
            await connection.rollback()
            sql = "SELECT id FROM payment WHERE payer = %s AND key = %s"
            again = await (await cursor.execute(sql, (payer, idempotency_key))).fetchone()
            return Sent(payment=again[0].hex, state="paid")


async def _pay(cursor: Any, payer: str, body: Send, key: str) -> Sent:  # noqa: ANN401 - psycopg's async cursor
    payee = f"{body.payee[:8]}-{body.payee[8:12]}-{body.payee[12:16]}-{body.payee[16:20]}-{body.payee[20:]}"
    sql = "SELECT id, state, frozen FROM person WHERE id = ANY (%s::uuid[]) ORDER BY id"
    people = await (await cursor.execute(sql, ([payer, payee],))).fetchall()
    if len(people) != 2 or any(state != "open" or frozen for _, state, frozen in people):
        raise HTTPException(409, "person_unknown")
    if body.amount_minor > LIMIT_PAYMENT:
        raise HTTPException(409, "limit_payment")
    now = datetime.now(UTC)
    payment = secrets.token_hex(16)
    sql = "INSERT INTO payment (id, key, payer, payee, asset, minor, purpose) VALUES (%s, %s, %s, %s, %s, %s, %s)"
    await cursor.execute(sql, (payment, key, payer, payee, body.asset, body.amount_minor, body.purpose))
    for table, column, period, limit in (
        ("spent", "day", now.date(), LIMIT_DAY),
        ("spent_year", "year", now.year, LIMIT_YEAR),
    ):
        sql = f"""INSERT INTO {table} (person, asset, {column}, minor) VALUES (%s, %s, %s, %s)
                  ON CONFLICT (person, asset, {column}) DO UPDATE SET minor = {table}.minor + EXCLUDED.minor
                  RETURNING minor"""  # noqa: S608 - our own constants
        total = await (await cursor.execute(sql, (payer, body.asset, period, body.amount_minor))).fetchone()
        if total[0] > limit:
            raise HTTPException(409, f"limit_{column}")
    await _guard(cursor, payer, payee, body)
    sql = "SELECT person, balance FROM purse WHERE person = ANY (%s::uuid[]) AND asset = %s ORDER BY person FOR UPDATE"
    purses = {
        str(person): balance
        for person, balance in await (await cursor.execute(sql, ([payer, payee], body.asset))).fetchall()
    }
    if len(purses) != 2 or purses[payer] < body.amount_minor:
        raise HTTPException(409, "exceeds_funds")
    sql = "UPDATE purse SET balance = balance + %s WHERE person = %s AND asset = %s"
    await cursor.execute(sql, (-body.amount_minor, payer, body.asset))
    await cursor.execute(sql, (body.amount_minor, payee, body.asset))
    return Sent(payment=payment, state="paid")


async def _guard(cursor: Any, payer: str, payee: str, body: Send) -> None:  # noqa: ANN401 - psycopg's async cursor
    """A large payment to somebody new, or too many in an hour."""
    sql = "SELECT count(*) FROM payment WHERE payer = %s AND created > now() - interval '1 hour'"
    recent = await (await cursor.execute(sql, (payer,))).fetchone()
    if recent[0] > PER_HOUR:
        raise HTTPException(409, "velocity")
    if body.amount_minor >= NEW_PAYEE_FROM:
        sql = "SELECT 1 FROM payment WHERE payer = %s AND payee = %s LIMIT 2"
        if len(await (await cursor.execute(sql, (payer, payee))).fetchall()) < 2:
            raise HTTPException(409, "new_payee")
