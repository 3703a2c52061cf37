"""Which variables share an amplitude of the noise that calibration chooses."""

from collections.abc import Mapping, Sequence

from stormdraw.variables import variable

# Variables by the name of their group.
Groups = Mapping[str, Sequence[str]]


def groups_of(variables: Sequence[str], by_variable: bool) -> dict[str, list[str]]:
    """The groups whose noise has one amplitude each.

    A model whose noise has a channel for each variable has one for variables of the Gaussian kind
    and one for the others; any other model has one for all.
    """
    if not by_variable:
        return {"all": list(variables)}
    groups: dict[str, list[str]] = {}
    for name in variables:
        group = "gaussian" if variable(name).gaussian else "not_gaussian"
        groups.setdefault(group, []).append(name)
    return groups


def each_variable(by_group: Mapping[str, float], groups: Groups) -> dict[str, float]:
    """Each variable's number, which is that of its group."""
    return {name: by_group[group] for group, names in groups.items() for name in names}


def most_tries(groups: Groups, amplitudes: Sequence[float]) -> int:
    """How often the validation cases are drawn at most: with each amplitude for all variables, and
    with an own one for each of several groups."""
    return len(amplitudes) + (len(groups) > 1)
