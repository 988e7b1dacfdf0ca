"""What people sign in with: passkeys (WebAuthn) and PINs, one row each.

The ledger says which devices a person has; the store has what is needed to check them. A device that the ledger does
not list (not yet, because its recovery is under way, or no more) signs nobody in, whatever the store holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from formicary.base.errors import Refusal

if TYPE_CHECKING:
    from formicary.gateway.door import Door
    from formicary.gateway.store import Store

SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS devices (
        device BLOB NOT NULL PRIMARY KEY,
        person BLOB NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('passkey', 'pin')),
        credential BLOB UNIQUE,
        public_key BLOB,
        sign_count INTEGER NOT NULL,
        pin_hash TEXT,
        made_ns INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS devices_by_person ON devices (person);
"""
_COLUMNS: Final = "device, person, kind, credential, public_key, sign_count, pin_hash, made_ns"


@dataclass(frozen=True, slots=True)
class Device:
    """One passkey or PIN of a person."""

    device: bytes
    person: bytes
    kind: Literal["passkey", "pin"]
    credential: bytes | None
    public_key: bytes | None
    sign_count: int
    pin_hash: str | None
    made_ns: int


class Devices:
    """Keeps what checks passkeys and PINs."""

    def __init__(self, store: Store) -> None:
        self._store = store
        store.ensure(SCHEMA)

    def add(self, device: Device) -> None:
        """Keep a device; one that is there already stays as it is."""
        self._store.transaction(lambda connection: insert_device(connection, device))

    def by_credential(self, credential: bytes) -> Device | None:
        """The passkey with this credential id."""
        return self._one("credential = ?", credential)

    def by_id(self, device: bytes) -> Device | None:
        """The device with this id."""
        return self._one("device = ?", device)

    def of_person(self, person: bytes, kind: str) -> list[Device]:
        """The devices of one kind that a person has, oldest first."""
        sql = f"SELECT {_COLUMNS} FROM devices WHERE person = ? AND kind = ? ORDER BY made_ns, device"  # noqa: S608 - ours
        rows: Any = self._store.all(sql, person, kind)
        return [Device(*row) for row in rows]

    def count(self, device: bytes, sign_count: int) -> None:
        """Note how often an authenticator says that it signed."""
        self._store.run("UPDATE devices SET sign_count = ? WHERE device = ?", sign_count, device)

    def remove(self, person: bytes, device: bytes) -> None:
        """Forget a device."""
        self._store.run("DELETE FROM devices WHERE person = ? AND device = ?", person, device)

    def remove_all(self, person: bytes) -> None:
        """Forget every device of a person."""
        self._store.run("DELETE FROM devices WHERE person = ?", person)

    def _one(self, condition: str, value: bytes) -> Device | None:
        row: Any = self._store.one(f"SELECT {_COLUMNS} FROM devices WHERE {condition}", value)  # noqa: S608 - ours
        return None if row is None else Device(*row)


def insert_device(connection: Any, device: Device) -> None:  # noqa: ANN401 - apsw's connection
    """Keep a device inside somebody's transaction."""
    sql = f"INSERT INTO devices ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (device) DO NOTHING"  # noqa: S608
    row = (
        device.device,
        device.person,
        device.kind,
        device.credential,
        device.public_key,
        device.sign_count,
        device.pin_hash,
        device.made_ns,
    )
    connection.execute(sql, row).fetchall()


async def is_listed(door: Door, person: bytes, device: bytes) -> bool:
    """Whether the ledger lists a device as the person's: then it may sign them in."""
    if "wallet.devices" not in door.registry.queries:
        return True
    try:
        listed = await door.ask("wallet.devices", person, door.asked("wallet.devices"))
    except Refusal:
        return False
    return any(each.device == device for each in listed.items)
