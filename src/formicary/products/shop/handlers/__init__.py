"""What each command and timer of the shop product does, by theme."""
