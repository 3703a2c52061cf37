"""What the parts of a configuration have in common."""

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
    findings = []
    for finding in error.errors():
        key = ".".join(str(part) for part in finding["loc"])
        message = finding["msg"].removeprefix("Value error, ")
        if finding["type"] == "extra_forbidden":
            message = "unknown key (see config/README.md for the known ones)"
        findings.append(f"{key}: {message}" if key else message)
    return "; ".join(findings)
