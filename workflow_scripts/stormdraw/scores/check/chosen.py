"""What is checked: one case of each system, and its fields or some of them, by the run's seed."""

from collections.abc import Callable, Sequence

from stormdraw.seeds import seed_for

# What a choice is for, in the labels of its seed.
_CHECK = "check"


def chosen_case(
    run_seed: int, system: str, inits: Sequence[str], has_files: Callable[[str], bool]
) -> str:
    """The case (YYYYMMDDHH) of a system that is checked: that with the smallest of seeded numbers.

    Cases without files come last, since there is nothing to check. Other systems have no say in it,
    and a case that is added seldom becomes the chosen one.
    """
    order = sorted(inits, key=lambda init: seed_for(run_seed, _CHECK, system, init))
    # Files are looked for no further than to the first case that has some.
    return next(filter(has_files, order), order[0])


def chosen_fields(
    run_seed: int, system: str, variables: Sequence[str], leads: Sequence[int], most: int
) -> list[tuple[str, int]]:
    """The (variable, lead) that are checked: all, or else `most` of them, in the order given.

    No variable is there twice before all are there once.
    """

    def number(*labels: str | int) -> int:
        return seed_for(run_seed, _CHECK, system, *labels)

    shuffled = {name: sorted(leads, key=lambda lead: number(name, lead)) for name in variables}
    order = sorted(variables, key=number)
    drawn = [(name, shuffled[name][place]) for place in range(len(leads)) for name in order]
    chosen = set(drawn[:most])
    return [(name, lead) for name in variables for lead in leads if (name, lead) in chosen]
