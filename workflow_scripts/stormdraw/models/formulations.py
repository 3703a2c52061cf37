"""The formulations of diffusion models, by the kind that a configuration names."""

from collections.abc import Callable

from stormdraw.models.edm import Edm
from stormdraw.models.formulation import Formulation
from stormdraw.models.noise import NoiseSchedule, cosine_betas
from stormdraw.models.settings import ModelSettings


def make_formulation(settings: ModelSettings) -> Formulation:
    """The formulation of a diffusion model's configuration."""
    return _KINDS[settings.formulation.kind](settings)


def _cosine(settings: ModelSettings) -> Formulation:
    section = settings.noise_schedule
    return NoiseSchedule(
        cosine_betas(section.timesteps, section.largest_beta),
        "noise" if settings.prediction == "noise" else "v",
        settings.loss.min_snr_gamma,
    )


def _edm(settings: ModelSettings) -> Formulation:
    if settings.preconditioning is None:
        raise ValueError("a model without preconditioning is no EDM")
    return Edm(settings.preconditioning)


_KINDS: dict[str, Callable[[ModelSettings], Formulation]] = {"cosine": _cosine, "edm": _edm}
