"""What everything stands on: errors, entries, ids, money and the compiler's switch. It imports nothing of ours."""
