"""Checks what a schema demands of values: lengths, patterns, digits, how often. Neither reading nor writing does it.

The classes carry the schema's facets as metadata of their fields; a message is walked over once, and the first value
that breaks one is named by its path, such as ``CstmrCdtTrfInitn/GrpHdr/MsgId``.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Hashable
from decimal import Decimal
from functools import cache
from typing import Any, Final, cast

from formicary.base.errors import BadInput

CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Characters that no XML may hold."""


def check_facets(value: Any, where: str) -> None:  # noqa: ANN401 - any message's class
    """Refuse the first value of a message that its schema does not allow."""
    for name, metadata in _fields(cast("Hashable", type(value))):
        held = getattr(value, name)
        path = f"{where}/{metadata.get('name', '')}".rstrip("/")
        many = held if isinstance(held, list) else [] if held is None else [held]
        if len(many) < metadata.get("min_occurs", 1 if metadata.get("required") else 0):
            raise BadInput("is missing", where=path)
        if len(many) > metadata.get("max_occurs", 1 if not isinstance(held, list) else len(many)):
            raise BadInput(f"is there {len(many)} times", where=path)
        for one in many:
            if dataclasses.is_dataclass(one):
                check_facets(one, path)
            else:
                _check_value(one, metadata, path)


@cache
def _fields(kind: Any) -> tuple[tuple[str, Any], ...]:  # noqa: ANN401 - any message's class
    assert dataclasses.is_dataclass(kind), kind
    return tuple((field.name, field.metadata) for field in dataclasses.fields(kind))


def _check_value(value: object, facets: Any, where: str) -> None:  # noqa: ANN401 - a field's metadata
    if isinstance(value, str):
        _check_text(value, facets, where)
    elif isinstance(value, Decimal):
        _check_number(value, facets, where)


def _check_text(value: str, facets: Any, where: str) -> None:  # noqa: ANN401 - a field's metadata
    if CONTROL.search(value):
        raise BadInput("holds a control character", where=where)
    if len(value) < facets.get("min_length", 0):
        raise BadInput("is empty", where=where)
    if len(value) > facets.get("max_length", len(value)):
        raise BadInput(f"has {len(value)} characters, more than {facets['max_length']}", where=where)
    pattern = facets.get("pattern")
    if pattern is not None and re.fullmatch(pattern, value) is None:
        raise BadInput(f"{value!r} is not of the form {pattern}", where=where)


def _check_number(value: Decimal, facets: Any, where: str) -> None:  # noqa: ANN401 - a field's metadata
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):
        raise BadInput(f"{value} is not a number", where=where)
    digits = len(value.as_tuple().digits)
    if max(digits, -exponent) > facets.get("total_digits", digits - exponent + 1):
        raise BadInput(f"{value} has more than {facets['total_digits']} digits", where=where)
    if max(0, -exponent) > facets.get("fraction_digits", max(0, -exponent)):
        raise BadInput(f"{value} has more than {facets['fraction_digits']} decimals", where=where)
    if value < facets.get("min_inclusive", value):
        raise BadInput(f"{value} is less than {facets['min_inclusive']}", where=where)
