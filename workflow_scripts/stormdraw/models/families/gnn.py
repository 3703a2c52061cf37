"""The options of the family gnn."""

from typing import Annotated, ClassVar

from pydantic import Field

from stormdraw.models.families import NetworkOptions, Role


class Options(NetworkOptions):
    """The section `network` of a model's configuration.

    `spacing` is the distance between mesh nodes in grid points, `scales` the number of levels of
    edges, each twice as long as those of the level before.
    """

    roles: ClassVar[tuple[Role, ...]] = ("regressor",)
    halved: ClassVar[tuple[str, int]] = ("latent", 8)
    latent: Annotated[int, Field(ge=8)] = 256
    layers: Annotated[int, Field(ge=1)] = 12
    spacing: Annotated[int, Field(ge=1)] = 4
    scales: Annotated[int, Field(ge=1)] = 4
