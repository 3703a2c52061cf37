"""How often the networks of a run's models are evaluated to draw its members."""

from collections.abc import Mapping

from stormdraw.ensembles.settings import DefSystem, DownscaleSystem, ModelSystem, OneStepSystem
from stormdraw.models.settings import ModelSettings
from stormdraw.settings import Settings


def passes_for_a_member(
    settings: Settings, system: ModelSystem | DownscaleSystem, models: Mapping[str, ModelSettings]
) -> dict[str, int]:
    """Evaluations on the whole grid for one member of one case, by model.

    States are drawn for every hour to the longest lead, each in the sampler's steps or in one;
    downscaling draws those of the leads only.
    """
    if isinstance(system, DownscaleSystem):
        return dict.fromkeys(system.models, system.steps * len(settings.leads))
    states = max(settings.leads)
    if isinstance(system, OneStepSystem):
        return {system.model: states}
    if not isinstance(system, DefSystem):
        return {system.model: system.steps * states}
    # Each step is taken with the condition and without, unless only one of the two counts.
    branches = 1 if system.guidance in (0.0, 1.0) else 2
    return {
        system.model: branches * system.steps * system.walks * states,
        system.stepping(models): states,
    }
