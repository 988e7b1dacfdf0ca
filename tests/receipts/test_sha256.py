"""SHA-256 in compiled code gives what hashlib gives, in each variant, and is compiled once for all processes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from formicary.machine.sha256 import BLOCK_BYTES, DIGEST_BYTES, LANES_MAX, VARIANTS, Variant
from formicary.machine.tree import Tree

from tests.receipts.world import BLINDING_KEY, reply, transfers

EACH_VARIANT = pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)


def padded(message: bytes, blocks: int) -> bytes:
    """Pad a message as FIPS 180-4 §5.1.1 says."""
    zeros = blocks * BLOCK_BYTES - len(message) - 9
    return message + b"\x80" + bytes(zeros) + (8 * len(message)).to_bytes(8, "big")


@EACH_VARIANT
@pytest.mark.parametrize(("blocks", "longest"), [(2, 119), (3, 183)])
@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 9, 31])
def test_digests_are_those_of_hashlib(variant: Variant, blocks: int, longest: int, count: int) -> None:
    """Messages of every length that fits, any number at once, come out as hashlib has them."""
    generator = np.random.default_rng(blocks * 100 + count)
    room = -(-count // LANES_MAX) * LANES_MAX
    for length in range(longest - 63, longest + 1):
        messages = [generator.bytes(length) for _ in range(count)]
        source = np.zeros(room * blocks * BLOCK_BYTES, np.uint8)
        laid = b"".join(padded(message, blocks) for message in messages)
        source[: len(laid)] = np.frombuffer(laid, np.uint8)
        digests = np.zeros(room * DIGEST_BYTES, np.uint8)
        (variant.two_blocks if blocks == 2 else variant.three_blocks)(source, digests, count)
        expected = b"".join(hashlib.sha256(message).digest() for message in messages)
        assert digests.tobytes()[: len(expected)] == expected


# ── other processors, other processes ───────────────────────────────────────────────────────────────────────────────

PROGRAM = """
from formicary.machine.sealing import _COMPILED
from formicary.machine.tree import Tree
from tests.receipts.world import BLINDING_KEY, reply, transfers
tree = Tree(None, BLINDING_KEY)
tree.append_transfers(transfers(300))
tree.append_replies([reply(1)])
tree.append_transfers(transfers(5))
stats = [each.seal_records.stats for each in _COMPILED.values()]
print(tree._sealer.name, sum(s.cache_hits.total() for s in stats), sum(s.cache_misses.total() for s in stats))
print(tree.root().hex())
"""


def elsewhere(**environment: str) -> tuple[list[str], str]:
    """Seal a tree in another process; return its sealer with its hits and misses in the cache, and the root."""
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=variables, capture_output=True, text=True, check=True)
    first, root = done.stdout.splitlines()
    return first.split(), root


def here() -> str:
    """The root of the same tree, sealed in this process."""
    tree = Tree(None, BLINDING_KEY)
    tree.append_transfers(transfers(300))
    tree.append_replies([reply(1)])
    tree.append_transfers(transfers(5))
    return tree.root().hex()


def test_another_process_finds_it_compiled(tmp_path: Path) -> None:
    """Nothing of a process is baked into the cached code: the next one loads it, and computes the same."""
    (_, *first), root = elsewhere(NUMBA_CACHE_DIR=str(tmp_path))
    (_, *second), again = elsewhere(NUMBA_CACHE_DIR=str(tmp_path))
    assert (first, second) == (["0", "1"], ["1", "0"])
    assert root == again == here()


@pytest.mark.slow
def test_a_processor_without_sha_instructions_gives_the_same() -> None:
    """Code for a generic processor uses plain vectors, and reaches the same root."""
    (name, _, _), root = elsewhere(NUMBA_CPU_NAME="generic")
    assert name == "lanes"
    assert root == here()


def test_nothing_compiled_gives_the_same() -> None:
    """With compiling off, hashlib does it all."""
    script = PROGRAM.replace("stats = ", "stats = [] and ").replace("sum(", "0 and sum(")
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "FORMICARY_UNCOMPILED": "1"}
    done = subprocess.run([sys.executable, "-c", script], env=variables, capture_output=True, text=True, check=True)
    first, root = done.stdout.splitlines()
    assert first.split()[0] == "hashlib"
    assert root == here()
