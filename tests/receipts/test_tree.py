"""The tree on disk: what it holds, how it comes back, and what a failing disk does to it."""

from __future__ import annotations

import errno
import os
import random
import threading
from pathlib import Path

import pytest

from formicary.base.errors import Closed, Corrupt, Fault, StorageFull, StorageReadOnly
from formicary.machine import proofs
from formicary.machine.appendfile import DiskAppendFile, fault
from formicary.machine.leaf import REPLY_TAG, TRANSFER_TAG, blind_of, leaf_data
from formicary.machine.sealing import Sealer, sealers
from formicary.machine.tree import Tree

from tests.receipts import naive
from tests.receipts.world import BLINDING_KEY, reply, transfers

Story = list[tuple[int, list[bytes]]]


def story(seed: int, steps: int = 40) -> Story:
    """Draw batches: how many transfers, and which replies after them."""
    draw = random.Random(seed)
    sizes = [0, 0, 1, 2, 3, 64, 65, 200]
    return [
        (
            draw.choice(sizes),
            [reply(n, body=draw.randbytes(draw.randrange(300))) for n in range(draw.choice([0, 0, 1, 4]))],
        )
        for _ in range(steps)
    ]


def grow(tree: Tree, told: Story, *, first: int = 1) -> list[bytes]:
    """Seal a story, and return the leaf hashes that it must lead to, computed by hashlib alone."""
    hashes: list[bytes] = []
    for count, replies in told:
        records = transfers(count, first=first)
        first += count
        start = tree.size
        tree.append_transfers(records)
        tree.append_replies(replies)
        datas = [(TRANSFER_TAG, record.tobytes()) for record in records] + [(REPLY_TAG, each) for each in replies]
        blinds = [blind_of(BLINDING_KEY, start + n) for n in range(len(datas))]
        hashes += [
            proofs.leaf_hash(leaf_data(tag, blind, data)) for (tag, data), blind in zip(datas, blinds, strict=True)
        ]
    return hashes


@pytest.mark.parametrize("sealer", sealers(), ids=lambda sealer: sealer.name)
def test_a_leaf_is_tag_blind_and_data(tmp_path: Path, sealer: Sealer) -> None:
    """With every sealer, transfers and replies hash to what the definition says, in order."""
    tree = Tree(tmp_path / "tree", BLINDING_KEY, sealer=sealer)
    hashes = grow(tree, story(1))
    assert tree.size == len(hashes)
    assert tree.root() == naive.root_of(hashes)
    assert tree.inclusion(77) == naive.path_of(77, hashes)


@pytest.mark.parametrize("sealer", sealers(), ids=lambda sealer: sealer.name)
@pytest.mark.parametrize("count", [1, 7, 8, 9, 64])
def test_blinds_are_the_definition_s(sealer: Sealer, count: int) -> None:
    """However many are made at once, each blind is the keyed hash of its leaf's index."""
    assert sealer.blinds(1_000_005, count, key=BLINDING_KEY) == [
        blind_of(BLINDING_KEY, 1_000_005 + n) for n in range(count)
    ]


def test_batches_longer_than_a_chunk_are_sealed_whole() -> None:
    """Any number of records may be given at once."""
    at_once, by_parts = Tree(None, BLINDING_KEY), Tree(None, BLINDING_KEY)
    records = transfers(20_000)
    at_once.append_transfers(records)
    for first in range(0, len(records), 7_777):
        by_parts.append_transfers(records[first : first + 7_777])
    assert at_once.size == 20_000
    assert at_once.root() == by_parts.root()


def test_records_may_lie_anywhere_in_memory() -> None:
    """A view with gaps and a read-only array hash as their records."""
    plain, gappy = Tree(None, BLINDING_KEY), Tree(None, BLINDING_KEY)
    records = transfers(200)
    records.flags.writeable = False
    gappy.append_transfers(records[::2])
    plain.append_transfers(records[::2].copy())
    assert gappy.root() == plain.root()


def test_the_file_has_sixty_four_bytes_a_leaf(tmp_path: Path) -> None:
    """Nodes of n leaves take at most 64 bytes each, and nothing else is written for transfers."""
    tree = Tree(tmp_path / "tree", BLINDING_KEY)
    tree.append_transfers(transfers(1000))
    assert (tmp_path / "tree").stat().st_size == 32 * (2 * 1000 - (1000).bit_count())
    assert (tmp_path / "tree.replies").stat().st_size == 0


@pytest.mark.parametrize("seed", range(5))
def test_a_tree_comes_back_as_it_was(tmp_path: Path, seed: int) -> None:
    """Closed and opened again, it goes on where it stopped."""
    told = story(seed)
    whole = Tree(None, BLINDING_KEY)
    hashes = grow(whole, told)
    first = Tree(tmp_path / "tree", BLINDING_KEY)
    grow(first, told[:20])
    first.sync()
    first.close()
    again = Tree(tmp_path / "tree", BLINDING_KEY)
    assert (again.size, again.replies, again.root()) == (first.size, first.replies, whole.root(first.size))
    grow(again, told[20:], first=1 + sum(count for count, _ in told[:20]))
    assert again.root() == whole.root() == naive.root_of(hashes)


@pytest.mark.parametrize("garbage", [bytes(5000), b"\xff" * 5001, random.Random(1).randbytes(4999)])
def test_what_lies_beyond_a_checkpoint_does_not_matter(tmp_path: Path, garbage: bytes) -> None:
    """After a crash the files may end in anything; truncate goes back, and sealing again gives the same tree."""
    told, path = story(7), tmp_path / "tree"
    tree = Tree(path, BLINDING_KEY)
    grow(tree, told[:15])
    checkpoint = (tree.size, tree.replies, tree.root())
    grow(tree, told[15:], first=1 + tree.size - tree.replies)
    tree.close()
    for file in (path, tmp_path / "tree.replies"):
        kept = file.stat().st_size // 2 if file == path else file.stat().st_size - 24
        file.write_bytes(file.read_bytes()[: max(kept, 32 * 2 * checkpoint[0])] + garbage)
    back = Tree(path, BLINDING_KEY)
    back.truncate(checkpoint[0])
    assert (back.size, back.replies, back.root()) == checkpoint
    grow(back, told[15:], first=1 + back.size - back.replies)
    untouched = Tree(None, BLINDING_KEY)
    grow(untouched, told[:15])
    grow(untouched, told[15:], first=1 + untouched.size - untouched.replies)
    assert (back.size, back.replies, back.root()) == (untouched.size, untouched.replies, untouched.root())
    assert [back.leaf_of_reply(n) for n in range(back.replies)] == [
        untouched.leaf_of_reply(n) for n in range(untouched.replies)
    ]


def test_a_file_shorter_than_its_checkpoint_is_corrupt(tmp_path: Path) -> None:
    """A tree that lost nodes says so, rather than starting somewhere else."""
    tree = Tree(tmp_path / "tree", BLINDING_KEY)
    tree.append_transfers(transfers(10))
    with pytest.raises(Corrupt, match="tree"):
        tree.truncate(11)


@pytest.mark.parametrize("seed", range(5))
def test_transfers_and_replies_find_their_leaves(seed: int) -> None:
    """A transfer's index and a reply's number lead to the leaf where they were sealed."""
    tree = Tree(None, BLINDING_KEY)
    told = story(seed)
    grow(tree, told)
    kinds = "".join("t" * count + "r" * len(replies) for count, replies in told)
    assert [tree.leaf_of_transfer(n) for n in range(kinds.count("t"))] == [n for n, k in enumerate(kinds) if k == "t"]
    assert [tree.leaf_of_reply(n) for n in range(kinds.count("r"))] == [n for n, k in enumerate(kinds) if k == "r"]


def test_a_full_disk_loses_nothing() -> None:
    """The append that finds no room raises StorageFull and changes nothing; the same append works later."""
    tree, whole = Tree(None, BLINDING_KEY), Tree(None, BLINDING_KEY)
    for each in (tree, whole):
        each.append_transfers(transfers(100))
        each.append_replies([reply(1)])
    root, kept = tree.root(), tree._nodes
    tree._nodes = DiskAppendFile(Path("/dev/full"))
    with pytest.raises(StorageFull):
        tree.append_transfers(transfers(50, first=101))
    with pytest.raises(StorageFull):
        tree.append_replies([reply(2)])
    tree._nodes = kept
    assert (tree.size, tree.replies, tree.root()) == (101, 1, root)
    for each in (tree, whole):
        each.append_transfers(transfers(50, first=101))
        each.append_replies([reply(2), reply(3)])
    assert tree.root() == whole.root()
    assert [tree.leaf_of_reply(n) for n in range(3)] == [100, 151, 152]


@pytest.mark.parametrize(
    ("number", "kind"),
    [(errno.ENOSPC, StorageFull), (errno.EDQUOT, StorageFull), (errno.EROFS, StorageReadOnly), (errno.EIO, Fault)],
)
def test_an_error_of_the_disk_becomes_a_fault_of_its_kind(number: int, kind: type[Fault]) -> None:
    """What the operating system says is said in our own words, with the file's name."""
    assert type(fault(OSError(number, os.strerror(number)), Path("tree"))) is kind
    with pytest.raises(Fault, match=r"\.: Is a directory"):
        DiskAppendFile(Path())


def test_a_closed_tree_says_so(tmp_path: Path) -> None:
    """Closing twice is harmless; asking a closed tree is a fault."""
    tree = Tree(tmp_path / "tree", BLINDING_KEY)
    tree.append_transfers(transfers(1))
    tree.close()
    tree.close()
    with pytest.raises(Closed):
        tree.root()


def test_proofs_are_made_while_the_tree_grows(tmp_path: Path) -> None:
    """Readers on another thread see whole batches only, and every proof that they take verifies."""
    tree, done = Tree(tmp_path / "tree", BLINDING_KEY), threading.Event()
    wrong: list[int] = []

    def read() -> None:
        while not done.is_set():
            size = tree.size
            if size:
                leaf = proofs.leaf_hash(leaf_data(TRANSFER_TAG, tree.blind(0), transfers(1)[0].tobytes()))
                path, root = tree.inclusion(0, size), tree.root(size)
                if not proofs.verify_inclusion(leaf, index=0, size=size, path=path, root=root):
                    wrong.append(size)

    reader = threading.Thread(target=read)
    reader.start()
    for first in range(1, 30_000, 299):
        tree.append_transfers(transfers(299, first=first))
        tree.sync()
    done.set()
    reader.join()
    assert not wrong
