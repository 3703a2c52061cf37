"""Stretches of hours: a forecast that is drawn one after the other, for its first maps to be there
before its last lead is drawn.

Each goes on from the last states of the one before. The random numbers of a member depend on the
hour, not on the stretch, so members are the same as of one stretch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch

from stormdraw.files import replacing

_FILE = "states_{first:04d}_{last:04d}.pt"


@dataclass(frozen=True)
class Stretch:
    """The hours of a forecast from `first` to `last`, which is a lead.

    `before` is the folder with the last states of the hours before, if there are any, and `after`
    an existing one that gets those of these hours, if others follow.
    """

    first: int
    last: int
    before: Path | None = None
    after: Path | None = None

    def __str__(self) -> str:
        return f"{self.first:03d}_{self.last:03d}"

    def leads_of(self, leads: Sequence[int]) -> list[int]:
        """Those of some leads that are among these hours."""
        return [lead for lead in leads if self.first <= lead <= self.last]


def stretches_of(leads: Sequence[int], ends: Sequence[int]) -> list[Stretch]:
    """The stretches of a forecast, of which all but the last end at the leads `ends`."""
    borders = [0, *ends, max(leads)]
    return [Stretch(before + 1, last) for before, last in pairwise(borders)]


@dataclass(frozen=True)
class LastStates:
    """What the next hour of some members is drawn from.

    `states` are those of the last hours, each (B, V, Y, X), the oldest first; `noise` is what that
    of the next hour is correlated with, a draw each, (B, N, Y, X).
    """

    states: list[torch.Tensor]
    noise: list[torch.Tensor]

    def write(self, folder: Path, members: range) -> None:
        """Write a file of these members, as exact as they are."""
        with replacing(folder / _FILE.format(first=members[0], last=members[-1])) as temporary:
            content = {"members": list(members), "states": self.states, "noise": self.noise}
            torch.save(content, temporary)

    @classmethod
    def read(cls, folder: Path, members: range, device: torch.device) -> "LastStates":
        """Those of some members, whichever were drawn together before."""
        files = [
            torch.load(path, map_location="cpu", weights_only=True, mmap=True)
            for path in files_of_states(folder)
        ]
        place = {member: (file, k) for file in files for k, member in enumerate(file["members"])}

        def gathered(kind: str) -> list[torch.Tensor]:
            of_members = [(file[kind], k) for file, k in map(place.__getitem__, members)]
            return [
                torch.cat([fields[index][k : k + 1] for fields, k in of_members]).to(device)
                for index in range(len(of_members[0][0]))
            ]

        return cls(gathered("states"), gathered("noise"))


def files_of_states(folder: Path) -> Iterator[Path]:
    """The files of last states in a folder."""
    yield from sorted(folder.glob("states_*.pt"))
