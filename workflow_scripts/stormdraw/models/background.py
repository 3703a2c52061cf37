"""Reading ahead: a thread makes batches while the device computes."""

import queue
import threading
from collections.abc import Iterator
from typing import TypeVar

Item = TypeVar("Item")

_POLL_SECONDS = 0.1


def read_ahead(items: Iterator[Item], buffer: int) -> Iterator[Item]:
    """The same items in the same order, with up to `buffer` items made before they are needed.

    One more item may be in the making. With a buffer of 0 nothing is read ahead. An exception
    raised while making an item is raised where that item was due.
    """
    if buffer == 0:
        yield from items
        return
    waiting: queue.Queue[tuple[Item | None, BaseException | None]] = queue.Queue(buffer)
    left = threading.Event()

    def put(item: Item | None, error: BaseException | None) -> bool:
        while not left.is_set():
            try:
                waiting.put((item, error), timeout=_POLL_SECONDS)
                return True
            except queue.Full:
                continue
        return False

    def make() -> None:
        try:
            for item in items:
                if not put(item, None):
                    return
            put(None, StopIteration())
        except BaseException as error:
            put(None, error)

    thread = threading.Thread(target=make, name="read ahead", daemon=True)
    thread.start()
    try:
        while True:
            item, error = waiting.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield item  # type: ignore[misc]
            # Otherwise the item in use would stay in memory besides those that wait.
            del item
    finally:
        left.set()
        thread.join()
