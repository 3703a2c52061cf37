"""What can be wrong with a file of an archive, told apart from what is wrong with the network.

A *fault* is definite: it is of that file, and asking again will not help. So a file with a fault is
as good as absent. Whatever else goes wrong (no answer, an answer that breaks off, a server that
fails) says nothing about the file, which may be there tomorrow.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from stormdraw.errors import StormdrawError


@dataclass(frozen=True)
class Fault:
    """What is wrong with a file, and what a user can do about it."""

    finding: str
    advice: str = "replace the file, or take another source"


NOT_THERE = Fault("is not there", "add another source to archive.source")


@dataclass(frozen=True)
class Found:
    """Whole messages of a file, which may be those that are wanted.

    `lacking` has what is known to be wrong with single variables, `damage` what is wrong with parts
    of the file that could have held any.
    """

    messages: list[bytes] = field(default_factory=list)
    damage: list[Fault] = field(default_factory=list)
    lacking: dict[str, Fault] = field(default_factory=dict)


class FaultyFileError(StormdrawError):
    """A file at `origin` of which nothing that was wanted is usable."""

    def __init__(self, origin: str, fault: Fault) -> None:
        super().__init__(f"{origin}: {fault.finding}; {fault.advice}")
        self.origin = origin
        self.fault = fault


class UnreachableError(StormdrawError):
    """A source that does not answer at all."""


class AbsentFileError(StormdrawError):
    """A file that no source has, or none without a fault.

    `looked_at` is the first address that it was looked for at, or empty. `reason` is why it counts
    as absent.
    """

    def __init__(self, message: str, looked_at: str, reason: str) -> None:
        super().__init__(message)
        self.looked_at = looked_at
        self.reason = reason


def together(faults: Iterable[Fault]) -> Fault:
    """Several faults as one, each told once."""
    different = list(dict.fromkeys(faults))
    findings = dict.fromkeys(fault.finding for fault in different)
    return Fault(", and ".join(findings), different[0].advice)
