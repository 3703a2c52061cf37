"""Paths with fields in braces: `{init:%Y%m%d%H}`, `{lead:03d}`, `{member}`, `{variable}`."""

import functools
import glob
import re
import string
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stormdraw.errors import StormdrawError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

FIELDS = ("name", "variable", "init", "valid", "lead", "member")
_SAMPLE: dict[str, Any] = {
    "name": "a",
    "variable": "a",
    "init": datetime(2026, 6, 8, 6),
    "valid": datetime(2026, 6, 8, 9),
    "lead": 3,
    "member": 1,
}


# Of the URLs of buckets: Amazon's, Google's, Azure's.
_BUCKETS = ["s3", "gs", "az"]


def is_url(path: str) -> bool:
    """Whether fsspec knows where a path leads, rather than the file system."""
    return "://" in path


@dataclass(frozen=True)
class PathTemplate:
    """A path with fields in braces, formatted as Python does."""

    text: str

    @property
    def _parts(self) -> list[tuple[str, str | None, str | None, str | None]]:
        return list(string.Formatter().parse(self.text))

    @property
    def fields(self) -> frozenset[str]:
        """The names of the fields in the path."""
        return frozenset(field for _, field, _, _ in self._parts if field is not None)

    @property
    def told(self) -> frozenset[str]:
        """The names of the fields of which the path says all: of times, the hour and the day."""
        told = set(self.fields)
        for name in ("init", "valid"):
            time = _SAMPLE[name]
            others = (time + timedelta(hours=1), time + timedelta(days=1), time.replace(month=7))
            if any(self._parts_of(name, other) == self._parts_of(name, time) for other in others):
                told.discard(name)
        return frozenset(told)

    def _parts_of(self, name: str, value: Any) -> list[str]:
        return [format(value, form or "") for _, field, form, _ in self._parts if field == name]

    def check(self) -> None:
        """Raise ValueError for an unknown field, or for a format that does not fit one."""
        try:
            parts = self._parts
        except ValueError as error:
            raise ValueError(f"{self.text!r}: {error}") from None
        for _, field, format_, conversion in parts:
            if field is None:
                continue
            # Names only: `{init.__class__}` would reach into Python.
            if field not in FIELDS or conversion or "{" in (format_ or ""):
                known = ", ".join(f"{{{name}}}" for name in FIELDS)
                raise ValueError(f"{{{field}}} is no field of a path; known ones are {known}")
            try:
                format(_SAMPLE[field], format_ or "")
            except ValueError as error:
                raise ValueError(f"{{{field}:{format_}}}: {error}") from None

    def path(self, **values: Any) -> str:
        """The path of a file, with a value for each field in it."""
        return "".join(
            before + ("" if field is None else format(values[field], format_ or ""))
            for before, field, format_, _ in self._parts
        )

    def members(
        self,
        listed: Collection[str],
        choices: dict[str, Collection[Any]],
    ) -> list[int]:
        """The members of which a path is listed, in order.

        `choices` are the values that other fields may have.
        """
        pattern, seen = "", False
        for before, field, format_, _ in self._parts:
            pattern += re.escape(before)
            if field == "member":
                pattern += "(?P=member)" if seen else r"(?P<member>-?\d+)"
                seen = True
            elif field is not None:
                texts = {re.escape(format(value, format_ or "")) for value in choices[field]}
                pattern += f"(?:{'|'.join(sorted(texts))})"
        found = (re.fullmatch(pattern, path) for path in listed)
        return sorted({int(match["member"]) for match in found if match})

    def glob(self, **known: Any) -> str:
        """A pattern that matches the paths of all files; fields without a value are `*`."""
        return "".join(
            glob.escape(before)
            + ("" if field is None else self._known_or_star(field, format_ or "", known))
            for before, field, format_, _ in self._parts
        )

    @staticmethod
    def _known_or_star(field: str, format_: str, known: dict[str, Any]) -> str:
        return glob.escape(format(known[field], format_)) if field in known else "*"


@functools.cache
def register_buckets() -> None:
    """Let fsspec read buckets by obstore, whose settings are variables of the environment."""
    # Here, since most paths are local.
    from obstore.fsspec import register

    register(_BUCKETS)


def _file_system(url: str) -> "tuple[AbstractFileSystem, str]":
    register_buckets()
    import fsspec

    found: tuple[AbstractFileSystem, str] = fsspec.core.url_to_fs(url)
    return found


def listed(pattern: str) -> list[str]:
    """The paths that match a pattern, of files or of folders.

    Raises StormdrawError if a remote folder cannot be listed.
    """
    if not is_url(pattern):
        return sorted(glob.glob(pattern))
    try:
        system, inside = _file_system(pattern)
        return sorted(system.unstrip_protocol(found) for found in system.glob(inside))
    except Exception as error:  # of many kinds: each file system has its own
        raise StormdrawError(
            f"{pattern}: cannot be listed: {' '.join(str(error).split())}"
        ) from None


def is_there(path: str) -> bool:
    """Whether a file or folder exists.

    Raises StormdrawError if a remote place cannot be asked.
    """
    if not is_url(path):
        return Path(path).exists()
    try:
        system, inside = _file_system(path)
        return bool(system.exists(inside))
    except Exception as error:  # of many kinds: each file system has its own
        raise StormdrawError(f"{path}: cannot be reached: {' '.join(str(error).split())}") from None


def local_copy(path: str) -> str:
    """The path itself, or that of a temporary copy of a file that is elsewhere.

    Raises StormdrawError if it cannot be fetched.
    """
    if not is_url(path):
        return path
    register_buckets()
    import fsspec

    try:
        return str(fsspec.open_local(f"simplecache::{path}"))
    except Exception as error:  # of many kinds: each file system has its own
        raise StormdrawError(f"{path}: cannot be fetched: {' '.join(str(error).split())}") from None
