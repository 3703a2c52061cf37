"""Members with fine values from trained downscalers, around the block means of a forecast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from stormdraw.archive.base_model import base_model_names
from stormdraw.ensembles.fit import require_downscalers, require_sampler
from stormdraw.ensembles.reach import SIX_RUNS, Ages, BaseForecast, LaggedRuns, ReferenceMembers
from stormdraw.ensembles.system import Drawing, Forecasts, NoiseAmplitude, Sampled
from stormdraw.section import Name

if TYPE_CHECKING:
    from stormdraw.ensembles.files import Case
    from stormdraw.ensembles.system import Models
    from stormdraw.settings import Settings


# The base model may be called by its own name.
if TYPE_CHECKING:
    Source = str
else:
    Source = Literal[("base_model", *base_model_names(), "lagged", "reference")]


class DownscaleSystem(Drawing, Sampled):
    """Members with fine values from trained downscalers, around the block means of a forecast.

    The forecast is the base model's own, those of its older runs by their `ages`, or the
    reference's members; member k is made from forecast k modulo their number. Each of `models`
    downscales one variable, and the system has only these variables.
    """

    method: Literal["downscale"]
    models: Annotated[list[Name], Field(min_length=1)]
    source: Source = "base_model"
    ages: Ages = Field(default=SIX_RUNS)
    noise_amplitude: NoiseAmplitude = 1.0

    @property
    def drawn_from(self) -> tuple[str, ...]:
        """The downscalers."""
        return tuple(self.models)

    @property
    def forecasts(self) -> Forecasts:
        """The forecasts to downscale; one member of the reference is enough."""
        others: dict[str, Forecasts] = {
            "lagged": LaggedRuns(tuple(self.ages)),
            "reference": ReferenceMembers(1),
        }
        return others.get(self.source, BaseForecast(self.source))

    @model_validator(mode="after")
    def _ages_are_of_lagged_runs(self) -> DownscaleSystem:
        if self.source != "lagged" and self.ages != SIX_RUNS:
            raise ValueError("ages applies only to source: lagged; remove it")
        return self

    @model_validator(mode="after")
    def _models_differ(self) -> DownscaleSystem:
        if len(set(self.models)) != len(self.models):
            raise ValueError(f"give each downscaler once: {', '.join(self.models)}")
        return self

    def variables(self, run: Settings, models: Models) -> list[str]:
        """The variables that a model downscales."""
        own = {models[name].variable for name in self.models}
        return [name for name in run.variables if name in own]

    def passes(self, run: Settings, models: Models) -> dict[str, int]:
        """The sampler's evaluations at each lead."""
        return dict.fromkeys(self.models, self.calls * len(run.leads))

    def check_models(self, run: Settings, models: Models) -> None:
        """Checks that each model downscales a different variable."""
        require_downscalers(self.drawn_from, models)
        for name in self.models:
            require_sampler(self, name, models[name])

    def draw(
        self,
        run: Settings,
        checkpoints: Sequence[Path],
        forecasts: Path,
        case: Case,
        output: Path,
        settings: Mapping[str, Any],
        threads: int,
    ) -> None:
        """Members (member, lead, y, x) of the case's variables, from a file of forecasts.

        Raises StormdrawError as `stormdraw.ensembles.downscale.write_downscaled`.
        """
        from stormdraw.ensembles.downscale import Downscaling, write_downscaled

        how = Downscaling(
            run.members(self),
            run.seed,
            run.ensembles.batch_gigabytes,
            self.sampler,
            self.steps,
            self.eta,
            self.noise_amplitude,
        )
        only = run.archive.base_model.names(self.forecasts.need(run).ages)
        files = (checkpoints, forecasts, only or None)
        write_downscaled(*files, run.variables, case, how, output, settings, threads)


SYSTEM = DownscaleSystem
