"""A row of the table of variables."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from stormdraw.grib_keys import Grib
from stormdraw.section import Section

Transform = Literal["identity", "signed_sqrt", "log1p"]
# The products of a base model by what they hold: fields on single levels, on pressure levels, and
# on the model's own levels.
Product = Literal["sfc", "prs", "nat"]
Regridding = Literal["bilinear", "nearest", "conservative"]

# Of `colours`: those of radar displays (`stormdraw.report.field_colours`).
REFLECTIVITY_COLOURS = "reflectivity"

# States consist of variables of the role `state`; `derived` ones are computed from these, and
# `static` ones never change.
Role = Literal["state", "derived", "static"]


class Variable(Section):
    """One row of the table.

    `lower` and `upper` are physical bounds in `units`; `floor` is the bound that means "nothing
    there", which must not be interpolated between points. `decibel` is true for logarithmic values,
    which are averaged as power. `precision` is the step of the archive's packing. `product` is that
    of the base model which holds the variable. `y_component` names the y component of the vector
    whose x component this is. `colours` is a colour map of matplotlib, or `reflectivity`.
    `thresholds` are those of `scores.thresholds` where a configuration has no such key.
    """

    name: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]*$")]
    role: Role = "state"
    long_name: str
    standard_name: str | None = None
    units: str
    grib: Grib
    lower: float
    upper: float
    precision: Annotated[float, Field(gt=0)]
    floor: float | None = None
    regridding: Regridding = "bilinear"
    decibel: bool = False
    transform: Transform = "identity"
    product: Product = "sfc"
    y_component: str | None = None
    colours: str = "viridis"
    thresholds: tuple[float, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> "Variable":
        if self.lower >= self.upper:
            raise ValueError(f"lower ({self.lower:g}) must be less than upper ({self.upper:g})")
        if self.floor not in (None, self.lower, self.upper):
            raise ValueError(
                f"floor ({self.floor:g}) must be lower ({self.lower:g}) or upper ({self.upper:g})"
            )
        for value in self.thresholds:
            if not self.lower <= value <= self.upper:
                raise ValueError(
                    f"thresholds: {value:g} is not between lower ({self.lower:g}) and upper "
                    f"({self.upper:g})"
                )
        if self.floor is not None and self.regridding == "bilinear":
            raise ValueError(
                "regridding must be nearest where there is a floor, which is no value to "
                "interpolate, or conservative for amounts"
            )
        if self.decibel and self.regridding == "conservative":
            raise ValueError(
                "regridding must be nearest for decibels, which conservative would average as "
                "plain numbers"
            )
        if self.y_component is not None and self.regridding != "bilinear":
            raise ValueError("regridding must be bilinear for a vector, which is also rotated")
        if self.decibel and self.floor is None:
            raise ValueError("decibel needs a floor, the value of no power at all")
        return self

    @property
    def inventory(self) -> str:
        """The variable and its level as a regular expression over a line of an inventory."""
        return self.grib.inventory

    @property
    def gaussian(self) -> bool:
        """Whether members spread about their mean much as a Gaussian does, at any value of it:
        nothing lies at a floor, and no transform is needed.

        Of such a variable alone the departure from the mean may be multiplied: that of a storm
        would make it stronger.
        """
        return self.floor is None and self.transform == "identity"

    def inventory_pattern(self, lead: int) -> str:
        """A regular expression for this variable at `lead` hours.

        The forecast column must be exactly that of the row: `anl` or `N hour fcst` for a point in
        time, which excludes sub-hourly steps (`15 min fcst`), and `4-5 hour acc fcst` for the last
        hour, which excludes the sum over the run (`0-5 hour acc fcst`). No line has a statistic
        over more hours than the run has had.
        """
        column = self.grib.forecast_column(lead)
        if column is None:
            return "(?!)"
        return f":{self.inventory}:{'(?:anl|0 hour fcst)' if column == 'anl' else column}:"

    @property
    def shortest_lead(self) -> int:
        """The shortest lead, in hours, at which there is a value: an analysis has no last hour.

        The forecast of this lead is what learning and truth take in place of the analysis.
        """
        return 0 if self.grib.instantaneous else self.grib.hours
