"""The local probability-matched mean: as strong as members make it in the same part of the domain.

Matched over the whole domain, weak rain in one corner is made heavy by storms in another.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from stormdraw.scores.kernels import compiled
from stormdraw.scores.statistics.probability_matched_mean import score_of, select
from stormdraw.scores.verification import Fields, ensemble_mean


@compiled
def _count_lower(ranks, starts, ends, own, lower):  # type: ignore[no-untyped-def]
    """How many `ranks` of some cells are lower than each of `own`, in `lower` (point,).

    `own` and the ranks of each cell, from `starts` to before `ends` (cell,), are in ascending
    order.
    """
    reached = starts.copy()
    for place in range(own.size):
        lower[place] = 0
        for cell in range(starts.size):
            while reached[cell] < ends[cell] and ranks[reached[cell]] < own[place]:
                reached[cell] += 1
            lower[place] += reached[cell] - starts[cell]


def local_probability_matched_mean(
    members: np.ndarray,
    valid: np.ndarray,
    patch: int,
    threads: int = 1,
    mean: np.ndarray | None = None,
) -> np.ndarray:
    """The probability-matched mean of each patch of the domain within its surroundings, (y, x).

    `members` are (member, y, x). The domain is divided into patches of `patch` x `patch` points.
    For each of them the probability-matched mean of it and of the patches around it, an area three
    patches wide, is made as `probability_matched_mean` does, and kept in the middle one (Snook et
    al. 2020, doi:10.1029/2020GL087839, who recommend 60 km and so 180 km; the first to match means
    locally were Clark 2017, doi:10.1175/WAF-D-16-0199.1). At the edge of the domain the area is
    cut off. Nothing is smoothed. Only `valid` points (y, x) take part, and others are 0. Beside the
    members one copy of them is held. The `mean` (y, x) is made of the members if it is None.
    """
    count, rows, columns = members.shape
    places = np.flatnonzero(valid)
    mean = ensemble_mean(members, threads) if mean is None else mean
    order = np.argsort(mean.ravel()[places], kind="stable")
    rank_at = np.empty(valid.shape, np.int32)
    rank_at.ravel()[places[order]] = np.arange(places.size, dtype=np.int32)

    across = -(-columns // patch)
    down = -(-rows // patch)
    boxes = [
        (slice(row * patch, (row + 1) * patch), slice(column * patch, (column + 1) * patch))
        for row in range(down)
        for column in range(across)
    ]
    starts = np.cumsum([0, *(np.count_nonzero(valid[box]) for box in boxes)])
    values = np.empty(count * places.size, members.dtype)
    ranks = np.empty(places.size, np.int32)
    matched = np.empty(places.size, members.dtype)

    def sort(cell: int) -> None:
        box, (start, stop) = boxes[cell], starts[cell : cell + 2]
        own = values[count * start : count * stop].reshape(count, -1)
        own[:] = members[:, *box][:, valid[box]]
        own.ravel().sort()
        ranks[start:stop] = np.sort(rank_at[box][valid[box]])

    def ranks_of(cell: int) -> np.ndarray:
        return ranks[starts[cell] : starts[cell + 1]]

    def match(cell: int) -> None:
        row, column = divmod(cell, across)
        area = [
            near * across + beside
            for near in range(max(row - 1, 0), min(row + 2, down))
            for beside in range(max(column - 1, 0), min(column + 2, across))
        ]
        own = ranks_of(cell)
        before, first, last = np.empty(own.size, np.int64), starts[area], starts[1:][area]
        _count_lower(ranks, first, last, own, before)
        # The middle one of each `count` values, as in the mean that is matched over all points.
        middles = count // 2 + count * before
        selected = np.empty(own.size, members.dtype)
        select(values, count * first, count * last, middles, selected)
        matched[own] = selected

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(sort, range(len(boxes))))
        list(pool.map(match, range(len(boxes))))
    found = np.zeros(valid.size, members.dtype)
    found[places[order]] = matched
    return found.reshape(valid.shape)


def _matched(fields: Fields) -> np.ndarray:
    """That of members on the grid, (y, x)."""
    members: np.ndarray = fields.members  # type: ignore[assignment]
    patch = fields.scores.local_patch
    how = (fields.valid, patch, fields.threads, fields.mean)
    return local_probability_matched_mean(members, *how)


SCORE = score_of("lpmm", "the local probability-matched mean", _matched)
