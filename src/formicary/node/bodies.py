"""What stands in the bodies of frames besides raw records: ids, moments, heads, receipts. Both sides use this file.

What a client in another language needs often is of fixed size; what is read seldom, and by people and scripts, is JSON.
"""

from __future__ import annotations

import struct
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.errors import BadInput
from formicary.machine.heads import SignedHead
from formicary.machine.receipt_forms import read_document, write_json
from formicary.machine.receipts import HeadStatement, Receipt
from formicary.node.surface import HALF

Bytes: TypeAlias = npt.NDArray[np.uint8]
"""The body of an answer, as it was received."""
MOMENT: Final = struct.Struct("<QQq")
"""An account's id and a time in nanoseconds since 1970."""
SIZE: Final = struct.Struct("<Q")


def pack_moment(account_id: int, time_ns: int) -> bytes:
    """Write which account, and when."""
    try:
        return MOMENT.pack(account_id & HALF, account_id >> 64, time_ns)
    except struct.error:
        raise BadInput("an id is 128 bits and a time 63", code="wrong_id") from None


def read_moment(body: memoryview) -> tuple[int, int]:
    """Read which account, and when."""
    low, high, time_ns = MOMENT.unpack(body)
    return low | high << 64, time_ns


def pack_size(size: int) -> bytes:
    """Write a size of the tree."""
    if not 0 <= size <= HALF:
        raise BadInput(f"a tree has no size of {size}", code="size_unknown")
    return SIZE.pack(size)


def read_size(body: memoryview) -> int:
    """Read a size of the tree."""
    size: int = SIZE.unpack(body)[0]
    return size


def read_info(body: Bytes) -> dict[str, Any]:
    """Read what the ledger says of itself."""
    return msgspec.json.decode(memoryview(body), type=dict[str, Any])


def read_head(body: Bytes) -> SignedHead:
    """Read a signed tree head."""
    return SignedHead.from_bytes(body.tobytes())


def pack_document(document: Receipt | HeadStatement) -> bytes:
    """Write a receipt or a statement as the file that it is kept in."""
    return write_json(document)


def read_receipt(body: Bytes) -> Receipt:
    """Read a receipt."""
    document = read_document(body.tobytes())
    assert isinstance(document, Receipt), "a receipt was asked for"
    return document


def read_statement(body: Bytes) -> HeadStatement:
    """Read a head's statement."""
    document = read_document(body.tobytes())
    assert isinstance(document, HeadStatement), "a statement was asked for"
    return document
