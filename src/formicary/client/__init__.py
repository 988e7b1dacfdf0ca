"""A Python client of the public API, for shops, apps and agents: blocking and async."""
