"""SipHash-2-4 with 128 bits out (Aumasson and Bernstein, 2012): where the blinds of the tree's leaves come from.

A keyed function that nobody can tell from chance without its 16-byte key, and quick for an input of 8 bytes. The plain
function is the reference, for any message; the compiled one takes eight messages of one word, the indices of leaves.
"""

from __future__ import annotations

from typing import Any, Final

from formicary.machine.vectors import Vectors

KEY_BYTES: Final = 16
_WORD: Final = (1 << 64) - 1
_START: Final = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)


def siphash128(key: bytes, message: bytes) -> bytes:
    """Hash a message of any length with a 16-byte key into 16 bytes."""
    assert len(key) == KEY_BYTES
    low, high = int.from_bytes(key[:8], "little"), int.from_bytes(key[8:], "little")
    state = [start ^ half for start, half in zip(_START, (low, high, low, high), strict=True)]
    state[1] ^= 0xEE
    padded = message + bytes(7 - len(message) % 8) + bytes([len(message) % 256])
    for at in range(0, len(padded), 8):
        word = int.from_bytes(padded[at : at + 8], "little")
        state[3] ^= word
        state = _mixed(_mixed(state))
        state[0] ^= word
    state[2] ^= 0xEE
    first = _mixed(_mixed(_mixed(_mixed(state))))
    second = _mixed(_mixed(_mixed(_mixed([first[0], first[1] ^ 0xDD, first[2], first[3]]))))
    return b"".join((a ^ b ^ c ^ d).to_bytes(8, "little") for a, b, c, d in (first, second))


def _turned(word: int, left: int) -> int:
    return (word << left | word >> (64 - left)) & _WORD


def _mixed(state: list[int]) -> list[int]:
    v0, v1, v2, v3 = state
    v0, v2 = (v0 + v1) & _WORD, (v2 + v3) & _WORD
    v1, v3 = _turned(v1, 13) ^ v0, _turned(v3, 16) ^ v2
    v0, v2 = (_turned(v0, 32) + v3) & _WORD, (v2 + v1) & _WORD
    return [v0, _turned(v1, 17) ^ v2, _turned(v2, 32), _turned(v3, 21) ^ v0]


# ── compiled: eight words side by side ──────────────────────────────────────────────────────────────────────────────

WORDS: Final = 8
"""How many leaves' blinds are made at once."""
_LENGTH: Final = 8 << 56
"""The last block of a message of 8 bytes: nothing but its length."""
_ROW: Final = 8 * WORDS


def emit_siphash(ir: Any, builder: Any, source: Any, target: Any) -> None:  # noqa: ANN401 - llvmlite has no types
    """Write SipHash of eight words of 8 bytes; the digests, of 16 bytes each, follow one another at ``target``.

    ``source`` holds three rows of eight little-endian words: the key's low half, its high half, and the messages.
    """
    vec = Vectors(ir, builder, lanes=WORDS, bits=64)
    xor = builder.xor
    low, high, word = (vec.load(source, row * _ROW) for row in range(3))
    state = [xor(vec.constant(start), half) for start, half in zip(_START, (low, high, low, high), strict=True)]
    state[1] = xor(state[1], vec.constant(0xEE))
    for block in (word, vec.constant(_LENGTH)):
        state[3] = xor(state[3], block)
        state = _mixed_lanes(vec, state, 2)
        state[0] = xor(state[0], block)
    state[2] = xor(state[2], vec.constant(0xEE))
    first = _mixed_lanes(vec, state, 4)
    second = _mixed_lanes(vec, [first[0], xor(first[1], vec.constant(0xDD)), first[2], first[3]], 4)
    low, high = (xor(xor(a, b), xor(c, d)) for a, b, c, d in (first, second))
    lanes = [lane + half * WORDS for lane in range(WORDS) for half in range(2)]
    vec.store(vec.pick(low, high, lanes[:WORDS]), target, 0)
    vec.store(vec.pick(low, high, lanes[WORDS:]), target, _ROW)


def _mixed_lanes(vec: Vectors, state: list[Any], times: int) -> list[Any]:
    def turned(word: Any, left: int) -> Any:  # noqa: ANN401
        return vec.rotated(word, right=64 - left)

    add, xor = vec.builder.add, vec.builder.xor
    v0, v1, v2, v3 = state
    for _ in range(times):
        v0, v2 = add(v0, v1), add(v2, v3)
        v1, v3 = xor(turned(v1, 13), v0), xor(turned(v3, 16), v2)
        v0, v2 = add(turned(v0, 32), v3), add(v2, v1)
        v1, v2, v3 = xor(turned(v1, 17), v2), turned(v2, 32), xor(turned(v3, 21), v0)
    return [v0, v1, v2, v3]
