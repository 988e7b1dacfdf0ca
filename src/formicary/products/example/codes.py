"""Why the example refuses, in the order in which each command checks; and its numbers in the kernel's records."""

from __future__ import annotations

from typing import Final

CODES: Final = {
    "signer_not_a_person": "A person's id has 16 bytes.",
    "already_member": "The person has a pocket already.",
    "not_a_member": "The person has no pocket yet: join first.",
    "taker_not_a_member": "The taker has no pocket yet.",
    "pledge_to_oneself": "A pledge needs two people.",
    "pledge_not_in_future": "A pledge ends later than now.",
    "pledge_above_allowance": "The pledge is larger than this person may make.",
    "pledge_not_found": "There is no such pledge.",
    "pledge_not_yours": "Only the giver keeps a pledge, and only the taker waives it.",
    "pledge_ended": "The pledge was kept, waived or ran out before.",
}

ASSET: Final = 978
"""Euro cents: the example knows one asset."""
POCKET: Final = 4001
"""Account code of a pocket."""
SOURCE_BOOK: Final = 4002
"""Account code of where money comes from."""
SOURCE: Final = int.from_bytes(b"example/source", "big")
"""The account that stands for the world outside."""
FUNDED: Final = 4101
PLEDGED: Final = 4102
"""Transfer codes."""
