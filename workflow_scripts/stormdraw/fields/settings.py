"""The section `fields` of a configuration."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from stormdraw.section import Section
from stormdraw.variables import StaticName

Store = Literal["fast", "compact"]
Suspicious = Literal["keep", "mask"]
RadarCells = Literal["average", "maximum"]


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
    """The target grid, static fields, and how fields are checked and stored.

    `coarsen` averages blocks of that many points per side, after the crop. `suspicious` is the
    treatment of values outside the physical bounds; they are counted in any case. `store` is `fast`
    to read, or `compact` on disk. `radar_cells` is what a point of the target grid takes of the
    finer points of a radar mosaic around it: the average of their power, or the maximum.
    """

    crop: Crop | None = None
    coarsen: Annotated[int, Field(ge=1, le=100)] = 1
    suspicious: Suspicious = "mask"
    store: Store = "fast"
    radar_cells: RadarCells = "average"
    static: list[StaticName] = ["OROG"]

    @field_validator("static")
    @classmethod
    def _each_once(cls, names: list[str]) -> list[str]:
        if len(set(names)) < len(names):
            raise ValueError(f"give each field once: {', '.join(names)}")
        return names
