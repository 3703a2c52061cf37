"""The configuration of one model, `config/models/<name>.yaml`, as checked types."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from stormdraw.errors import StormdrawError
from stormdraw.models.definitions import find_definition, read_definition
from stormdraw.models.families import NetworkOptions, Role
from stormdraw.models.noise_settings import (
    EdmSettings,
    NoiseScheduleSettings,
    Preconditioning,
)
from stormdraw.models.registry import families, options_of
from stormdraw.models.training_settings import Training
from stormdraw.roles import Roles
from stormdraw.section import Name, Section
from stormdraw.variables import LAND, TERRAIN, StateName
from stormdraw.yaml_lines import explain_in

Prediction = Literal["noise", "v", "target"]
Target = Literal["next_state", "residual", "block", "perturbed_state"]
Forcing = Literal["hour_of_day", "solar_elevation", "position", "terrain", "land", "driving"]
# The static field that a forcing is made of.
STATIC_FIELDS = {"terrain": TERRAIN, "land": LAND}


class Loss(Section):
    """The quantity to minimise.

    `min_snr_gamma` applies to diffusion models, `bounded` to models that predict the target itself;
    `alpha`, `members` and `spectral`, the weight of the loss of wave bands, apply to
    almost_fair_crps.
    """

    kind: Literal["mse", "mae", "almost_fair_crps"] = "mse"
    variable_weights: dict[StateName, Annotated[float, Field(gt=0)]] = {}
    min_snr_gamma: Annotated[float, Field(gt=0)] | None = None
    alpha: Annotated[float, Field(ge=0, le=1)] = 0.95
    members: Annotated[int, Field(ge=2, le=16)] = 2
    spectral: Annotated[float, Field(ge=0)] = 0.0
    bounded: bool = False

    @model_validator(mode="after")
    def _keys_of_the_kind(self) -> "Loss":
        fields = type(self).model_fields
        for key in ("alpha", "members", "spectral"):
            given = getattr(self, key)
            if self.kind != "almost_fair_crps" and given != fields[key].default:
                raise ValueError(f"{key} applies only to kind: almost_fair_crps; remove it")
        return self


class Physics(Section):
    """The weight of each law's violation in the loss; 0 turns a law off."""

    dew_point: Annotated[float, Field(ge=0)] = 1.0
    cape: Annotated[float, Field(ge=0)] = 1.0
    cin: Annotated[float, Field(ge=0)] = 1.0
    reflectivity: Annotated[float, Field(ge=0)] = 1.0
    moist_energy: Annotated[float, Field(ge=0)] = 0.1
    mass_divergence: Annotated[float, Field(ge=0)] = 0.1


class DrivenBy(Section):
    """What drives a model with the forcing `driving`; see `archive.driving`."""

    model: str
    latency_hours: int
    variables: tuple[StateName, ...]

    def __str__(self) -> str:
        """`gfs 5 h after its cycle (T2M, PWAT)`."""
        return f"{self.model} {self.latency_hours} h after its cycle ({', '.join(self.variables)})"


class ModelSettings(Section):
    """A whole model configuration.

    A file leaves `driven_by` out: it is that of the run (`archive.driving`).
    """

    family: str
    network: Annotated[dict[str, Any], Field(validate_default=True)] = {}
    prediction: Prediction
    target: Target
    variable: StateName | None = None
    forecaster: Name | None = None
    loss: Loss = Loss()
    physics: Physics | None = None
    inputs: list[StateName] | None = None
    history: Annotated[int, Field(ge=1, le=24)] = 1
    history_as: Literal["states", "changes"] = "states"
    forcings: list[Forcing] = Field(default=[])
    driven_by: DrivenBy | None = None
    noise_schedule: NoiseScheduleSettings = NoiseScheduleSettings()
    preconditioning: Preconditioning | None = None
    training: Training

    @field_validator("family")
    @classmethod
    def _known_family(cls, family: str) -> str:
        if family not in families():
            raise ValueError(f"unknown family {family!r}: known ones are {', '.join(families())}")
        return family

    @field_validator("network")
    @classmethod
    def _options_of_the_family(
        cls, network: dict[str, Any], known: ValidationInfo
    ) -> dict[str, Any]:
        if "family" in known.data:
            # Raises a ValidationError, which pydantic merges with the key of each wrong option.
            options_of(known.data["family"]).model_validate(network)
        return network

    @field_validator("forcings")
    @classmethod
    def _forcings_differ(cls, forcings: list[Forcing]) -> list[Forcing]:
        if len(set(forcings)) != len(forcings):
            raise ValueError(f"give each forcing once: {', '.join(forcings)}")
        return forcings

    @model_validator(mode="after")
    def _only_a_driven_model_has_driving(self) -> "ModelSettings":
        if self.driven_by is not None and not self.driven:
            raise ValueError("driven_by is given, but forcings has no driving; remove it")
        return self

    @model_validator(mode="after")
    def _noise_can_be_predicted(self) -> "ModelSettings":
        if self.prediction == "noise" and self.noise_schedule.largest_beta > 0.1:
            raise ValueError(
                f"noise_schedule.largest_beta is {self.noise_schedule.largest_beta}, at which the "
                "last timesteps are pure noise, and predicting noise says nothing about the state "
                "there; give at most 0.1 (the original recipe has 0.02), or prediction: v"
            )
        return self

    @model_validator(mode="after")
    def _blocks_are_all_a_downscaler_knows(self) -> "ModelSettings":
        if self.target != "block":
            if self.variable is not None:
                raise ValueError(
                    f"variable is {self.variable}, but only target: block uses it; remove it"
                )
            return self
        if self.history > 1 or self.forcings or self.inputs:
            raise ValueError(
                "target: block uses only the coarse values; remove history, forcings and inputs"
            )
        block, crop = getattr(self.network_options, "block", 0), self.training.crop
        if crop is not None and min(crop) < block:
            raise ValueError(
                f"training.crop is {list(crop)}, smaller than a block of {block} x {block} points "
                "(network.block); give a larger crop"
            )
        return self

    @model_validator(mode="after")
    def _loss_suits_the_prediction(self) -> "ModelSettings":
        diffusion = self.prediction != "target"
        if diffusion and self.loss.kind != "mse":
            raise ValueError(
                f"loss.kind is {self.loss.kind}, but a diffusion model (prediction: "
                f"{self.prediction}) predicts a mean; give mse, or prediction: target"
            )
        if self.target == "block" and (self.variable is None or not diffusion):
            raise ValueError(
                "target: block downscales one variable by diffusion; name it in `variable`, and "
                "set prediction to noise or v"
            )
        if diffusion and self.loss.bounded:
            raise ValueError(
                "loss.bounded is for predicted states, but a diffusion model predicts noise or v; "
                "remove it, or give prediction: target"
            )
        if not diffusion and self.loss.min_snr_gamma is not None:
            raise ValueError(
                "loss.min_snr_gamma weights timesteps, but a model with prediction: target has "
                "none; remove it"
            )
        return self

    @model_validator(mode="after")
    def _changes_need_two_states(self) -> "ModelSettings":
        if self.history_as == "changes" and self.history == 1:
            raise ValueError(
                "history_as: changes needs at least two states, but history is 1; set history to "
                "2 or more, or remove history_as"
            )
        return self

    @model_validator(mode="after")
    def _perturbation_of_one_state(self) -> "ModelSettings":
        if self.target != "perturbed_state":
            if self.forecaster is not None:
                raise ValueError(
                    f"forecaster is {self.forecaster}, but only a model with target: "
                    "perturbed_state uses one; remove it"
                )
            return self
        if self.prediction == "target":
            raise ValueError(
                "target: perturbed_state needs a diffusion model; set prediction to noise or v"
            )
        if self.history > 1 or self.forcings or self.inputs:
            raise ValueError(
                "target: perturbed_state uses only the state it perturbs; remove history, forcings "
                "and inputs (its forecaster may have them)"
            )
        return self

    @model_validator(mode="after")
    def _noise_is_of_diffusion(self) -> "ModelSettings":
        if self.prediction == "target" and self.noise_schedule != NoiseScheduleSettings():
            raise ValueError(
                "noise_schedule applies only to diffusion models, but prediction is target; "
                "remove it"
            )
        return self

    @model_validator(mode="after")
    def _preconditioning_of_diffusion(self) -> "ModelSettings":
        if self.preconditioning is None:
            return self
        kind = self.preconditioning.kind
        if self.prediction != "v":
            raise ValueError(
                f"preconditioning is {kind}, whose network predicts a velocity, but prediction is "
                f"{self.prediction}; give prediction: v, or remove preconditioning"
            )
        for key, given in (
            ("noise_schedule", self.noise_schedule != NoiseScheduleSettings()),
            ("loss.min_snr_gamma", self.loss.min_snr_gamma is not None),
        ):
            if given:
                raise ValueError(
                    f"preconditioning: {kind} has its own noise levels and weights, and {key} is "
                    "for models without; remove one of them"
                )
        return self

    @model_validator(mode="after")
    def _rollout_in_one_pass_an_hour(self) -> "ModelSettings":
        if self.training.rollout is not None and self.prediction != "target":
            raise ValueError(
                f"training.rollout unrolls a model that takes one pass an hour, but prediction: "
                f"{self.prediction} takes many; remove it, or give prediction: target"
            )
        return self

    @model_validator(mode="after")
    def _physics_of_a_predicted_state(self) -> "ModelSettings":
        if self.physics is not None and self.prediction != "target":
            raise ValueError(
                f"physics applies to predicted states, but prediction: {self.prediction} needs "
                "many steps to give one; remove physics, or give prediction: target"
            )
        return self

    @model_validator(mode="after")
    def _network_suits_the_prediction(self) -> "ModelSettings":
        options, needed = self.network_options, self.network_role
        if needed not in options.roles:
            fitting = [name for name in families() if needed in options_of(name).roles]
            raise ValueError(
                f"family is {self.family}, whose network is a {' or '.join(options.roles)}, but "
                f"prediction: "
                f"{self.prediction}, target: {self.target} and loss.kind: {self.loss.kind} need a "
                f"{needed} ({', '.join(fitting)})"
            )
        if self.training.crop is not None and options.learns_positions:
            raise ValueError(
                f"training.crop is given, but a network of the family {self.family} learns weights "
                "for each position in the domain, and a crop would move them; remove it"
            )
        frames = getattr(options, "frames", None)
        if frames is not None and frames != self.history:
            raise ValueError(
                f"network.frames is {frames} but history is {self.history}; give both the same "
                "number"
            )
        if frames is not None and self.history_as == "changes":
            raise ValueError(
                f"history_as is changes, but a network of the family {self.family} takes frames of "
                "states; remove history_as"
            )
        return self

    def roles_of(self, run: Roles) -> Roles:
        """The roles of the variables that this model has, of those of a run.

        A perturbation model has the state alone. A downscaler has all variables of a forecast, and
        it makes no difference which ones of these are fed back. Raises StormdrawError if `inputs`
        names a variable that is not an input of the run, or one component of a wind.
        """
        if self.target == "perturbed_state":
            return Roles(predicted=run.predicted)
        if self.target == "block":
            return Roles(predicted=run.forecast)
        unknown = [name for name in self.inputs or () if name not in run.input]
        if unknown:
            given = ", ".join(run.input) or "none"
            raise StormdrawError(
                f"inputs names {', '.join(unknown)}, but the variables of the run whose role is "
                f"input are {given}; add it to variables.input, or remove it from inputs"
            )
        chosen = [name for name in run.input if self.inputs is None or name in self.inputs]
        roles = run.model_copy(update={"input": tuple(chosen)})
        try:
            roles.check()
        except ValueError as error:
            raise StormdrawError(f"inputs is {', '.join(chosen)}: {error}") from None
        return roles

    @property
    def driven(self) -> bool:
        """Whether forecasts of the run's driving model are part of its condition."""
        return "driving" in self.forcings

    @property
    def by_chance(self) -> bool:
        """Whether its members differ; a deterministic model has a single member."""
        return self.prediction != "target" or self.loss.kind == "almost_fair_crps"

    @property
    def network_role(self) -> Role:
        """What its network must be (`models.registry`)."""
        if self.prediction != "target":
            return "downscaler" if self.target == "block" else "denoiser"
        return "generator" if self.loss.kind == "almost_fair_crps" else "regressor"

    @property
    def formulation(self) -> NoiseScheduleSettings | EdmSettings:
        """The section with the noise of a diffusion model."""
        return self.preconditioning or self.noise_schedule

    @property
    def network_options(self) -> NetworkOptions:
        """The section `network` as the family's own type."""
        return options_of(self.family).model_validate(self.network)


def load_model_settings(path: str | Path) -> ModelSettings:
    """Read and check a model's configuration.

    One file of a downscaler can serve every variable: if `downscaler_d2m.yaml` does not exist,
    `downscaler.yaml` is used for D2M. A file can extend another (`definitions.read_definition`).
    Raises StormdrawError with one line that names each wrong key and what was expected.
    """
    found, variable = find_definition(path)
    content, files = read_definition(found)
    try:
        model = ModelSettings.model_validate(content)
    except ValidationError as error:
        raise StormdrawError(explain_in(error, files)) from None
    if variable is None:
        return model
    if model.target != "block":
        raise StormdrawError(
            f"{path}: no such file, and {found} is not a downscaler; add the file, or set "
            f"target: block in {found.name}"
        )
    return model.model_copy(update={"variable": variable})
