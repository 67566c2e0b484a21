"""Messages for whoever waits at a terminal.

Takes a sentence; writes it to stderr, so that stdout holds the answer alone.
"""

import sys


def say(message: str) -> None:
    """One line on stderr."""
    print(" ".join(message.split()), file=sys.stderr, flush=True)
