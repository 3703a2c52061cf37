"""The options of the family cnn_transformer."""

from typing import Annotated, ClassVar

from pydantic import Field

from stormdraw.models.families import NetworkOptions, Norm, Role

HEAD_SIZE = 32


class Options(NetworkOptions):
    """The section `network` of a model's configuration.

    `channels` is the width of each level, the finest first; each further level has half the rows
    and columns. `layers` are those of the transformer. `frames` must equal the model's `history`.
    `norm` is `local`, at each point, or `group`, over the whole field.
    """

    roles: ClassVar[tuple[Role, ...]] = ("regressor",)
    halved: ClassVar[tuple[str, int]] = ("channels", HEAD_SIZE)
    channels: Annotated[
        list[Annotated[int, Field(ge=HEAD_SIZE, multiple_of=HEAD_SIZE)]], Field(min_length=2)
    ]
    frames: Annotated[int, Field(ge=1)] = 5
    layers: Annotated[int, Field(ge=1)] = 4
    norm: Norm = "group"
