"""The part `fields` of a configuration."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from stormdraw.section import Section
from stormdraw.variables import STATIC_VARIABLES

Store = Literal["fast", "compact"]
Suspicious = Literal["keep", "mask"]


class Crop(Section):
    """Rows and columns of the archive's grid to keep, each [first, end)."""

    rows: tuple[Annotated[int, Field(ge=0)], int]
    columns: tuple[Annotated[int, Field(ge=0)], int]

    @field_validator("rows", "columns")
    @classmethod
    def _ordered(cls, bounds: tuple[int, int]) -> tuple[int, int]:
        if bounds[1] < bounds[0] + 2:
            raise ValueError(f"{list(bounds)} must be [first, end), with two points or more in it")
        return bounds


class Fields(Section):
    """The target grid and what lies on it besides the state.

    `coarsen` averages blocks of so many points a side, after the crop. `suspicious` says what
    becomes of values outside the table's physical bounds; they are counted either way. `store` is
    `fast` to read, or `compact` on disk.
    """

    crop: Crop | None = None
    coarsen: Annotated[int, Field(ge=1, le=100)] = 1
    suspicious: Suspicious = "mask"
    store: Store = "fast"
    static: list[Literal[STATIC_VARIABLES]] = ["OROG"]  # type: ignore[valid-type]

    @field_validator("static")
    @classmethod
    def _each_once(cls, names: list[str]) -> list[str]:
        if len(set(names)) < len(names):
            raise ValueError(f"give each field once: {', '.join(names)}")
        return names
