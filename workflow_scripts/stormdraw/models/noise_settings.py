"""The sections that describe the noise of a diffusion model: a formulation and its numbers."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from stormdraw.section import Section

DiffusionPrediction = Literal["noise", "v"]

_Positive = Annotated[float, Field(gt=0)]


class NoiseScheduleSettings(Section):
    """How much noise a training sample has at each timestep."""

    kind: Literal["cosine"] = "cosine"
    timesteps: Annotated[int, Field(ge=2)] = 1000
    largest_beta: Annotated[float, Field(gt=0, lt=1)] = 0.999

    @property
    def most_steps(self) -> float:
        """The largest number of sampling steps."""
        return self.timesteps


class EdmSettings(Section):
    """The formulation EDM; symbols as in Karras et al. (2022), Table 1.

    `sigma_data` is the standard deviation of the model's target, which is 1 for the whole fields
    that models are trained on. In training, ln sigma is normal with mean `P_mean` and standard
    deviation `P_std`. Members are drawn from `sigma_max` to `sigma_min` and then to no noise, in
    steps that are the shorter at the clean end the larger `rho` is.

    Three defaults differ from the paper's, which are for images with a sigma_data of 0.5. Fields
    are smooth, so that more noise is needed to hide them: -0.2 and 1.4 in place of -1.2 and 1.2. A
    `sigma_min` of 0.02 in place of 0.002 spends few steps on what is below 2 % of the variability.
    """

    kind: Literal["edm"] = "edm"
    sigma_data: _Positive = 1.0
    P_mean: float = -0.2
    P_std: _Positive = 1.4
    sigma_min: _Positive = 0.02
    sigma_max: _Positive = 80.0
    rho: Annotated[float, Field(ge=1)] = 7.0

    @model_validator(mode="after")
    def _sigma_falls(self) -> "EdmSettings":
        if self.sigma_min >= self.sigma_max:
            raise ValueError(
                f"sigma_min is {self.sigma_min:g} and sigma_max {self.sigma_max:g}; give a "
                "sigma_min below sigma_max"
            )
        return self

    @property
    def most_steps(self) -> float:
        """Sampling can take any number of steps."""
        return float("inf")


def _named(given: object) -> object:
    """`edm` is short for the section with that kind and its default numbers."""
    return {"kind": given} if isinstance(given, str) else given


Preconditioning = Annotated[
    EdmSettings,
    BeforeValidator(_named, json_schema_input_type=Literal["edm"] | EdmSettings),
]
