"""The one file that names Numba: how a plain function becomes compiled code, and how to get its uncompiled twin.

Integers in compiled code are int64 or uint64 and never mixed in one expression: Numba would make a float of them.
A literal is int64; write ``U64(1)`` beside an unsigned value. Compiled integers wrap silently: check before you add.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Final, TypeVar

import numpy as np

Function = TypeVar("Function", bound=Callable[..., object])

U64: Final = np.uint64
"""Wrap a literal that stands beside an unsigned value."""

_state = {"on": os.environ.get("FORMICARY_UNCOMPILED", "") != "1"}


def compiled(function: Function) -> Function:
    """Compile ahead of use, cached on disk, without the interpreter lock; unchanged while compiling is off."""
    if not _state["on"]:
        return function
    from numba import njit  # noqa: PLC0415 - the uncompiled twin must not need it

    return njit(cache=True, nogil=True)(function)  # type: ignore[no-any-return]


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
