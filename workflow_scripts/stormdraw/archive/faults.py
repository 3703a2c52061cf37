"""What can be wrong with a file of an archive, as opposed to the network.

A *fault* is definite: it belongs to the file, and asking again will not help. A file with a fault
is as good as absent. Other failures (no answer, an interrupted answer, a server error) say nothing
about the file, which may be available later.
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
    """Complete messages of a file that may be the wanted ones.

    `lacking` has the known faults of single variables, `damage` the faults of parts of the file
    that could have held any variable.
    """

    messages: list[bytes] = field(default_factory=list)
    damage: list[Fault] = field(default_factory=list)
    lacking: dict[str, Fault] = field(default_factory=dict)


class FaultyFileError(StormdrawError):
    """A file at `origin` without any usable wanted message."""

    def __init__(self, origin: str, fault: Fault) -> None:
        super().__init__(f"{origin}: {fault.finding}; {fault.advice}")
        self.origin = origin
        self.fault = fault


class UnreachableError(StormdrawError):
    """A source that does not respond at all."""


class AbsentFileError(StormdrawError):
    """A file that no source has without fault.

    `looked_at` is the first address that was tried, or empty. `reason` is why the file counts as
    absent.
    """

    def __init__(self, message: str, looked_at: str, reason: str) -> None:
        super().__init__(message)
        self.looked_at = looked_at
        self.reason = reason


def together(faults: Iterable[Fault]) -> Fault:
    """Several faults as one, without repetition."""
    different = list(dict.fromkeys(faults))
    findings = dict.fromkeys(fault.finding for fault in different)
    return Fault(", and ".join(findings), different[0].advice)
