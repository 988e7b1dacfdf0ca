"""The text of an EPC QR code (EPC069-12): a banking app that scans it fills in a SEPA transfer, here a top-up.

Version 002, UTF-8: twelve lines at most. Euros only; without an amount the payer chooses it.
"""

from __future__ import annotations

from typing import Final

from formicary.base.errors import BadInput
from formicary.base.money import format_minor

AMOUNT_MAX_MINOR: Final = 99_999_999_999
"""999,999,999.99 euros."""
BYTES_MAX: Final = 331
NAME_CHARS_MAX: Final = 70
TEXT_CHARS_MAX: Final = 140


def write_epc(
    *, iban: str, name: str, bic: str = "", amount_minor: int = 0, reference: str = "", text: str = ""
) -> str:
    """The text of the code. A creditor reference and a free text exclude one another; raises BadInput with why."""
    if not 0 <= amount_minor <= AMOUNT_MAX_MINOR:
        raise BadInput(f"an EPC code takes up to 999999999.99 euros, not {amount_minor} cents")
    if reference and text:
        raise BadInput("an EPC code has a reference or a text, not both")
    if not name or len(name) > NAME_CHARS_MAX or len(text) > TEXT_CHARS_MAX:
        raise BadInput(
            f"an EPC code has a name of 1 to {NAME_CHARS_MAX} and a text of up to {TEXT_CHARS_MAX} characters"
        )
    parts = (bic, name, iban, reference, text)
    if any(character < " " for part in parts for character in part):
        raise BadInput("a line of an EPC code holds a control character")
    amount = f"EUR{format_minor(amount_minor, 2)}" if amount_minor else ""
    lines = ["BCD", "002", "1", "SCT", bic, name, "".join(iban.split()).upper(), amount, "", reference, text]
    code = "\n".join(lines).rstrip("\n")
    if len(code.encode()) > BYTES_MAX:
        raise BadInput(f"an EPC code has up to {BYTES_MAX} bytes, not {len(code.encode())}")
    return code
