"""The one file that names Numba: how a plain function becomes compiled code, and how to get its uncompiled twin.

Beside that, how a function of compiled code is written in the processor's own instructions, where Python has no word
for them.

Compiled functions are merged into their callers, so small ones cost nothing; large and rare ones are kept apart, so
that compiling takes seconds. They run without Numba's reference counts: they can't allocate, and are given every array
that they need.

Integers in compiled code are int64 or uint64 and never mixed in one expression: Numba would make a float of them.
A literal is int64; write ``U64(1)`` beside an unsigned value. Compiled integers wrap silently: check before you add.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, Final, TypeVar, cast

import numpy as np

Function = TypeVar("Function", bound=Callable[..., object])

U64: Final = np.uint64
"""Wrap a literal that stands beside an unsigned value."""
I64: Final = cast("Callable[[Any], int]", np.int64)
"""Widen a field to the signed integer that compiled code computes with; the type checker sees a plain int."""

_state = {"on": os.environ.get("FORMICARY_UNCOMPILED", "") != "1"}


def compiled(function: Function) -> Function:
    """Compile ahead of use, cached on disk, without the interpreter lock; unchanged while compiling is off."""
    return _compile(function, forceinline=True) if _state["on"] else function


def compiled_apart(function: Function) -> Function:
    """Compile a function that is large or seldom called: it is not merged into its callers, which compile sooner."""
    return _compile(function, forceinline=False) if _state["on"] else function


def _compile(function: Function, *, forceinline: bool) -> Function:
    from numba import njit  # noqa: PLC0415 - the uncompiled twin must not need it

    dispatcher = njit(cache=True, nogil=True, forceinline=forceinline, _nrt=False)(function)
    package = function.__module__.split(".")[1] if function.__module__.startswith("formicary.") else "kernel"
    dispatcher._cache._cache_file._source_stamp = sources_stamp(package)  # noqa: SLF001 - Numba has no other way
    return dispatcher  # type: ignore[no-any-return]


@functools.cache
def sources_stamp(package: str) -> str:
    """Hash every source file that compiled code of a package can be made of: its own, and what lies below it.

    Numba's own stamp on what it keeps on disk covers the one file that a function stands in. A function holds the code
    of all that it calls, too: with that stamp an upgrade of one file would go on running old code from another.
    """
    root = Path(__file__).parent.parent
    below = ("kernel", package) if package != "kernel" else ("kernel",)
    sources = [Path(__file__), *(path for name in below for path in sorted((root / name).glob("*.py")))]
    digest = hashlib.blake2b(digest_size=16)
    for path in sources:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def compiled_wrapping(function: Function) -> Function:
    """Compile one of the few functions whose unsigned products wrap on purpose; its twin wraps without a warning."""
    return compiled(function) if _state["on"] else np.errstate(over="ignore")(function)


def uncompiled(module: str, package: str) -> ModuleType:
    """Import ``module`` afresh with compiling off, and every module below ``package`` with it: the oracle's twin.

    The ordinary modules stay in ``sys.modules``; the twin lives only in what is returned.
    """
    saved = {name: sys.modules.pop(name) for name in list(sys.modules) if f"{name}.".startswith(f"{package}.")}
    was_on, _state["on"] = _state["on"], False
    try:
        return importlib.import_module(module)
    finally:
        for name in [name for name in sys.modules if f"{name}.".startswith(f"{package}.")]:
            del sys.modules[name]
        sys.modules.update(saved)
        _state["on"] = was_on


# ── the processor's own instructions ────────────────────────────────────────────────────────────────────────────────

Emit = Callable[[Any, Any, Any, Any], None]
"""``emit(ir, builder, source, target)`` writes LLVM instructions: llvmlite's ``ir`` module, its builder at the place of
the call, and two pointers to bytes."""


def compiling() -> bool:
    """Whether functions are compiled in this process, or run as the plain Python that they are."""
    return _state["on"]


def has_processor_feature(name: str) -> bool:
    """Whether compiled code may use a feature of this processor, by LLVM's name for it, such as ``sha`` or ``avx2``."""
    from numba.core import config  # noqa: PLC0415 - the uncompiled twin must not need it
    from numba.core.codegen import get_host_cpu_features  # noqa: PLC0415

    wanted = config.CPU_FEATURES  # NUMBA_CPU_NAME=generic or NUMBA_CPU_FEATURES may ask for less than there is
    return f"+{name}" in (get_host_cpu_features() if wanted is None else wanted).split(",")


def instructions(emit: Emit) -> Callable[[Any, int, Any, int], None]:
    """Make ``f(source, source_at, target, target_at)`` for compiled code, of what ``emit`` writes.

    Both arrays are contiguous and the offsets are in bytes; ``emit`` gets the addresses of the bytes there. Nothing is
    checked: a caller keeps inside its arrays, and asks :func:`has_processor_feature` before it uses one.
    """
    from llvmlite import ir  # noqa: PLC0415 - the uncompiled twin must not need it
    from numba.core import types  # noqa: PLC0415
    from numba.extending import intrinsic  # noqa: PLC0415

    def address(context: Any, builder: Any, kind: Any, array: Any, offset: Any) -> Any:  # noqa: ANN401 - llvmlite's
        data = context.make_array(kind)(context, builder, array).data
        return builder.gep(data, [offset], source_etype=ir.IntType(8))

    def typed(_: Any, source: Any, source_at: Any, target: Any, target_at: Any) -> Any:  # noqa: ANN401 - numba's types
        def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:  # noqa: ANN401
            kinds = signature.args
            start = address(context, builder, kinds[0], given[0], given[1])
            emit(ir, builder, start, address(context, builder, kinds[2], given[2], given[3]))
            return context.get_dummy_value()

        return types.void(source, source_at, target, target_at), generate

    return intrinsic(typed)  # type: ignore[no-any-return]


def unset(*_: object) -> None:
    """What a global name stands for until :func:`compiled_with` gives it a meaning."""
    raise AssertionError("only a compiled copy of this function can be called")


def compiled_with(function: Function, name: str, **meaning: object) -> Function:
    """Compile a copy of ``function`` called ``name`` in which some of its global names mean something else.

    One source, several variants, each with its own place in the cache on disk.
    """
    assert isinstance(function, FunctionType), "only a plain function has globals to replace"
    copy = FunctionType(function.__code__, {**function.__globals__, **meaning}, name)
    copy.__qualname__, copy.__module__, copy.__doc__ = name, function.__module__, function.__doc__
    return compiled(copy)  # type: ignore[return-value]


def copier(count: int) -> Callable[[Any, int, Any, int], None]:
    """Make ``f(source, source_at, target, target_at)`` for compiled code that copies ``count`` bytes, unchecked.

    A loop over bytes is not made into this: Numba's negative indices stand in the way.
    """

    def emit(ir: Any, builder: Any, source: Any, target: Any) -> None:  # noqa: ANN401 - llvmlite has no types
        length = ir.IntType(64)
        copy = builder.module.declare_intrinsic("llvm.memcpy", [target.type, source.type, length])
        builder.call(copy, [target, source, ir.Constant(length, count), ir.Constant(ir.IntType(1), 0)])

    return instructions(emit)
