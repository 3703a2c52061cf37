"""The exceptions that users read."""


class StormdrawError(Exception):
    """A problem that the user can solve, described in one line.

    The message says which file, key or value is wrong, what was expected, and what to do.
    """


class MemoryRanOutError(StormdrawError):
    """A training did not fit the memory of its device; a smaller one may."""
