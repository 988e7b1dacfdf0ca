"""Questions about the guard's state: rows that handlers read, and what doors may ask."""
