"""What payments do: sending, requests, red packets, orders, and the end of what the guard held."""
