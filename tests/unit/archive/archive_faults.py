"""Everything a server has been seen to do wrong, and what must come of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from archive_mirror import write_file
from archive_server import Archive, Fault, Request, drip


@dataclass(frozen=True)
class Trouble:
    """A fault, set by `spoil(archive, path of the file)`.

    `complaint` is what the error must say (a regular expression) if no other source has the file;
    None where the right file comes in the end all the same. `definite` if it is a fault of that
    file, which may then be left out, and not of the network.
    """

    name: str
    spoil: Callable[[Archive, str], None]
    complaint: str | None
    definite: bool = False


def _status(code: int) -> Fault:
    def answer(request: Request) -> bool:
        request.send(code, b"")
        return True

    return answer


def _always(code: int) -> Callable[[Archive, str], None]:
    def spoil(archive: Archive, path: str) -> None:
        archive.faults[path] = _status(code)

    return spoil


def _times(count: int, fault: Fault) -> Fault:
    """A fault of the first `count` transfers only."""
    left = [count]

    def answer(request: Request) -> bool:
        if not request.with_body or left[0] == 0:
            return False
        left[0] -= 1
        return fault(request)

    return answer


def _reset(request: Request) -> bool:
    if request.with_body:
        request.send(206, request.body[: len(request.body) // 2], announced=len(request.body))
        request.reset()
    return request.with_body


def _short(request: Request) -> bool:
    if request.with_body:
        request.send(206, request.body[:-20])
    return request.with_body


def _garbage(request: Request) -> bool:
    if request.with_body:
        request.send(206, np.random.default_rng(0).bytes(len(request.body)))
    return request.with_body


def _damaged(request: Request) -> bool:
    """The right length and beginning, but the end of the last message is something else."""
    if request.with_body:
        request.send(206, request.body[:-4] + b"\0\0\0\0")
    return request.with_body


def _other_range(request: Request) -> bool:
    if request.with_body:
        request.send(206, request.whole[3 : 3 + len(request.body)])
    return request.with_body


def _page(request: Request) -> bool:
    request.send(200, b"<html>Please log in</html>" * 10)
    return True


def _fault(fault: Fault, ending: str = "") -> Callable[[Archive, str], None]:
    def spoil(archive: Archive, path: str) -> None:
        archive.faults[path + ending] = fault

    return spoil


def _inventory(change: Callable[[list[str]], list[str]]) -> Callable[[Archive, str], None]:
    def spoil(archive: Archive, path: str) -> None:
        idx = archive.root / (path + ".idx").lstrip("/")
        idx.write_text("".join(line + "\n" for line in change(idx.read_text().splitlines())))

    return spoil


def _shifted(lines: list[str]) -> list[str]:
    """As of an older version of the file, whose messages had other lengths."""
    rows = [line.split(":", 2) for line in lines]
    return [f"{row[0]}:{int(row[1]) * 9 // 10}:{row[2]}" for row in rows]


def _beyond(lines: list[str]) -> list[str]:
    rows = [line.split(":", 2) for line in lines]
    return [f"{row[0]}:{int(row[1]) + 1_000_000}:{row[2]}" for row in rows]


def _swapped(lines: list[str]) -> list[str]:
    """The lines of another file with the same variables in another order, all offsets right."""
    rows = [line.split(":", 2) for line in lines]
    return [
        f"{row[0]}:{row[1]}:{other[2]}"
        for row, other in zip(rows, [rows[0], *reversed(rows[1:])], strict=True)
    ]


def _hang(archive: Archive, path: str) -> None:
    archive.hangs.add(path)


def _remove_inventory(archive: Archive, path: str) -> None:
    (archive.root / (path + ".idx").lstrip("/")).unlink()


def _remove_file(archive: Archive, path: str) -> None:
    (archive.root / path.lstrip("/")).unlink()


def _cut_file(archive: Archive, path: str) -> None:
    file = archive.root / path.lstrip("/")
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _empty_file(archive: Archive, path: str) -> None:
    (archive.root / path.lstrip("/")).write_bytes(b"")


def _nothing(request: Request) -> bool:
    """The answer of servers that do not refuse a range of an empty file."""
    request.send(200, b"")
    return True


def _other_time(archive: Archive, path: str) -> None:
    """The messages of an hour later, where the inventory leads to."""
    file = archive.root / path.lstrip("/")
    idx = file.with_name(file.name + ".idx")
    right = idx.read_text()
    write_file(file, datetime(2026, 6, 1, 2), 0)
    idx.write_text(right)


def _stray_byte(archive: Archive, path: str) -> None:
    """A byte after each message, as an off-by-one in someone's copy leaves it; right inventory."""
    file = archive.root / path.lstrip("/")
    idx = archive.root / (path + ".idx").lstrip("/")
    rows = [line.split(":", 2) for line in idx.read_text().splitlines()]
    offsets = [int(row[1]) for row in rows]
    content = file.read_bytes()
    ends = [*offsets[1:], len(content)]
    parts = [content[first:end] for first, end in zip(offsets, ends, strict=True)]
    file.write_bytes(b"\n".join(parts))
    moved = [f"{row[0]}:{int(row[1]) + number}:{row[2]}" for number, row in enumerate(rows)]
    idx.write_text("".join(line + "\n" for line in moved))


TROUBLES = (
    Trouble("403 Forbidden", _always(403), "403", definite=True),
    Trouble("404 Not Found", _always(404), "not in the archive", definite=True),
    Trouble("the file is not there", _remove_file, "not in the archive", definite=True),
    Trouble("500 Internal Server Error", _always(500), "500"),
    Trouble("503 once", lambda a, p: a.unavailable.update({p: 1}), None),
    Trouble("503 always", _always(503), "503"),
    Trouble("401 Unauthorized", _always(401), "401"),
    Trouble("connection reset in mid-body, twice", _fault(_times(2, _reset)), None),
    Trouble("connection reset in mid-body, always", _fault(_reset), "broke off|reset"),
    Trouble("body shorter than announced, always", lambda a, p: a.breaks.update({p: 99}), "broke"),
    Trouble("body shorter than asked for, once", _fault(_times(1, _short)), None),
    Trouble(
        "body shorter than asked for, always",
        _fault(_short),
        "ends 20 bytes before its inventory says",
        definite=True,
    ),
    Trouble(
        "Range ignored: 200 and the whole file",
        lambda a, p: a.faults.update({p: lambda r: r.send(200, r.whole) is None}),
        "ignores byte ranges",
    ),
    Trouble(
        "other bytes than the range",
        _fault(_other_range),
        "stale or of another file",
        definite=True,
    ),
    Trouble("a login page in place of the file", _fault(_page), "ignores byte ranges"),
    Trouble("garbage bytes", _fault(_garbage), "stale or of another file", definite=True),
    Trouble("a damaged message", _fault(_damaged), "cut off or damaged", definite=True),
    Trouble("the file is empty", _empty_file, "ends before byte", definite=True),
    Trouble("an empty file sent whole", _fault(_nothing), "ends before byte", definite=True),
    Trouble("the file is cut off", _cut_file, "before its inventory says", definite=True),
    Trouble("a stray byte after each message", _stray_byte, None),
    Trouble("no inventory", _remove_inventory, "has no inventory", definite=True),
    Trouble(
        "inventory: 403 Forbidden", _fault(_status(403), ".idx"), "no inventory", definite=True
    ),
    Trouble("inventory: 503 always", _fault(_status(503), ".idx"), "503"),
    Trouble("inventory empty", _inventory(lambda lines: []), "no valid line", definite=True),
    Trouble(
        "inventory stale: other offsets",
        _inventory(_shifted),
        "stale or of another file",
        definite=True,
    ),
    Trouble(
        "inventory stale: offsets beyond the end",
        _inventory(_beyond),
        "ends before byte",
        definite=True,
    ),
    Trouble(
        "inventory cut off",
        _inventory(lambda lines: [*lines[:3], lines[3][:12]]),
        "has no D2M, U10, V10",
        definite=True,
    ),
    Trouble(
        "inventory of another time",
        _inventory(lambda lines: [line.replace("2026060101", "2026060102") for line in lines]),
        "its inventory says 2026-06-01 02 UTC",
        definite=True,
    ),
    Trouble(
        "inventory of another lead",
        _inventory(lambda lines: [line.replace(":anl:", ":2 hour fcst:") for line in lines]),
        r"its inventory says 2026-06-01 01 UTC \+ 2 h",
        definite=True,
    ),
    Trouble("inventory of another file", _inventory(_swapped), "hold no|more than", definite=True),
    Trouble("a file of another time", _other_time, "its header says 2026-06-01 02", definite=True),
    Trouble("a login page in place of the inventory", _fault(_page, ".idx"), "sends a web page"),
    Trouble("slow drip", _fault(drip), "bytes came in"),
    Trouble("slow drip of the inventory", _fault(drip, ".idx"), "bytes came in"),
    Trouble("hang", _hang, "timed out"),
    Trouble("hang of the inventory", lambda a, p: a.hangs.add(p + ".idx"), "timed out"),
)
