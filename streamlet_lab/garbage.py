"""Python's collector of garbage, kept from what a run cannot turn into garbage."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def look_at_new_objects_only() -> Iterator[None]:
    """Have the collector pass over everything that is there already, until the work is done.

    A run makes many objects, which has the collector look again and again at all that were made
    before. Who has frozen objects, for a fork say, keeps them frozen; this is not for work within
    such work, as counting what is frozen walks over all of it.
    """
    is_free = gc.get_freeze_count() == 0
    if is_free:
        gc.freeze()
    try:
        yield
    finally:
        if is_free:
            gc.unfreeze()
