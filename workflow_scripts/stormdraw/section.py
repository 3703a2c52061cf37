"""The common base of the sections of a configuration."""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
)

from stormdraw.times import parse_init

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


def _hour(given: Any) -> datetime:
    """A time in UTC from any of its spellings as YAML reads them.

    `2026060806` is a time as in folder names; YAML reads it as a number. Other numbers are errors:
    pydantic alone would count them in seconds from 1970.
    """
    time: datetime | None = None
    try:
        if isinstance(given, datetime):
            time = given
        elif isinstance(given, date):
            time = datetime(given.year, given.month, given.day)
        elif re.fullmatch(r"\d{10}", str(given)):
            time = parse_init(str(given))
        elif isinstance(given, str) and not re.fullmatch(r"\d*", given):
            time = datetime.fromisoformat(given)
    except ValueError:
        pass
    if time is None:
        raise ValueError(f"{given} is not a time; write it as 2026-06-08T06:00 or 2026060806")
    if time.tzinfo is not None:
        time = time.replace(tzinfo=None) - (time.utcoffset() or timedelta(0))
    if (time.minute, time.second, time.microsecond) != (0, 0, 0):
        raise ValueError(f"{time} is not on the hour")
    return time


Hour = Annotated[
    datetime,
    BeforeValidator(_hour),
    WithJsonSchema(
        {
            "type": ["string", "integer"],
            "description": "a time in UTC on the hour: 2026-06-08T06:00 or 2026060806",
        }
    ),
]


def _last_hour(given: Any) -> Any:
    """A date without an hour is the last hour of that day; other times are as they are."""
    if isinstance(given, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", given.strip()):
        return f"{given.strip()}T23:00"
    if isinstance(given, date) and not isinstance(given, datetime):
        return datetime(given.year, given.month, given.day, 23)
    return given


# Validators run from the last to the first: this one before that of Hour.
LastHour = Annotated[Hour, BeforeValidator(_last_hour)]


class Section(BaseModel):
    """A section of the configuration: unknown keys are errors, values are immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


# Messages that replace pydantic's own, by the type of the finding.
_MESSAGES = {
    "extra_forbidden": "unknown key (see config/README.md for the known ones)",
    "union_tag_not_found": "lacks the key {discriminator}, which says what it is",
    "union_tag_invalid": "{discriminator} is {tag!r}, but it must be one of {expected_tags}",
    **dict.fromkeys(
        ("model_type", "model_attributes_type", "dict_type"),
        "must have keys of its own, but is {given!r} (see config/README.md)",
    ),
}


def explain(error: ValidationError) -> str:
    """Pydantic's findings in one line: `key: what is wrong; key: ...`."""
    return "; ".join(text for _, text in findings(error))


def findings(error: ValidationError) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Each of pydantic's findings: its location as keys and numbers, and `key: what is wrong`."""
    for finding in error.errors():
        key = ".".join(str(part) for part in finding["loc"])
        message = finding["msg"].removeprefix("Value error, ")
        if finding["type"] in _MESSAGES:
            words = _MESSAGES[finding["type"]]
            message = words.format(given=finding["input"], **finding.get("ctx", {}))
        yield finding["loc"], f"{key}: {message}" if key else message
