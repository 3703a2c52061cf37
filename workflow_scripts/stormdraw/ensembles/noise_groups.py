"""Groups of variables whose noise has the same amplitude when a model is calibrated."""

from collections.abc import Mapping, Sequence

from stormdraw.variables import variable

# The variables of each group, by its name.
Groups = Mapping[str, Sequence[str]]


def groups_of(variables: Sequence[str], by_variable: bool) -> dict[str, list[str]]:
    """The groups of variables that each have one amplitude.

    If the noise has a channel for each variable (`by_variable`), Gaussian variables are one group
    and the others another. Otherwise all variables are one group.
    """
    if not by_variable:
        return {"all": list(variables)}
    groups: dict[str, list[str]] = {}
    for name in variables:
        group = "gaussian" if variable(name).gaussian else "not_gaussian"
        groups.setdefault(group, []).append(name)
    return groups


def each_variable(by_group: Mapping[str, float], groups: Groups) -> dict[str, float]:
    """The number of each variable, given that of its group."""
    return {name: by_group[group] for group, names in groups.items() for name in names}


def most_tries(groups: Groups, amplitudes: Sequence[float]) -> int:
    """How often the validation cases are drawn at most: with each amplitude for all variables and,
    if there are several groups, once with the amplitudes that they prefer."""
    return len(amplitudes) + (len(groups) > 1)
