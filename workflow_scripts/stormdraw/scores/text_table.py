"""A table for a terminal of 100 columns."""

from collections.abc import Sequence

WIDTH = 100
MISSING = "-"
_CELL = 8


def text_table(
    title: str, columns: Sequence[str], rows: Sequence[tuple[str, str, Sequence[str]]]
) -> str:
    """A title, a line of column headings, and one line for each row (name, suffix, cells).

    Names that are too long for the line are truncated.
    """
    suffix_width = max((len(suffix) for _, suffix, _ in rows), default=0)
    longest = max((len(name) for name, _, _ in rows), default=0)
    width = min(longest, WIDTH - suffix_width - _CELL * len(columns))
    lines = [("", "", columns), *rows]
    return "\n".join(
        [
            title,
            *(
                name[:width].ljust(width)
                + suffix.ljust(suffix_width)
                + "".join(cell.rjust(_CELL) for cell in cells)
                for name, suffix, cells in lines
            ),
        ]
    )
