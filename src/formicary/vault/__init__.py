"""Personal data, sealed under a key per person and kept outside the log; destroying the key erases the person."""
