"""The result of one of the doctor's checks."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

State = Literal["good", "note", "problem"]


@dataclass(frozen=True)
class Finding:
    """One line: `what` was checked and what was `found`.

    A "problem" stops a run, a "note" may not; both say what `to_do`.
    """

    state: State
    what: str
    found: str
    to_do: str = ""


def findings_text(findings: Iterable[Finding]) -> str:
    """The lines, each followed by what to do, if anything."""
    lines = []
    for finding in findings:
        lines.append(f"{finding.state:<8} {finding.what:<14} {finding.found}")
        if finding.to_do:
            lines.append(f"{'':<23} -> {finding.to_do}")
    return "\n".join(lines)
