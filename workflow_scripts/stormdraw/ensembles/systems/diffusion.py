"""Members sampled step by step from a trained diffusion model of the next state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from stormdraw.ensembles.fit import require_sampler
from stormdraw.ensembles.system import FromModel, Sampled

if TYPE_CHECKING:
    from stormdraw.ensembles.drawing import CaseToDraw
    from stormdraw.ensembles.system import Models
    from stormdraw.settings import Settings


class DiffusionSystem(FromModel, Sampled):
    """Members sampled step by step from a trained diffusion model of the next state."""

    method: Literal["diffusion"]
    noise_by_variable = True

    def passes(self, run: Settings, models: Models) -> dict[str, int]:
        """The sampler's evaluations for every hour to the longest lead."""
        return {self.model: self.calls * max(run.leads)}

    def check_models(self, run: Settings, models: Models) -> None:
        """Also checks the sampler and its steps."""
        super().check_models(run, models)
        require_sampler(self, self.model, models[self.model])

    def draw(self, made: CaseToDraw) -> None:
        """Members (member, lead, y, x); see `FromModel.draw`."""
        from stormdraw.ensembles.diffusion import Sampling, write_diffusion

        how = Sampling(**vars(made.rollout), sampler=self.sampler, steps=self.steps, eta=self.eta)
        files = (made.drawn.checkpoint, made.drawn.states, made.drawn.static)
        to = (made.output, made.settings)
        write_diffusion(*files, made.case, how, *to, made.threads, made.driving)


SYSTEM = DiffusionSystem
