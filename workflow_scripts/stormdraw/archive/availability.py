"""Whether the archive of a configuration can have what its run needs of the base model."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from stormdraw.archive.public import earliest, first_run
from stormdraw.archive.truth import Truth
from stormdraw.errors import StormdrawError
from stormdraw.membership import members_at
from stormdraw.simulated import SIMULATED_ON_REQUEST, SIMULATED_VARIABLES
from stormdraw.variables import PARTS, variable

if TYPE_CHECKING:
    from stormdraw.settings import Settings


def require_periods(settings: "Settings") -> None:
    """Raise ValueError if the base model or the archives of it began after the first period."""
    if not settings.uses_archive:
        return
    base = settings.archive.base_model
    what, earliest = _first_hour(settings)
    shortest = max(variable(name).shortest_lead for name in settings.roles.every)
    start, _ = settings.archive.state_run(earliest, shortest)
    if start < base.first_run:
        raise ValueError(
            f"{what} {earliest}, and {base.title} has no run before "
            f"{base.first_run:%Y-%m-%d %H} UTC; take later hours"
        )
    if not isinstance(settings.archive.source, list):
        return
    sources = ", ".join(settings.archive.source)
    first = first_run(base.name, settings.archive.source)
    if first is None:
        raise ValueError(
            f"archive.source is {sources}, which has no {base.title}; take "
            f"{' or '.join(base.first_runs)}"
        )
    if start < first:
        raise ValueError(
            f"{what} {earliest}, and {sources} has {base.title} since "
            f"{first:%Y-%m-%d}; take later hours"
        )


def _first_hour(settings: "Settings") -> tuple[str, datetime]:
    """The start of the first period, or the first cycle of a forecast, and what it is."""
    if settings.cycle:
        return "cycle is", min(settings.cycle)
    name, period = settings.periods.named()[0]
    return f"periods.{name} starts", period.start


def require_truth(settings: "Settings") -> None:
    """Raise ValueError if a truth is in no archive then, or is of no variable of the run."""
    archive = settings.archive
    for name in archive.truth:
        if name not in ("default", *settings.variables):
            raise ValueError(
                f"archive.truth.{name}: this run has no forecasts of {name}, only of "
                f"{', '.join(settings.variables)}; leave it out"
            )
    others = [name for name in settings.variables if name not in archive.truth]
    default = archive.default_truth
    if others and not any(map(default.has, others)):
        raise ValueError(
            f"archive.truth: {default.name} has {', '.join(default.variables)} and none of "
            f"{', '.join(others)}; set it to {archive.model}"
        )
    if isinstance(archive.source, list):
        for one in archive.truths:
            _require_public(one, archive.source, settings)


def _require_public(one: Truth, sources: Sequence[str], settings: "Settings") -> None:
    """Raise ValueError if none of some public archives has a truth, or has it only later."""
    if not one.first_runs:
        return
    known, first = ", ".join(sources), earliest(one.first_runs, sources)
    if first is None:
        raise ValueError(
            f"archive.truth is {one.name}, which {known} does not have; add "
            f"{' or '.join(one.first_runs)}"
        )
    if settings.compared_times()[0] < first:
        raise ValueError(
            f"archive.truth is {one.name}, which {known} has since {first:%Y-%m-%d}, and forecasts "
            f"are compared from {settings.compared_times()[0]} on; take later hours"
        )


def require_products(settings: "Settings") -> None:
    """Raise ValueError if the base model has no product that holds a variable."""
    if not settings.uses_archive:
        return
    for name in PARTS.keys() & set(settings.roles.every):
        parts = " and ".join(PARTS[name])
        raise ValueError(
            f"variables: {name} is computed of {parts} in a run with analyses; give {parts} in its "
            "place"
        )
    for name in (*settings.roles.every, *settings.fields.static):
        try:
            settings.archive.base_model.product(settings.archive.base_model.held(name))
        except StormdrawError as error:
            raise ValueError(
                f"{name}: {error}; leave it out, or change its row's product under variable_table"
            ) from None


def require_simulated(settings: "Settings") -> None:
    """Raise ValueError if the simulated archive, where chosen, lacks a variable or a reference.

    All members of the reference are simulated, whether a system uses them or not.
    """
    archive = settings.archive
    if not settings.simulated:
        return
    possible = (*SIMULATED_VARIABLES, *SIMULATED_ON_REQUEST)
    unknown = [name for name in settings.roles.every if name not in possible]
    if unknown:
        raise ValueError(
            f"variables: the simulated archive has {', '.join(possible)} and no "
            f"{', '.join(unknown)}; leave it out, or set archive.source to one that has it"
        )
    if archive.reference is None:
        return
    for init in settings.compared_cases():
        try:
            members_at(archive.reference, init)
        except StormdrawError as error:
            raise ValueError(
                f"archive.reference: {error}; change periods.test.start or "
                "cases.every_hours, or leave the reference out"
            ) from None
