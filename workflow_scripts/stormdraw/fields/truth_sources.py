"""What a day of the truth is read from: the archive, files of others, and analyses."""

import functools
import logging
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from stormdraw.archive.truth import Codes
from stormdraw.errors import StormdrawError
from stormdraw.external.reading import open_state
from stormdraw.external.settings import ExternalFiles
from stormdraw.fields.decoding import Messages, Read
from stormdraw.fields.mosaic import cells
from stormdraw.fields.regridding import regridder
from stormdraw.fields.settings import Fields
from stormdraw.fields.source_fields import SourceField
from stormdraw.fields.states import StateReader, absent_times
from stormdraw.fields.target import Checks, Target
from stormdraw.fields.writing import Piece, read_together

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class VariableTruth:
    """The name of the truth of a variable, and what its values mean.

    `no_echo` is what its model writes where there is no echo (dBZ); None if that is unknown, and
    for the analyses, which were aligned before. `codes` are those of a radar mosaic. `files` are
    those of an external truth.
    """

    title: str
    no_echo: float | None = None
    codes: Codes | None = None
    files: ExternalFiles | None = None


class Source(ABC):
    """Where the truth of some variables comes from."""

    def __init__(self, truths: Mapping[str, VariableTruth], settings: Fields) -> None:
        self.truths = truths
        self.names = tuple(truths)
        self.settings = settings

    @property
    def times(self) -> list[datetime]:
        """The times that it lists."""
        return []

    @abstractmethod
    def has(self, valid: datetime) -> bool:
        """Whether it has anything at a time."""

    @abstractmethod
    def read(self, valid: datetime, group: tuple[str, ...]) -> Read | None:
        """A function that reads variables at a time; None if they are not there."""

    def pieces(self, index: int, valid: datetime) -> list[Piece]:
        """All that it has of a time, which has an index in the file."""
        return [
            Piece((index,), group, self._checks(valid, group), self.read(valid, group))
            for group in self._groups()
        ]

    def _groups(self) -> list[tuple[str, ...]]:
        return read_together(self.names)

    def _checks(self, valid: datetime, group: tuple[str, ...]) -> Checks:
        return Checks(valid, self.settings.suspicious, no_echo=self.truths[group[0]].no_echo)


class OfArchive(Source):
    """Messages that a manifest lists. A radar mosaic is put on cells of the target's points."""

    def __init__(
        self,
        messages: Messages,
        truths: Mapping[str, VariableTruth],
        target: Target,
        settings: Fields,
    ) -> None:
        listed = set(messages.table["variable"])
        super().__init__({n: one for n, one in truths.items() if n in listed}, settings)
        self._messages, self._target = messages, target
        self._by_time = {one.valid: one for one in messages.by_valid_time()}

    @property
    def times(self) -> list[datetime]:
        return list(self._by_time)

    def has(self, valid: datetime) -> bool:
        return valid in self._by_time and self._by_time[valid].any_of(self.names)

    def read(self, valid: datetime, group: tuple[str, ...]) -> Read | None:
        if valid not in self._by_time:
            return None
        read, codes = self._messages.reading(self._by_time[valid], group), self._codes(group)
        if read is None or codes is None:
            return read
        return functools.partial(_mosaic, read, self._target, codes, self.settings)

    def warn_of_points_outside(self) -> None:
        """Log how many points of the target each truth does not cover."""
        for title in dict.fromkeys(one.title for one in self.truths.values()):
            names = [name for name, one in self.truths.items() if one.title == title]
            grid = self._messages.first_grid(list(self._by_time.values()), names)
            if grid is not None and (outside := regridder(grid, self._target.points).outside.size):
                points = self._target.points.shape[0] * self._target.points.shape[1]
                logger.warning("%s has no value at %d of %d points", title, outside, points)

    def _codes(self, group: tuple[str, ...]) -> Codes | None:
        return self.truths[group[0]].codes


class OfExternalFiles(Source):
    """Files of others, all variables in the same ones. They may lack hours if that is allowed."""

    def __init__(
        self,
        truths: Mapping[str, VariableTruth],
        settings: Fields,
        may_be_absent: bool,
        excluded: Collection[datetime],
    ) -> None:
        super().__init__(truths, settings)
        files = next(iter(truths.values())).files
        if files is None:
            raise ValueError("the truths are not in files of others")
        self._files = files
        self._may_be_absent = may_be_absent
        self._excluded = excluded

    def has(self, valid: datetime) -> bool:
        if valid in self._excluded:
            return False
        with open_state(self._files, _NAME, valid, self.names) as state:
            return state.grid is not None

    def read(self, valid: datetime, group: tuple[str, ...]) -> Read | None:
        return None if valid in self._excluded else functools.partial(self._fields, valid, group)

    def _fields(self, valid: datetime, group: tuple[str, ...]) -> list[SourceField]:
        with open_state(self._files, _NAME, valid, group) as state:
            fields = {name: state.field(name) for name in group}
            lacking = [name for name, values in fields.items() if values is None]
            if lacking and not self._may_be_absent:
                raise StormdrawError(
                    f"archive.truth: there is no {', '.join(lacking)} of {valid:%Y-%m-%d %H} UTC; "
                    f"expected it in {state.origin(lacking[0])}: add it, or set archive.missing "
                    "to skip to do without that hour"
                )
            if lacking or state.grid is None:
                return []
            return [
                SourceField(name, values, state.grid, state.origin(name), state.grid_relative_winds)
                for name, values in fields.items()
                if values is not None
            ]


class OfAnalyses(Source):
    """Analyses that are on the target grid already, and were checked when they were written."""

    def __init__(
        self,
        paths: Sequence[Path],
        truths: Mapping[str, VariableTruth],
        target: Target,
        settings: Fields,
    ) -> None:
        super().__init__(truths, settings)
        self._target = target
        self._states = StateReader(paths, self.names)
        self._absent = absent_times(paths)

    def has(self, valid: datetime) -> bool:
        return valid not in self._absent

    def read(self, valid: datetime, group: tuple[str, ...]) -> Read | None:
        return functools.partial(self._fields, valid) if self.has(valid) else None

    def _fields(self, valid: datetime) -> list[SourceField]:
        origin = str(self._states.path_of(valid))
        return [
            SourceField(name, values, self._target.grid, origin)
            for name, values in zip(self._states.names, self._states.read(valid), strict=True)
        ]

    def _groups(self) -> list[tuple[str, ...]]:
        return [self.names]

    def _checks(self, valid: datetime, group: tuple[str, ...]) -> Checks:
        return Checks(valid, self.settings.suspicious, bounded=False)


# What stands for `{name}` in paths.
_NAME = "truth"


def _mosaic(read: Read, target: Target, codes: Codes, settings: Fields) -> list[SourceField]:
    """A radar mosaic by the cells of the target's points, whose values are all dBZ."""
    return [
        replace(
            field,
            values=cells(field.grid, target.points).place(field, codes, settings.radar_cells),
            grid=target.points,
        )
        for field in read()
    ]
