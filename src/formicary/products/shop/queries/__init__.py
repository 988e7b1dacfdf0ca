"""Questions about the shop product's state; handlers, doors and tests ask the same ones."""
