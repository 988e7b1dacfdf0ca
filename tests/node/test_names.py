"""Names stay out of the log, belong to one asset, and give way without ever giving an id twice."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formicary.base.errors import BadInput, Refusal, StorageReadOnly
from formicary.node.names import NAME_CHARACTERS_MAX, Names, check_name

EUR, CZK = 978, 203


@pytest.fixture
def names(tmp_path: Path) -> Names:
    """Names in a new file."""
    return Names(tmp_path / "names.db")


def test_a_name_gets_one_id_for_good(names: Names, tmp_path: Path) -> None:
    """Asked again, in bulk or after closing, it is the same id."""
    first = names.ids(["alice", "bob", "alice"], EUR)
    names.close()
    with Names(tmp_path / "names.db") as again:
        assert first[0] == first[2] != first[1]
        assert again.ids(["bob", "alice"], EUR) == [first[1], first[0]]
        assert again.find("alice", EUR) == first[0]
        assert again.of(first) == {first[0]: "alice", first[1]: "bob"}


def test_a_name_is_another_account_in_another_asset(names: Names) -> None:
    """Alice in EUR and Alice in CZK are two accounts; ``named`` shows both."""
    ids = names.ids(["alice"], EUR) + names.ids(["alice"], CZK)
    assert len(set(ids)) == 2
    assert [(each.asset, each.id) for each in names.named("alice")] == [(CZK, ids[1]), (EUR, ids[0])]


def test_ids_differ_between_ledgers(tmp_path: Path) -> None:
    """The secret is the ledger's own, so a name can't be recognised in another ledger's log."""
    with Names(tmp_path / "one.db") as one, Names(tmp_path / "two.db") as two:
        assert one.ids(["alice"], EUR) != two.ids(["alice"], EUR)
        assert one.transfer_id("INV-1") != two.transfer_id("INV-1")
        assert one.transfer_id("INV-1") == one.transfer_id("INV-1")


def test_a_renamed_accounts_id_is_not_given_to_the_next_of_that_name(names: Names) -> None:
    """A second Alice is another person."""
    (alice,) = names.ids(["alice"], EUR)
    names.rename(alice, "alice the elder")
    (second,) = names.ids(["alice"], EUR)
    names.rename(second, "alice the younger")
    (third,) = names.ids(["alice"], EUR)
    assert len({alice, second, third}) == 3
    assert names.of([alice]) == {alice: "alice the elder"}


def test_an_erased_name_is_gone_from_the_file_and_its_id_stays_spent(names: Names, tmp_path: Path) -> None:
    """Not even the bytes are left behind."""
    (alice,) = names.ids(["alice-wonderland"], EUR)
    names.ids(["bob"], EUR)
    names.erase(alice)
    assert names.of([alice]) == {}
    assert names.search("wonder") == []
    assert b"wonderland" not in (tmp_path / "names.db").read_bytes()
    assert names.ids(["alice-wonderland"], EUR) != [alice]


def test_a_taken_name_is_refused(names: Names) -> None:
    """Two accounts of one asset never share a name."""
    alice, bob = names.ids(["alice", "bob"], EUR)
    with pytest.raises(Refusal, match="already") as refused:
        names.rename(bob, "alice")
    assert refused.value.code == "name_taken"
    names.rename(alice, "alice")


def test_an_account_without_a_name_can_be_neither_renamed_nor_erased(names: Names) -> None:
    """The refusal has a code of its own."""
    with pytest.raises(Refusal) as refused:
        names.erase(12345)
    assert refused.value.code == "name_not_found"


def test_a_name_can_be_adopted_with_the_id_of_another_ledger(names: Names) -> None:
    """Adopting twice changes nothing; another id or another name is refused."""
    names.adopt(77, EUR, "alice")
    names.adopt(77, EUR, "alice")
    assert names.ids(["alice"], EUR) == [77]
    with pytest.raises(Refusal, match="already"):
        names.adopt(78, EUR, "alice")
    with pytest.raises(Refusal, match="another name"):
        names.adopt(77, EUR, "bob")


def test_search_finds_parts_of_names_and_takes_wildcards_literally(names: Names) -> None:
    """``%`` and ``_`` are characters like any other."""
    names.ids(["100% wool", "1000 wool", "a_b", "axb"], EUR)
    assert [each.name for each in names.search("WOOL")] == ["100% wool", "1000 wool"]
    assert [each.name for each in names.search("0%")] == ["100% wool"]
    assert [each.name for each in names.search("a_b")] == ["a_b"]
    assert len(names.search("o", limit=1)) == 1


@pytest.mark.parametrize(
    "text", ["", " a", "a ", "#1", "a\nb", "a\x00", "x" * (NAME_CHARACTERS_MAX + 1), "e\u0301", "\t"]
)
def test_what_is_no_name_is_refused(text: str) -> None:
    """``#`` starts an id, and a letter put together from parts would make two names that look the same."""
    with pytest.raises(BadInput):
        check_name(text)


@given(st.text(min_size=1, max_size=NAME_CHARACTERS_MAX))
def test_whatever_is_accepted_keeps_to_the_rules(text: str) -> None:
    """Nothing that is accepted could be taken for an id or for another name by its edges."""
    try:
        check_name(text)
    except BadInput:
        return
    assert text == text.strip()
    assert not text.startswith("#")
    assert text.isprintable() or not any(character < " " for character in text)


def test_one_bad_name_leaves_none_of_its_batch(names: Names) -> None:
    """A batch of names is made whole or not at all."""
    with pytest.raises(BadInput):
        names.ids(["good", "#bad"], EUR)
    assert names.find("good", EUR) is None


def test_an_attempt_that_is_not_kept_leaves_nothing(names: Names) -> None:
    """An atomic import rests on it, and on the same after an exception."""
    with names.attempt():
        names.ids(["alice"], EUR)
    with names.attempt() as attempt:
        names.ids(["bob"], EUR)
        attempt.keep()
    with pytest.raises(BadInput), names.attempt():
        names.ids(["carol", "#bad"], EUR)
    assert [names.find(name, EUR) is not None for name in ("alice", "bob", "carol")] == [False, True, False]


def test_the_file_is_for_its_owner_alone(names: Names, tmp_path: Path) -> None:
    """It holds names and the secret."""
    assert names.find("x", EUR) is None
    assert stat.S_IMODE((tmp_path / "names.db").stat().st_mode) == 0o600


def test_reading_only_changes_nothing_and_needs_no_file(names: Names, tmp_path: Path) -> None:
    """A ledger whose accounts have no names has no such file."""
    (alice,) = names.ids(["alice"], EUR)
    with Names(tmp_path / "names.db", read_only=True) as reader:
        assert reader.find("alice", EUR) == alice
        for change in (lambda: reader.ids(["bob"], EUR), lambda: reader.erase(alice)):
            with pytest.raises(StorageReadOnly):
                change()
    with Names(tmp_path / "none.db", read_only=True) as nothing:
        assert nothing.search("a") == []
    assert not (tmp_path / "none.db").exists()


def test_a_copy_has_the_names_and_the_secret(names: Names, tmp_path: Path) -> None:
    """So a restored ledger hands out the same ids."""
    (alice,) = names.ids(["alice"], EUR)
    names.copy_to(tmp_path / "copy.db")
    names.ids(["later"], EUR)
    with Names(tmp_path / "copy.db") as copy:
        assert copy.find("later", EUR) is None
        assert copy.ids(["alice"], EUR) == [alice]
        assert copy.transfer_id("INV-1") == names.transfer_id("INV-1")


def test_many_names_at_once(names: Names) -> None:
    """A batch beyond SQLite's own limit of bound values is looked up and made like any other."""
    wanted = [f"person {number}" for number in range(40_000)]
    first = names.ids(wanted, EUR)
    assert len(set(first)) == len(wanted)
    assert names.ids(wanted, EUR) == first
