"""SHA-256 of many messages of one fixed size, in compiled code: what the tree spends its time on.

Two variants give the same digests. ``sha`` uses the processor's SHA instructions, two messages interleaved, because
each instruction waits for the one before it and another message fills the wait. ``lanes`` hashes eight messages side by
side in plain vectors of 32-bit words, for processors without those instructions. Where nothing is compiled there is no
variant, and callers use :mod:`hashlib`.

A message is given already padded (FIPS 180-4 §5.1.1): two blocks of 64 bytes for a node of the tree, three for a leaf.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from formicary.base.compiled import Emit, compiled_with, compiling, has_processor_feature, instructions, unset
from formicary.machine.vectors import Vectors

Bytes = npt.NDArray[np.uint8]
HashMany = Callable[[Bytes, Bytes, int], None]

BLOCK_BYTES: Final = 64
DIGEST_BYTES: Final = 32
LANES_MAX: Final = 8
"""Callers give room for a multiple of this many messages, and of their digests."""

_ROUNDS: Final = 64
_START: Final = (
    0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19,
)  # fmt: skip
_ROUND_KEYS: Final = (
    0x428A2F98, 0x71374491, 0xB5C0FBCF, 0xE9B5DBA5, 0x3956C25B, 0x59F111F1, 0x923F82A4, 0xAB1C5ED5,
    0xD807AA98, 0x12835B01, 0x243185BE, 0x550C7DC3, 0x72BE5D74, 0x80DEB1FE, 0x9BDC06A7, 0xC19BF174,
    0xE49B69C1, 0xEFBE4786, 0x0FC19DC6, 0x240CA1CC, 0x2DE92C6F, 0x4A7484AA, 0x5CB0A9DC, 0x76F988DA,
    0x983E5152, 0xA831C66D, 0xB00327C8, 0xBF597FC7, 0xC6E00BF3, 0xD5A79147, 0x06CA6351, 0x14292967,
    0x27B70A85, 0x2E1B2138, 0x4D2C6DFC, 0x53380D13, 0x650A7354, 0x766A0ABB, 0x81C2C92E, 0x92722C85,
    0xA2BFE8A1, 0xA81A664B, 0xC24B8B70, 0xC76C51A3, 0xD192E819, 0xD6990624, 0xF40E3585, 0x106AA070,
    0x19A4C116, 0x1E376C08, 0x2748774C, 0x34B0BCB5, 0x391C0CB3, 0x4ED8AA4A, 0x5B9CCA4F, 0x682E6FF3,
    0x748F82EE, 0x78A5636F, 0x84C87814, 0x8CC70208, 0x90BEFFFA, 0xA4506CEB, 0xBEF9A3F7, 0xC67178F2,
)  # fmt: skip


class Variant(NamedTuple):
    """One way to hash many messages: ``f(messages, digests, count)`` over flat arrays of bytes.

    ``count`` is rounded up to the variant's lanes: what lies beyond it in ``messages`` is hashed too, and unused.
    """

    name: str
    two_blocks: HashMany
    three_blocks: HashMany


# ── the processor's SHA instructions ────────────────────────────────────────────────────────────────────────────────

SHA_MESSAGES: Final = 2
_HALVES: Final = ((5, 4, 1, 0), (7, 6, 3, 2))
"""Which words of the state (a … h) the instructions keep together, lowest lane first."""


def emit_sha(blocks: int) -> Emit:
    """Write SHA-256 of two messages of ``blocks`` blocks with ``sha256rnds2``, ``sha256msg1`` and ``sha256msg2``."""

    def emit(ir: Any, builder: Any, source: Any, target: Any) -> None:  # noqa: ANN401 - llvmlite has no types
        vec = Vectors(ir, builder, lanes=4, bits=32)
        _leave_wide_registers(ir, builder)
        states = [[vec.constant(*(_START[word] for word in half)) for half in _HALVES] for _ in range(SHA_MESSAGES)]
        for block in range(blocks):
            places = [(message * blocks + block) * BLOCK_BYTES for message in range(SHA_MESSAGES)]
            mixed = _sha_block(vec, source, places, states)
            states = [
                [builder.add(old, new) for old, new in zip(*pair, strict=True)]
                for pair in zip(states, mixed, strict=True)
            ]
        for message, (abef, cdgh) in enumerate(states):
            vec.store_swapped(vec.pick(abef, cdgh, [3, 2, 7, 6]), target, message * DIGEST_BYTES)
            vec.store_swapped(vec.pick(abef, cdgh, [1, 0, 5, 4]), target, message * DIGEST_BYTES + 16)

    return emit


def _leave_wide_registers(ir: Any, builder: Any) -> None:  # noqa: ANN401 - llvmlite has no types
    # The SHA instructions have no VEX encoding. While the upper half of any 256-bit register is in use, as after a copy
    # of 32 bytes, each of them waits for it: measured here, a hundred times slower.
    if has_processor_feature("avx"):
        shape = ir.FunctionType(ir.VoidType(), [])
        builder.call(builder.module.declare_intrinsic("llvm.x86.avx.vzeroupper", fnty=shape), [])


def _sha_block(vec: Vectors, source: Any, places: list[int], states: list[list[Any]]) -> list[list[Any]]:  # noqa: ANN401
    # Four rounds of every message before the next four of any: the interleaving that hides each one's wait.
    words: list[list[Any]] = [[] for _ in places]
    states = [list(state) for state in states]
    for four in range(_ROUNDS // 4):
        keys = vec.constant(*_ROUND_KEYS[4 * four : 4 * four + 4])
        for schedule, state, place in zip(words, states, places, strict=True):
            schedule.append(vec.load_swapped(source, place + 16 * four) if four < 4 else _sha_words(vec, schedule))
            due = vec.builder.add(schedule[four], keys)
            state[1] = vec.call("llvm.x86.sha256rnds2", state[1], state[0], due)
            state[0] = vec.call("llvm.x86.sha256rnds2", state[0], state[1], vec.pick(due, due, [2, 3, 2, 3]))
    return states


def _sha_words(vec: Vectors, schedule: list[Any]) -> Any:  # noqa: ANN401
    # The next four words of the message schedule (FIPS 180-4 §6.2.2, step 1).
    fresh = vec.call("llvm.x86.sha256msg1", schedule[-4], schedule[-3])
    fresh = vec.builder.add(fresh, vec.pick(schedule[-2], schedule[-1], [1, 2, 3, 4]))
    return vec.call("llvm.x86.sha256msg2", fresh, schedule[-1])


# ── eight messages side by side ─────────────────────────────────────────────────────────────────────────────────────


def emit_lanes(blocks: int) -> Emit:
    """Write SHA-256 of eight messages of ``blocks`` blocks, one in each lane of plain vectors.

    The blocks are a loop, and not written out one after the other: as quick, and compiled in a third of the time.
    """

    def emit(ir: Any, builder: Any, source: Any, target: Any) -> None:  # noqa: ANN401 - llvmlite has no types
        vec, count = Vectors(ir, builder, lanes=LANES_MAX, bits=32), ir.IntType(64)
        before, loop, after = builder.block, builder.append_basic_block(), builder.append_basic_block()
        builder.branch(loop)
        builder.position_at_end(loop)
        done, state = builder.phi(count), [builder.phi(vec.kind) for _ in _START]
        here = builder.gep(source, [builder.mul(done, count(BLOCK_BYTES))], source_etype=ir.IntType(8))
        words: list[Any] = []
        for half in (0, 32):
            places = [lane * blocks * BLOCK_BYTES + half for lane in range(LANES_MAX)]
            words += vec.transposed([vec.load_swapped(here, place) for place in places])
        mixed = [builder.add(*pair) for pair in zip(state, _lane_rounds(vec, words, state), strict=True)]
        due = builder.add(done, count(1))
        constants = [count(0), *(vec.constant(word) for word in _START)]
        for phi, first, later in zip([done, *state], constants, [due, *mixed], strict=True):
            phi.add_incoming(first, before)
            phi.add_incoming(later, loop)
        builder.cbranch(builder.icmp_unsigned("<", due, count(blocks)), loop, after)
        builder.position_at_end(after)
        for lane, digest in enumerate(vec.transposed(mixed)):
            vec.store_swapped(digest, target, lane * DIGEST_BYTES)

    return emit


def _lane_rounds(vec: Vectors, words: list[Any], state: list[Any]) -> list[Any]:
    # FIPS 180-4 §6.2.2, steps 1 and 3, with its names.
    add, xor, both = vec.builder.add, vec.builder.xor, vec.builder.and_
    a, b, c, d, e, f, g, h = state
    for turn in range(_ROUNDS):
        if turn >= 16:
            words.append(_lane_word(vec, words))
        choice = xor(g, both(e, xor(f, g)))
        majority = vec.builder.or_(both(a, b), both(c, vec.builder.or_(a, b)))
        due = add(words[turn], vec.constant(_ROUND_KEYS[turn]))
        first = add(add(h, _three(vec, e, 6, 11, 25)), add(choice, due))
        second = add(_three(vec, a, 2, 13, 22), majority)
        a, b, c, d, e, f, g, h = add(first, second), a, b, c, add(d, first), e, f, g
    return [a, b, c, d, e, f, g, h]


def _three(vec: Vectors, value: Any, one: int, two: int, three: int) -> Any:  # noqa: ANN401
    turned = vec.builder.xor(vec.rotated(value, right=one), vec.rotated(value, right=two))
    return vec.builder.xor(turned, vec.rotated(value, right=three))


def _lane_word(vec: Vectors, words: list[Any]) -> Any:  # noqa: ANN401
    def small(value: Any, one: int, two: int, shift: int) -> Any:  # noqa: ANN401
        turned = vec.builder.xor(vec.rotated(value, right=one), vec.rotated(value, right=two))
        return vec.builder.xor(turned, vec.builder.lshr(value, vec.constant(shift)))

    near, far = small(words[-2], 17, 19, 10), small(words[-15], 7, 18, 3)
    return vec.builder.add(vec.builder.add(words[-16], far), vec.builder.add(words[-7], near))


# ── the variants of this processor ──────────────────────────────────────────────────────────────────────────────────

# What a variant's copy of _hash_many means by these names.
HASH: Callable[[Any, int, Any, int], None] = unset
LANES = 0
MESSAGE_BYTES = 0


def _hash_many(messages: Bytes, digests: Bytes, count: int) -> None:
    for first in range(0, count, LANES):
        HASH(messages, first * MESSAGE_BYTES, digests, first * DIGEST_BYTES)


def _variant(name: str, lanes: int, emit: Callable[[int], Emit]) -> Variant:
    two, three = (
        compiled_with(
            _hash_many,
            f"hash_{name}_{blocks}",
            HASH=instructions(emit(blocks)),
            LANES=lanes,
            MESSAGE_BYTES=blocks * BLOCK_BYTES,
        )
        for blocks in (2, 3)
    )
    return Variant(name, two, three)


def _variants() -> tuple[Variant, ...]:
    if not compiling():
        return ()
    lanes = _variant("lanes", LANES_MAX, emit_lanes)
    if not has_processor_feature("sha"):
        return (lanes,)
    sha = _variant("sha", SHA_MESSAGES, emit_sha)
    return (lanes, sha) if has_processor_feature("avx512vl") else (sha, lanes)  # with rotates of vectors, lanes win


VARIANTS: Final = _variants()
"""What this processor can do, the preferred one first; empty where nothing is compiled."""
