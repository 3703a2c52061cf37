"""Members of a deterministic forecaster, whose state a diffusion model perturbs every hour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from stormdraw.ensembles.fit import require_forecaster, require_sampler
from stormdraw.ensembles.system import FromModel, Sampled
from stormdraw.errors import StormdrawError
from stormdraw.section import Name
from stormdraw.variables import StateName

if TYPE_CHECKING:
    from stormdraw.ensembles.drawing import CaseToDraw
    from stormdraw.ensembles.system import Models
    from stormdraw.settings import Settings


class DefSystem(FromModel, Sampled):
    """Members of a deterministic forecaster, whose state a diffusion model perturbs every hour.

    `guidance` is the w of Millard et al. (2025): the smaller, the more a perturbed state may differ
    from its origin. `walks` is the number of successive perturbations.
    """

    method: Literal["def"]
    noise_by_variable = True
    forecaster: Name | None = None
    guidance: Annotated[float, Field(ge=0, le=10)] = 0.5
    walks: Annotated[int, Field(ge=1, le=10)] = 1
    restandardise: list[StateName] = Field(default=[])

    def passes(self, run: Settings, models: Models) -> dict[str, int]:
        """The evaluations of every walk and one pass of the forecaster, for every hour.

        The network is evaluated with and without the condition, unless only one of them counts.
        """
        branches = 1 if self.guidance in (0.0, 1.0) else 2
        states = max(run.leads)
        return {
            self.model: branches * self.calls * self.walks * states,
            self.stepping(models): states,
        }

    def noisy(self, run: Settings) -> list[str]:
        """The predicted variables: only the state is perturbed."""
        return list(run.roles.predicted)

    def check(self, run: Settings) -> None:
        """Also checks the variables to restandardise."""
        super().check(run)
        state = run.roles.predicted
        unknown = [name for name in self.restandardise if name not in state]
        if unknown:
            raise ValueError(
                f"restandardises {', '.join(unknown)}, but the run's variables are "
                f"{', '.join(state)}; remove it from `restandardise`"
            )

    def stepping(self, models: Models) -> str:
        """The forecaster of the system, or else the one its model was trained for."""
        return require_forecaster(self.forecaster or models[self.model].forecaster, models)

    def check_models(self, run: Settings, models: Models) -> None:
        """Also checks the sampler and its steps."""
        super().check_models(run, models)
        require_sampler(self, self.model, models[self.model])

    def draw(self, made: CaseToDraw) -> None:
        """Members (member, lead, y, x); see `FromModel.draw`."""
        from stormdraw.ensembles.perturbed import Perturbing, write_def
        from stormdraw.ensembles.rollout import Inputs

        drawn = made.drawn
        if drawn.forecaster is None:
            raise StormdrawError(f"system {self.name}: there is no checkpoint of its forecaster")
        how = Perturbing(
            **vars(made.rollout),
            sampler=self.sampler,
            steps=self.steps,
            eta=self.eta,
            guidance=self.guidance,
            walks=self.walks,
            restandardise=tuple(self.restandardise),
        )
        checkpoints = (drawn.checkpoint, drawn.forecaster)
        inputs = Inputs(drawn.states, drawn.static, made.driving)
        write_def(checkpoints, inputs, made.case, how, made.output, made.settings, made.threads)


SYSTEM = DefSystem
