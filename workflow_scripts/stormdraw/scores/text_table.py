"""A table for a terminal of 100 columns."""

from collections.abc import Sequence

WIDTH = 100
MISSING = "-"
_CELL = 8


def text_table(
    title: str, columns: Sequence[str], rows: Sequence[tuple[str, str, Sequence[str]]]
) -> str:
    """A title, a line of columns, and a line for each row: its name, what follows that, its cells.

    Names too long for the line are cut off.
    """
    after = max((len(following) for _, following, _ in rows), default=0)
    longest = max((len(name) for name, _, _ in rows), default=0)
    width = min(longest, WIDTH - after - _CELL * len(columns))
    lines = [("", "", columns), *rows]
    return "\n".join(
        [
            title,
            *(
                name[:width].ljust(width)
                + following.ljust(after)
                + "".join(cell.rjust(_CELL) for cell in cells)
                for name, following, cells in lines
            ),
        ]
    )
