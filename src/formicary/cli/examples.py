"""The examples that each verb's help ends with; they are commands that work as they stand."""

from __future__ import annotations

from typing import Final

EXAMPLES: Final = {
    "init": ["formicary ledger init shop.ledger --note 'Corner shop'"],
    "import": [
        "formicary ledger import orders.csv -l shop.ledger",
        """formicary ledger import order.asc -l town --asset CZK -m id=order_id \\
    -m debit=account_id -m 'credit={bank_to}:{account_to}'""",
        "formicary ledger import big.parquet -l shop.ledger --atomic --json",
    ],
    "post": [
        """formicary ledger post -l shop.ledger --open \\
    --debit owner --credit till --amount 100 --asset EUR""",
        """formicary ledger post -l shop.ledger --open --hold --id room-7 \\
    --debit till --credit hotel --amount 80 --asset EUR""",
        "formicary ledger post -l shop.ledger --capture room-7 --amount 55.20",
        "formicary ledger post -l shop.ledger --stdin < transfers.jsonl",
    ],
    "accounts": ["formicary ledger accounts shop.ledger --search till"],
    "balance": [
        "formicary ledger balance till -l shop.ledger",
        "formicary ledger balance till -l shop.ledger --at 2030-01-31T12:00:00Z",
    ],
    "history": ["formicary ledger history till -l shop.ledger --limit 10"],
    "trial-balance": ["formicary ledger trial-balance shop.ledger"],
    "names": [
        "formicary ledger names shop.ledger --search till",
        "formicary ledger names shop.ledger --rename hotel inn --asset EUR",
        "formicary ledger names shop.ledger --erase inn",
    ],
    "export": [
        "formicary ledger export transfers.parquet -l shop.ledger",
        "formicary ledger export balances.csv -l shop.ledger --kind balances",
    ],
    "verify": ["formicary ledger verify shop.ledger"],
    "replay": ["formicary ledger replay shop.ledger"],
    "backup": ["formicary ledger backup shop.ledger shop-backup.tar"],
    "restore": ["formicary ledger restore shop-backup.tar shop-again.ledger"],
    "info": ["formicary ledger info shop.ledger --json"],
}
"""The commands for each verb, in an order in which they can be run one after another."""


def epilog(verb: str) -> str | None:
    """Lay a verb's examples out for its help: the line with the control character keeps lines as they are."""
    commands = EXAMPLES.get(verb)
    if commands is None:
        return None
    title = "Example:" if len(commands) == 1 else "Examples:"
    return "\n".join(["\b", title, *(f"  {line}" for command in commands for line in command.split("\n"))])
