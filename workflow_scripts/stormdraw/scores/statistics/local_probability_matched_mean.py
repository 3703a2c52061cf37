"""The local probability-matched mean: as strong as members make it in the same part of the domain.

Matched over the whole domain, weak rain in one corner is made heavy by storms in another.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from stormdraw.scores.kernels import compiled
from stormdraw.scores.statistics.probability_matched_mean import score_of
from stormdraw.scores.verification import Fields, ensemble_mean


@compiled
def _match(values, ranks, starts, area, cell, count, matched):  # type: ignore[no-untyped-def]
    """Put the matched value of each point of a cell where its rank says, in `matched` (rank,).

    `values` and `ranks` are those of the points of one cell after the other, in ascending order in
    each; `starts` (cell + 1) counts points before a cell, each of which has `count` values. `area`
    lists the cells whose points are matched together, `cell` among them.
    """
    cells = area.size
    lower, taken, ends = np.empty((3, cells), np.int64)
    for k in range(cells):
        lower[k] = starts[area[k]]
        taken[k] = count * lower[k]
        ends[k] = starts[area[k] + 1]
    passed = 0
    for place in range(starts[cell], starts[cell + 1]):
        rank = ranks[place]
        before = 0
        for k in range(cells):
            while lower[k] < ends[k] and ranks[lower[k]] < rank:
                lower[k] += 1
            before += lower[k] - starts[area[k]]
        # The middle one of each `count` values, as in the mean that is matched over all points.
        remaining = count // 2 + count * before - passed
        passed += remaining
        while remaining > 0:
            # The cell whose value so many steps ahead is lowest: at most `remaining` values of all
            # cells are lower than that, so these may be passed.
            step = max(remaining // cells, 1)
            chosen, lowest = -1, np.inf
            for k in range(cells):
                ahead = taken[k] + step - 1
                if ahead < count * ends[k] and (chosen < 0 or values[ahead] < lowest):
                    chosen, lowest = k, values[ahead]
            taken[chosen] += step
            remaining -= step
        lowest = np.inf
        for k in range(cells):
            if taken[k] < count * ends[k]:
                lowest = min(lowest, values[taken[k]])
        matched[rank] = lowest


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

    def match(cell: int) -> None:
        row, column = divmod(cell, across)
        area = [
            near * across + beside
            for near in range(max(row - 1, 0), min(row + 2, down))
            for beside in range(max(column - 1, 0), min(column + 2, across))
        ]
        _match(values, ranks, starts, np.array(area), cell, count, matched)

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
