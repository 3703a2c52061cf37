"""What a profiler saw of memory."""

from torch.profiler import profile


def largest_allocation(profiler: profile) -> int:
    """The most bytes allocated at once, from the profiler's record of every allocation."""
    total = largest = 0
    for event in profiler.profiler.kineto_results.events():
        if event.name() == "[memory]":
            total += event.nbytes()
            largest = max(largest, total)
    return largest
