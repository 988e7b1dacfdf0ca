"""A small town to try everything in: people, shops, a sandbox bank, orders under way; the same every time.

Nothing here is privileged. The town is made through the same commands that people send, its money comes in through the
bank's files, and ``formicary up --empty`` leaves all of it away.
"""
