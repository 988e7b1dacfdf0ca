"""What the guard does: opens cases, resolves what is held, hears those concerned, and lets operators decide."""
