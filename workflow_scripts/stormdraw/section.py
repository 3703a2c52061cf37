"""What the parts of a configuration have in common."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]

Hour = Annotated[datetime, Field(description="a time in UTC on the hour, e.g. 2026-06-08T06:00")]


class Section(BaseModel):
    """A part of the configuration: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def explain(error: ValidationError) -> str:
    """Pydantic's findings in one line: `key: what is wrong; key: ...`."""
    return "; ".join(text for _, text in findings(error))


def findings(error: ValidationError) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Each finding of Pydantic's: where it is, as keys and numbers, and `key: what is wrong`."""
    for finding in error.errors():
        key = ".".join(str(part) for part in finding["loc"])
        message = finding["msg"].removeprefix("Value error, ")
        if finding["type"] == "extra_forbidden":
            message = "unknown key (see config/README.md for the known ones)"
        yield finding["loc"], f"{key}: {message}" if key else message
