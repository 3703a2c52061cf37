"""The roles of a run's variables: what a network is given of each, and what it gives back."""

from typing import Annotated, Any

from pydantic import TypeAdapter, ValidatorFunctionWrapHandler, WrapValidator, model_serializer

from stormdraw.section import Section
from stormdraw.variables import PARTS, ScoredName, is_computed, require_pairs, scored_order


class Roles(Section):
    """The variables of a run or of a model, by role.

    `predicted` ones are the state: a step takes them from one hour to the next. `diagnosed` ones
    come out of a step and are not fed back into the following one: hourly sums and maxima. `input`
    ones are known at the initial time only, and are never forecast.
    """

    predicted: tuple[ScoredName, ...]
    diagnosed: tuple[ScoredName, ...] = ()
    input: tuple[ScoredName, ...] = ()

    @property
    def forecast(self) -> tuple[str, ...]:
        """The variables of a forecast: the predicted ones, then the diagnosed ones."""
        return (*self.predicted, *self.diagnosed)

    @property
    def every(self) -> tuple[str, ...]:
        """The variables of the analyses: those of a forecast, then the inputs."""
        return (*self.forecast, *self.input)

    @property
    def differ(self) -> bool:
        """Whether any variable has another role than `predicted`."""
        return bool(self.diagnosed or self.input)

    def by_role(self) -> dict[str, list[str]]:
        """The variables of each role."""
        return {role: list(getattr(self, role)) for role in type(self).model_fields}

    def __str__(self) -> str:
        """The roles that have variables: `predicted T2M, D2M; input CAPE`, or `T2M, D2M`."""
        if not self.differ:
            return ", ".join(self.predicted)
        given = self.by_role().items()
        return "; ".join(f"{role} {', '.join(names)}" for role, names in given if names)

    @model_serializer
    def _as_given(self) -> list[str] | dict[str, list[str]]:
        """A plain list where all are predicted, as in configurations that name no role."""
        return self.by_role() if self.differ else list(self.predicted)

    def check(self) -> None:
        """Raise ValueError if the roles contradict each other.

        That is if nothing is predicted, a variable is given twice, or is computed of others that
        are given, or a wind without its other component in the same role.
        """
        if not self.predicted:
            raise ValueError("give at least one predicted variable: a step starts from these")
        if len(set(self.every)) != len(self.every):
            raise ValueError(f"give each variable once: {list(self.every)}")
        for name in self.every:
            if is_computed(name, self.every):
                parts = " and ".join(PARTS[name])
                raise ValueError(f"{name} is computed of {parts} and scored too; leave it out")
        for names in self.by_role().values():
            require_pairs(names)


_NAMES = TypeAdapter(list[ScoredName])


def _from_list(given: Any, check: ValidatorFunctionWrapHandler) -> Roles:
    """Roles from a mapping, or from a plain list of predicted variables.

    Each role gets the order of the table of variables.
    """
    if isinstance(given, list | tuple):
        given = {"predicted": _NAMES.validate_python(list(given))}
    roles: Roles = check(given)
    roles.check()
    ordered = {role: sorted(names, key=scored_order) for role, names in roles.by_role().items()}
    return Roles.model_validate(ordered)


# The key `variables` of a configuration.
GivenRoles = Annotated[
    Roles, WrapValidator(_from_list, json_schema_input_type=list[ScoredName] | Roles)
]
