"""One file a family of networks, of the name of its network's; see `stormdraw.models.registry`.

A file has what a configuration may say of the family. It does not import torch: configurations are
read far more often than networks are made.
"""

from typing import ClassVar, Literal

from stormdraw.section import Section

# Of each point by itself, or over the whole field.
Norm = Literal["local", "group"]
Role = Literal["denoiser", "regressor", "generator", "downscaler"]


class NetworkOptions(Section):
    """The section `network` of a model's configuration, and the role of a family's networks."""

    role: ClassVar[Role]
