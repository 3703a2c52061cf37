"""The options of the families of networks, one file each; see `stormdraw.models.registry`.

These files do not import torch: configurations are read far more often than networks are built.
"""

from typing import ClassVar, Literal, Self

from stormdraw.section import Section

# At each point, or over the whole field.
Norm = Literal["local", "group"]
Role = Literal["denoiser", "regressor", "generator", "downscaler"]


class NetworkOptions(Section):
    """The section `network` of a model's configuration, and properties of a family's networks.

    `roles` are those that they can have. `halved` names the option that a smaller network halves, a
    number or a list of them, and the number it must be a multiple of. `learns_positions` is true
    for networks with weights for each position in the domain, which cannot be learned from crops.
    """

    roles: ClassVar[tuple[Role, ...]]
    halved: ClassVar[tuple[str, int]]
    learns_positions: ClassVar[bool] = False

    def smaller(self) -> Self | None:
        """The options of the same network at half its size; None if it cannot be smaller."""
        option, multiple = self.halved

        def half(size: int) -> int:
            return max(multiple, size // 2 // multiple * multiple)

        present = getattr(self, option)
        smaller = [half(size) for size in present] if isinstance(present, list) else half(present)
        return None if smaller == present else self.model_copy(update={option: smaller})
