from collections.abc import Callable
from pathlib import Path

import numpy as np

from stormdraw.scores.rank_histograms import rank_histograms
from stormdraw.scores.tables import NO_RANK

Write = Callable[..., Path]
INITS = ("2026060806", "2026060912", "2026061018")


def test_counts_are_summed_over_cases(write_statistics: Write) -> None:
    paths = {
        "trial": [
            write_statistics(
                "trial",
                init,
                ["REFC", "T2M"],
                [1],
                rank_counts=factor * np.arange(8).reshape(2, 1, 4),
            )
            for init, factor in zip(INITS, (1, 10, 100), strict=True)
        ],
        "two": [
            write_statistics(
                "two", init, ["T2M"], [1], members=2, rank_counts=np.array([[[5, 6, 7]]])
            )
            for init in INITS
        ],
    }
    found = rank_histograms(paths)
    assert found["rank_counts"].dims == ("system", "variable", "lead", "rank")
    assert found["rank_counts"].dtype == np.int64
    counts = found["rank_counts"].sel(lead=1)
    np.testing.assert_array_equal(counts.sel(system="trial", variable="REFC"), [0, 111, 222, 333])
    np.testing.assert_array_equal(counts.sel(system="two", variable="T2M"), [15, 18, 21, NO_RANK])
    np.testing.assert_array_equal(counts.sel(system="two", variable="REFC"), [NO_RANK] * 4)
    members = found["members"].sel(lead=1)
    np.testing.assert_array_equal(members.sel(system="two", variable=["REFC", "T2M"]), [0, 2])
    np.testing.assert_array_equal(found["cases"].sel(system="trial", lead=1), [3, 3])


def test_only_ensembles_of_one_size_are_added(write_statistics: Write) -> None:
    of_two, of_three = np.array([[[1, 2, 3, NO_RANK]]]), np.array([[[4, 5, 6, 7]]])
    paths = [
        write_statistics("href", init, ["T2M"], [1], members=members, rank_counts=counts)
        for init, members, counts in zip(INITS, (2, 3, 2), (of_two, of_three, of_two), strict=True)
    ]
    found = rank_histograms({"href": paths}).squeeze(drop=True)
    np.testing.assert_array_equal(found["rank_counts"], [2, 4, 6, NO_RANK])
    assert (int(found["members"]), int(found["cases"])) == (2, 2)
    # One of each: the larger ensemble says more.
    found = rank_histograms({"href": paths[:2]}).squeeze(drop=True)
    np.testing.assert_array_equal(found["rank_counts"], [4, 5, 6, 7])
    assert (int(found["members"]), int(found["cases"])) == (3, 1)


def test_mean_and_spread_have_no_ranks(write_statistics: Write) -> None:
    zero = np.zeros((1, 1, 1), np.int64)
    path = write_statistics("href", INITS[0], ["T2M"], [1], members=0, rank_counts=zero)
    found = rank_histograms({"href": [path]})
    assert (found["rank_counts"] == NO_RANK).all()
    assert int(found["members"].sum() + found["cases"].sum()) == 0
