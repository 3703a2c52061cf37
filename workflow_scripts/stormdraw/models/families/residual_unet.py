"""The options of the family residual_unet."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from stormdraw.models.families import NetworkOptions, Role


class Options(NetworkOptions):
    """The section `network` of a model's configuration.

    `width` is the number of channels on the full grid and `depth` how often the grid is halved:
    level l of these, counted from 0, has (l + 1) times `width` channels. The coarsest `attention`
    levels have attention. `noise` is the number of channels of noise that a generator gets.
    `displacements` is the number of channel groups, each with its own displacement, in which the
    finest level's features are moved (`models/advection.py`); 0 moves none.
    """

    roles: ClassVar[tuple[Role, ...]] = ("denoiser", "generator", "regressor")
    halved: ClassVar[tuple[str, int]] = ("width", 8)
    width: Annotated[int, Field(ge=8, multiple_of=8)] = 16
    depth: Annotated[int, Field(ge=1, le=8)] = 3
    attention: Annotated[int, Field(ge=0, le=2)] = 1
    noise: Annotated[int, Field(ge=1)] = 8
    # Divisors of 8, and thus of every width.
    displacements: Literal[0, 1, 2, 4, 8] = 0

    @model_validator(mode="after")
    def _no_attention_on_the_full_grid(self) -> "Options":
        if self.attention > self.depth:
            raise ValueError(
                f"attention is {self.attention}, but only {self.depth} levels (depth) are coarser "
                "than the grid; give fewer"
            )
        return self
