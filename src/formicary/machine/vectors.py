"""A few words over LLVM's vectors, in which the tree's hash functions are written where Python is too slow.

The words of a vector lie in memory one after the other, however they are aligned. Everything here runs while code is
generated; nothing of it is left when that code runs.
"""

from __future__ import annotations

from typing import Any


class Vectors:
    """Vectors of ``lanes`` words of ``bits`` bits, made with llvmlite's builder (which has no types)."""

    def __init__(self, ir: Any, builder: Any, *, lanes: int, bits: int) -> None:  # noqa: ANN401
        self.ir, self.builder, self.lanes = ir, builder, lanes
        self.name = f"v{lanes}i{bits}"
        self.kind = ir.VectorType(ir.IntType(bits), lanes)

    def constant(self, *words: int) -> Any:  # noqa: ANN401
        """Give a vector of these words, or of one word in every lane."""
        return self.ir.Constant(self.kind, list(words) if len(words) > 1 else [words[0]] * self.lanes)

    def call(self, name: str, *given: Any) -> Any:  # noqa: ANN401
        """Call an LLVM intrinsic from vectors to a vector, declaring it on first use."""
        known = self.builder.module.globals.get(name)
        if known is None:
            shape = self.ir.FunctionType(self.kind, [self.kind] * len(given))
            known = self.builder.module.declare_intrinsic(name, fnty=shape)
        return self.builder.call(known, given)

    def pick(self, first: Any, second: Any, lanes: list[int]) -> Any:  # noqa: ANN401
        """Choose lanes out of two vectors laid end to end."""
        mask = self.ir.Constant(self.ir.VectorType(self.ir.IntType(32), len(lanes)), lanes)
        return self.builder.shuffle_vector(first, second, mask)

    def swapped(self, value: Any) -> Any:  # noqa: ANN401
        """Turn the bytes of each word around: SHA-256 reads and writes the high byte first."""
        return self.call(f"llvm.bswap.{self.name}", value)

    def rotated(self, value: Any, *, right: int) -> Any:  # noqa: ANN401
        """Rotate each word to the right."""
        return self.call(f"llvm.fshr.{self.name}", value, value, self.constant(right))

    def load(self, pointer: Any, offset: int) -> Any:  # noqa: ANN401
        """Read the vector that lies ``offset`` bytes after a pointer."""
        return self.builder.load(self._address(pointer, offset), align=1)

    def load_swapped(self, pointer: Any, offset: int) -> Any:  # noqa: ANN401
        """Read a vector of big-endian words."""
        return self.swapped(self.load(pointer, offset))

    def store(self, value: Any, pointer: Any, offset: int) -> None:  # noqa: ANN401
        """Write a vector ``offset`` bytes after a pointer."""
        self.builder.store(value, self._address(pointer, offset), align=1)

    def store_swapped(self, value: Any, pointer: Any, offset: int) -> None:  # noqa: ANN401
        """Write a vector as big-endian words."""
        self.store(self.swapped(value), pointer, offset)

    def transposed(self, rows: list[Any]) -> list[Any]:
        """Turn as many rows as there are lanes into columns: exchange ever larger squares across the diagonal."""
        size, step = self.lanes, 1
        while step < size:
            turned = list(rows)
            for low in (row for row in range(size) if not row & step):
                first, second = rows[low], rows[low | step]
                turned[low] = self.pick(first, second, [size + (c ^ step) if c & step else c for c in range(size)])
                turned[low | step] = self.pick(first, second, [size + c if c & step else c | step for c in range(size)])
            rows, step = turned, step * 2
        return rows

    def _address(self, pointer: Any, offset: int) -> Any:  # noqa: ANN401
        byte, count = self.ir.IntType(8), self.ir.IntType(64)
        at = self.builder.gep(pointer, [self.ir.Constant(count, offset)], source_etype=byte)
        return self.builder.bitcast(at, self.kind.as_pointer())
