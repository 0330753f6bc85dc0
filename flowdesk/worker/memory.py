"""How a worker's process keeps what it has in memory."""

import gc

MANY = 50_000  # values that may be made and not yet dropped before the collector looks: a sweep's part makes 15,000


def settle() -> None:
    """Leave alone what is loaded, for it stays; and do not look through a sweep's values while it makes them.

    An act's values go by themselves when it is over. Looking for rings among them after every seven hundred, as Python
    does unasked, was a quarter of a sweep's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(MANY)
