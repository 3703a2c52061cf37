"""Format numbers, units and configurations for the page."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from stormdraw.variables import variable

MINUS = "\N{MINUS SIGN}"
# A narrow no-break space keeps a number and its unit on one line.
NARROW = "\N{NARROW NO-BREAK SPACE}"
NOTHING = "\N{EN DASH}"


def units_text(name: str) -> str:
    """The units of a variable: 'm s-1' -> 'm s⁻¹'."""
    return variable(name).units.replace("-1", "⁻¹")


def plural(count: int, noun: str) -> str:
    """'1 case', '2 cases'."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def counted(counts: Sequence[int], noun: str) -> str:
    """'4 cases', or '3 to 4 cases' if the counts differ."""
    low, high = min(counts), max(counts)
    return plural(low, noun) if low == high else f"{low:,} to {high:,} {noun}s"


def skill_text(skill: float) -> str:
    """0.128 -> '+13 %', with a proper minus sign and never '-0 %'."""
    per_cent = round(100 * skill)
    return f"{'+' if per_cent > 0 else MINUS if per_cent < 0 else ''}{abs(per_cent):,}{NARROW}%"


def share_text(share: float) -> str:
    """A share above 0: 0.123 -> '12 %', 0.001 -> 'under 1 %'."""
    return f"{100 * share:.0f}{NARROW}%" if share >= 0.01 else f"under 1{NARROW}%"


def digits(value: float) -> str:
    """Three significant digits, no exponent, a proper minus sign: 0.0123, 1.23, 123."""
    if not math.isfinite(value):
        return NOTHING
    if value == 0.0:
        return "0"
    decimals = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{decimals}f}".replace("-", MINUS)


def size_text(count: float) -> str:
    """A number of bytes in suitable units: 3.2 MiB."""
    for unit, step in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= step:
            return f"{count / step:.3g} {unit}"
    return f"{count:.0f} bytes"


def duration_text(seconds: float) -> str:
    """A duration in suitable units: 45 s, 12.5 min, 3.2 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def as_yaml(content: Mapping[str, Any]) -> str:
    """A configuration as YAML, with its keys in their original order."""
    plain = json.loads(json.dumps(content, default=str))
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=90)
