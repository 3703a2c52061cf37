"""One file a family of networks, of the name of its network's; see `stormdraw.models.registry`.

A file has what a configuration may say of the family. It does not import torch: configurations are
read far more often than networks are made.
"""

from typing import ClassVar, Literal, Self

from stormdraw.section import Section

# Of each point by itself, or over the whole field.
Norm = Literal["local", "group"]
Role = Literal["denoiser", "regressor", "generator", "downscaler"]


class NetworkOptions(Section):
    """The section `network` of a model's configuration, and what is true of a family's networks.

    `halved` is the option of which a smaller network has half, a number or a list of them, and what
    it has to be a multiple of. Networks that learn places have weights for each place of the
    domain, which they would learn for other places from crops.
    """

    role: ClassVar[Role]
    halved: ClassVar[tuple[str, int]]
    learns_places: ClassVar[bool] = False

    def smaller(self) -> Self | None:
        """The options of the same network at half its size; None if there is none."""
        option, multiple = self.halved

        def half(size: int) -> int:
            return max(multiple, size // 2 // multiple * multiple)

        present = getattr(self, option)
        smaller = [half(size) for size in present] if isinstance(present, list) else half(present)
        return None if smaller == present else self.model_copy(update={option: smaller})
