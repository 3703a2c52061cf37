# The order of jobs, and their threads.

from stormdraw.scores.memory import grid_points

# Jobs on the way to a trained model's members go first: they take longest, and references and
# baselines can be made and scored meanwhile. Trainings go before sampling, so that the longest job
# does not start last.
EARLY = 1
EARLIEST = 2


def in_order_of_cases(wildcards):
    """A priority that falls from EARLIEST to EARLY from the first case to the last.

    Validation cases, which others are fitted on, come first.
    """
    if wildcards.init not in INITS:
        return EARLIEST
    return EARLIEST - (INITS.index(wildcards.init) + 1) / (len(INITS) + 1)


# If ensembles are deleted, each case is drawn and scored before the next one begins, so that few
# are on disk at once. The references and baselines are there by then.
TO_DRAW = EARLY if KEPT else in_order_of_cases
TO_FOLLOW = 0 if KEPT else in_order_of_cases
TO_COMPARE = 0 if KEPT else EARLIEST

# More threads do not pay on a small grid; another job is better.
SMALL_GRID = grid_points(SETTINGS) <= 250_000
THREADS_TO_SCORE = 1 if SMALL_GRID else 2
THREADS_TO_DIAGNOSE = 1 if SMALL_GRID else 8

# A stretch of hours leaves a core to the products and maps of the one before.
CORES = workflow.resource_settings.cores or 9
THREADS_TO_DRAW_HOURS = max(1, min(8, CORES - 1))
