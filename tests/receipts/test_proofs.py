"""Proofs: the vectors of Certificate Transparency (RFC 6962, RFC 9162), and a naive tree as the oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from formicary.machine import proofs
from formicary.machine.sealing import sealers
from formicary.machine.tree import Tree

from tests.receipts import naive

KEY = bytes(16)
INPUTS = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
LEAF_1 = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
NODE_2_3 = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
NODE_4_7 = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
LEAF_4 = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
NODE_6_7 = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
NODE_4_5 = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
INCLUSION = {
    (0, 1): [],
    (0, 8): [LEAF_1, NODE_2_3, NODE_4_7],
    (5, 8): [LEAF_4, NODE_6_7, ROOTS[4]],
    (2, 3): [ROOTS[2]],
    (1, 5): [ROOTS[1], NODE_2_3, LEAF_4],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): [LEAF_1, NODE_2_3, NODE_4_7],
    (6, 8): [NODE_4_5, NODE_6_7, ROOTS[4]],
    (2, 5): [NODE_2_3, LEAF_4],
}
HASHES = [proofs.leaf_hash(bytes.fromhex(data)) for data in INPUTS]


def tree_of(hashes: list[bytes], *, batch: int = 3) -> Tree:
    """Grow a tree from leaf hashes, a few at a time; its own leaves have blinds, which the vectors have not."""
    tree = Tree(None, KEY)
    for at in range(0, len(hashes), batch):
        some, peaks = hashes[at : at + batch], tree._peaks.copy()
        flat = np.frombuffer(b"".join(some), np.uint8)
        tree._add(tree._sealer.hashes(flat, size=tree.size, peaks=peaks), len(some), peaks)
    return tree


def test_roots_of_the_reference_vectors() -> None:
    """The tree of the first n reference inputs has the published root, for each n."""
    tree = tree_of(HASHES)
    assert [tree.root(size).hex() for size in range(9)] == list(ROOTS)
    assert proofs.EMPTY_ROOT.hex() == ROOTS[0]


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_inclusion_of_the_reference_vectors(index: int, size: int) -> None:
    """The published inclusion paths are made, and verify."""
    path = tree_of(HASHES).inclusion(index, size)
    assert [each.hex() for each in path] == INCLUSION[index, size]
    root = bytes.fromhex(ROOTS[size])
    assert proofs.verify_inclusion(HASHES[index], index=index, size=size, path=path, root=root)


@pytest.mark.parametrize(("old", "new"), CONSISTENCY)
def test_consistency_of_the_reference_vectors(old: int, new: int) -> None:
    """The published consistency proofs are made, and verify."""
    path = tree_of(HASHES).consistency(old, new)
    assert [each.hex() for each in path] == CONSISTENCY[old, new]
    roots = {"old_root": bytes.fromhex(ROOTS[old]), "new_root": bytes.fromhex(ROOTS[new])}
    assert proofs.verify_consistency(old_size=old, new_size=new, path=path, **roots)


def leaves(count: int) -> list[bytes]:
    """Hashes of so many different leaves."""
    return [proofs.leaf_hash(number.to_bytes(4, "big")) for number in range(count)]


@given(st.data(), st.integers(1, 200), st.integers(1, 70))
def test_every_proof_is_the_naive_one_and_verifies(data: st.DataObject, size: int, batch: int) -> None:
    """Roots, paths and proofs of any tree, grown in any batches, are those of the definition."""
    hashes = leaves(size)
    tree = tree_of(hashes, batch=batch)
    new = data.draw(st.integers(1, size), label="new")
    old = data.draw(st.integers(1, new), label="old")
    index = data.draw(st.integers(0, new - 1), label="index")
    root, path, proof = tree.root(new), tree.inclusion(index, new), tree.consistency(old, new)
    assert root == naive.root_of(hashes[:new])
    assert path == naive.path_of(index, hashes[:new])
    assert proof == naive.proof_of(old, hashes[:new])
    assert proofs.verify_inclusion(hashes[index], index=index, size=new, path=path, root=root)
    roots = {"old_root": tree.root(old), "new_root": root}
    assert proofs.verify_consistency(old_size=old, new_size=new, path=proof, **roots)


@given(st.data(), st.integers(2, 100))
def test_a_path_proves_its_leaf_at_its_place_only(data: st.DataObject, size: int) -> None:
    """Another index, another size, a path with a hash changed, dropped or added: none verifies."""
    hashes = leaves(size)
    tree = tree_of(hashes)
    index = data.draw(st.integers(0, size - 1), label="index")
    path, root = tree.inclusion(index), tree.root()

    def holds(*, leaf: bytes = hashes[index], at: int = index, of: int = size, by: list[bytes] = path) -> bool:
        return proofs.verify_inclusion(leaf, index=at, size=of, path=by, root=root)

    assert holds()
    assert not holds(leaf=proofs.leaf_hash(b"another"))
    assert not any(holds(at=other) for other in range(-1, size + 2) if other != index)
    assert not holds(by=[*path, root])
    assert not holds(by=path[:-1])
    changed = data.draw(st.integers(0, len(path) - 1), label="changed")
    assert not holds(by=[*path[:changed], bytes(32), *path[changed + 1 :]])


@given(st.data(), st.integers(2, 100))
def test_a_consistency_proof_proves_its_two_trees_only(data: st.DataObject, size: int) -> None:
    """A changed proof, or the root of a tree in which one old leaf differs, does not verify."""
    hashes = leaves(size)
    tree = tree_of(hashes)
    old = data.draw(st.integers(1, size - 1), label="old")
    proof, before, after = tree.consistency(old), tree.root(old), tree.root()

    def holds(*, by: list[bytes] = proof, old_root: bytes = before, new_root: bytes = after, of: int = old) -> bool:
        return proofs.verify_consistency(old_size=of, new_size=size, old_root=old_root, new_root=new_root, path=by)

    assert holds()
    assert not holds(by=proof[:-1])
    assert not holds(by=[*proof, after])
    at = data.draw(st.integers(0, len(proof) - 1), label="at")
    assert not holds(by=[*proof[:at], bytes(32), *proof[at + 1 :]])
    rewritten = list(hashes)
    rewritten[data.draw(st.integers(0, old - 1), label="leaf")] = bytes(32)
    assert not holds(new_root=naive.root_of(rewritten))
    assert not holds(by=tree_of(rewritten).consistency(old), new_root=naive.root_of(rewritten))
    assert not holds(old_root=proofs.EMPTY_ROOT, of=0)


@pytest.mark.parametrize("size", [0, 1, 2, 63, 64, 65, 1000])
def test_the_compiled_sealers_write_what_the_plain_one_writes(size: int) -> None:
    """Every sealer adds the same nodes and keeps the same peaks, whatever was there before."""
    for count in (1, 2, 3, 64, 65, 500):
        outcomes = []
        for sealer in sealers():
            peaks = np.zeros(64 * 32, np.uint8)
            before = np.frombuffer(b"".join(leaves(size)), np.uint8)
            first = sealer.hashes(before, size=0, peaks=peaks).tobytes() if size else b""
            more = np.frombuffer(b"".join(leaves(count)), np.uint8)
            second = sealer.hashes(more, size=size, peaks=peaks).tobytes()
            live = [peaks[32 * level : 32 * level + 32].tobytes() for level in range(12) if (size + count) >> level & 1]
            outcomes.append((first, second, live))
        assert all(outcome == outcomes[-1] for outcome in outcomes)
