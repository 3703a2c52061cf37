"""The options of the family transformer."""

from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from stormdraw.models.families import NetworkOptions, Role


class Options(NetworkOptions):
    """The section `network` of a model's configuration.

    `positions` are the rows and columns of patches with a learned position; on another grid they
    are interpolated.
    """

    roles: ClassVar[tuple[Role, ...]] = ("regressor",)
    halved: ClassVar[tuple[str, int]] = ("layers", 1)
    learns_positions: ClassVar[bool] = True
    positions: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=2, max_length=2)]
    patch: Annotated[int, Field(ge=1)] = 8
    hidden: Annotated[int, Field(ge=8)]
    layers: Annotated[int, Field(ge=1)]
    heads: Annotated[int, Field(ge=1)]
    feed_forward: Annotated[int, Field(ge=8)]

    @model_validator(mode="after")
    def _heads_divide(self) -> "Options":
        if self.hidden % self.heads:
            raise ValueError(
                f"hidden is {self.hidden}, which {self.heads} heads do not divide; give a number "
                "of heads that divides it"
            )
        return self
