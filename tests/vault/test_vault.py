"""The vault: sealed for whom it concerns, gone when erased, also from copies made before."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from formicary.base.errors import Fault
from formicary.vault import INSTITUTION, Erased, FileKms, KeyLost, LocalKms, Vault

ANN, BO, EVE = (name.encode().rjust(16, b".") for name in ("ann", "bo", "eve"))
NOW = 1_767_225_600_000_000_000
SECRETS = ("Ann Arbor", "+49 170 1234567", "ann@example.org", "The dog is called Rex")


def open_vault(folder: Path) -> Vault:
    """A vault in files, as a gateway has it."""
    return Vault(folder / "vault", FileKms(folder / "kms.key"), now_ns=lambda: NOW)


def filled(folder: Path) -> tuple[Vault, bytes]:
    """A vault with Ann's profile and a note from Ann to Bo; and the note's number."""
    vault = open_vault(folder)
    vault.put(ANN, {"name": SECRETS[0], "phone": SECRETS[1], "mail": SECRETS[2]})
    vault.put(BO, {"name": "Bo"})
    return vault, vault.seal(ANN, (BO,), SECRETS[3])


def all_bytes(folder: Path) -> bytes:
    """Everything in a folder's files."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_nothing_stands_in_the_files_in_the_clear(tmp_path: Path) -> None:
    """Neither values nor the names under which they are digested."""
    vault, _ = filled(tmp_path)
    vault.digest("phone", SECRETS[1])
    found = all_bytes(tmp_path)
    vault.close()
    found += all_bytes(tmp_path)
    for secret in SECRETS:
        assert secret.encode() not in found


def test_a_profile_is_read_as_it_was_put(tmp_path: Path) -> None:
    """Fields change and go one by one, and outlive the process."""
    vault, _ = filled(tmp_path)
    vault.put(ANN, {"phone": None, "name": "Ann B."})
    vault.close()
    again = open_vault(tmp_path)
    assert again.get(ANN) == {"name": "Ann B.", "mail": SECRETS[2]}
    assert again.get(EVE) == {}
    again.close()


def test_a_text_is_for_its_readers(tmp_path: Path) -> None:
    """Owner and named readers; nobody else, and no reader without a key."""
    vault, ref = filled(tmp_path)
    assert vault.unseal(ANN, ref) == vault.unseal(BO, ref) == SECRETS[3]
    vault.put(EVE, {"name": "Eve"})
    assert vault.unseal(EVE, ref) is None
    assert vault.unseal(INSTITUTION, ref) is None
    late = vault.seal(ANN, (b"unknown".rjust(16, b"."), INSTITUTION), "for the arbiter")
    assert vault.unseal(INSTITUTION, late) == "for the arbiter"
    assert vault.unseal(b"unknown".rjust(16, b"."), late) is None
    vault.close()


def test_sealing_again_under_a_number_changes_nothing(tmp_path: Path) -> None:
    """A retry finds what is there; the number tells nothing and is another for another person."""
    vault, _ = filled(tmp_path)
    ref = vault.number(ANN, "key")
    assert vault.seal(ANN, (BO,), "first", ref) == vault.seal(ANN, (BO,), "second", ref) == ref
    assert vault.unseal(BO, ref) == "first"
    assert vault.number(BO, "key") != ref == vault.number(ANN, "key")
    vault.drop(ref)
    assert vault.unseal(ANN, ref) is None
    vault.close()


@pytest.mark.parametrize("erased", [ANN, BO], ids=["writer", "reader"])
def test_an_erased_person_is_gone_from_every_file(tmp_path: Path, erased: bytes) -> None:
    """Key and rows are overwritten; a text between two is gone with either, and the id can't be used again."""
    vault, ref = filled(tmp_path)
    before = set(rows_of(vault, erased))
    assert before
    assert vault.erase(erased)
    found = all_bytes(tmp_path)
    for sealed in before:
        assert sealed not in found
    assert vault.get(erased) == {}
    assert vault.unseal(erased, ref) is None
    assert not vault.erase(erased)
    with pytest.raises(Erased):
        vault.put(erased, {"name": "again"})
    with pytest.raises(Erased):
        vault.secret(erased, "codes")
    assert vault.get(BO if erased == ANN else ANN)
    vault.close()
    assert not any(sealed in all_bytes(tmp_path) for sealed in before)


def rows_of(vault: Vault, party: bytes) -> list[bytes]:
    """Every sealed value and wrapped key of a party."""
    keys = vault.keys._connection.execute("SELECT wrapped FROM keys WHERE party = ?", (party,)).fetchall()
    fields = vault._connection.execute("SELECT sealed FROM fields WHERE party = ?", (party,)).fetchall()
    sql = "SELECT sealed FROM texts WHERE owner = ?1 OR reader = ?1"
    return [row[0] for row in (*keys, *fields, *vault._connection.execute(sql, (party,)).fetchall())]


def test_a_backup_of_the_data_reads_no_erased_person(tmp_path: Path) -> None:
    """The data's backup, the keys as they are now, the key-management key: others are restored, the erased is not."""
    vault, ref = filled(tmp_path)
    vault.close()
    shutil.copytree(tmp_path / "vault", tmp_path / "backup", ignore=shutil.ignore_patterns("keys"))
    vault = open_vault(tmp_path)
    vault.erase(ANN)
    vault.close()
    shutil.copytree(tmp_path / "vault" / "keys", tmp_path / "backup" / "keys")
    restored = Vault(tmp_path / "backup", FileKms(tmp_path / "kms.key"), now_ns=lambda: NOW)
    assert restored._connection.execute("SELECT count(*) FROM fields WHERE party = ?", (ANN,)).fetchone() != (0,)
    assert restored.get(ANN) == {}
    assert restored.unseal(BO, ref) is None
    assert restored.get(BO) == {"name": "Bo"}
    assert restored.erase(ANN) is False  # and clears the restored rows away
    assert restored._connection.execute("SELECT count(*) FROM fields WHERE party = ?", (ANN,)).fetchone() == (0,)
    restored.close()


def test_a_sealed_value_can_not_be_moved(tmp_path: Path) -> None:
    """Swapped between fields or people it opens for nobody: it is bound to its place."""
    vault, _ = filled(tmp_path)
    vault._connection.execute("UPDATE fields SET field = 'note' WHERE party = ? AND field = 'mail'", (ANN,))
    with pytest.raises(Fault, match="changed or moved"):
        vault.get(ANN)
    vault.close()


def test_digests_and_secrets_are_this_vaults_alone(tmp_path: Path) -> None:
    """The same in every life of the vault, other ones in another vault, by kind and by purpose."""
    vault, _ = filled(tmp_path / "one")
    first = (vault.digest("mail", "a@b.c"), vault.secret(ANN, "codes"))
    assert vault.digest("phone", "a@b.c") != first[0]
    assert len({first[1], vault.secret(ANN, "exit"), vault.secret(BO, "codes")}) == 3
    vault.close()
    again = open_vault(tmp_path / "one")
    assert (again.digest("mail", "a@b.c"), again.secret(ANN, "codes")) == first
    again.close()
    other, _ = filled(tmp_path / "two")
    assert other.digest("mail", "a@b.c") != first[0]
    other.close()


def test_who_read_what_is_told(tmp_path: Path) -> None:
    """One line a day, reader, thing and purpose; one's own reading leaves none."""
    vault, ref = filled(tmp_path)
    vault.used(ANN, BO, "name", "shown", times=2)
    vault.used(ANN, BO, "name", "shown")
    vault.used(ANN, ANN, "name", "shown")
    vault.unseal_many(BO, [ref], purpose="case work")
    assert [(use.reader, use.what, use.times) for use in vault.uses(ANN)] == [(BO, "text", 1), (BO, "name", 3)] or [
        (use.reader, use.what, use.times) for use in vault.uses(ANN)
    ] == [(BO, "name", 3), (BO, "text", 1)]
    vault.close()


def test_the_key_that_wraps_is_ours_alone(tmp_path: Path) -> None:
    """Mode 0600, refused when others may read it; another key opens nothing; keys move to another by one call."""
    vault, _ = filled(tmp_path)
    path = tmp_path / "kms.key"
    assert path.stat().st_mode & 0o777 == 0o600
    fresh = LocalKms(bytes(range(32)))
    assert vault.keys.rewrap(fresh) >= 4
    vault.close()
    with pytest.raises(KeyLost):
        open_vault(tmp_path)
    moved = Vault(tmp_path / "vault", fresh, now_ns=lambda: NOW)
    assert moved.get(ANN)["name"] == SECRETS[0]
    moved.close()
    path.chmod(0o644)
    with pytest.raises(Fault, match="chmod 600"):
        FileKms(path)
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(Fault, match="32 bytes"):
        FileKms(path)


def test_files_are_ours_alone(tmp_path: Path) -> None:
    """No file of the vault may be read by others."""
    vault, _ = filled(tmp_path)
    for path in (tmp_path / "vault").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    vault.close()
