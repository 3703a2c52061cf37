"""The one exception a user is meant to read."""


class StormdrawError(Exception):
    """A problem the user can act on, told in one line.

    The message says which file, key or value is wrong, what was expected, and what to do.
    """


class MemoryRanOutError(StormdrawError):
    """A training did not fit the memory of its device; a smaller one may."""
