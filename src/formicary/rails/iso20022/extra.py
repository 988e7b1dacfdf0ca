"""The packages that bank files need, imported at their first use: a ledger without a bank goes without them."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any, Final

from formicary.base.errors import BadInput

MESSAGES: Final = {
    "pain.001.001.09": "pyiso20022.pain.pain_001_001_09.pain_001_001_09",
    "pain.002.001.10": "pyiso20022.pain.pain_002_001_10.pain_002_001_10",
    "camt.053.001.08": "pyiso20022.camt.camt_053_001_08.camt_053_001_08",
    "camt.054.001.08": "pyiso20022.camt.camt_054_001_08.camt_054_001_08",
}
"""The versions of ISO 20022's 2019 release, which SEPA has used since November 2023; see docs/how-to."""
SPACE: Final = "urn:iso:std:iso:20022:tech:xsd:"


@cache
def package(name: str) -> Any:  # noqa: ANN401 - a module whose types are its own affair
    """Import a package of the ``banks`` extra; refused as ``extra_missing`` where it was not installed."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        told = f"bank files need the banks extra ({error.name}): pip install 'formicary[banks]'"
        raise BadInput(told, code="extra_missing") from None


def message_types(kind: str) -> Any:  # noqa: ANN401 - a module whose types are its own affair
    """The classes of one message, such as ``pain.001.001.09``."""
    return package(MESSAGES[kind])
