"""Which systems and which variable the maps show; the rules need to know it too."""

from stormdraw.ensembles.settings import ModelSystem
from stormdraw.settings import Settings


def mapped_systems(settings: Settings) -> list[str]:
    """The systems the maps show: the first that samples a model, and the reference.

    Without a model it is the first system that is not the reference.
    """
    names = [system.name for system in settings.ensembles.systems]
    learnt = [
        system.name for system in settings.ensembles.systems if isinstance(system, ModelSystem)
    ]
    reference = settings.scores.reference
    others = [name for name in names if name != reference]
    shown = (learnt or others or names)[:1]
    return [*shown, reference] if reference is not None and reference not in shown else shown


def mapped_variable(settings: Settings) -> str:
    """The variable the maps show: storms if the run has them, else temperature."""
    for name in ("REFC", "T2M"):
        if name in settings.variables:
            return name
    return str(settings.variables[0])
