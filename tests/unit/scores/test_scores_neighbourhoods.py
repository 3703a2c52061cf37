import numpy as np
import pytest
from scores.spatial import fss_2d_single_field

from stormdraw.scores.statistics.fractions_skill import fractions_skill_score, fss_sums


def test_sums_equal_a_loop_over_points(random: np.random.Generator) -> None:
    shape, widths = (8, 11), [1, 3, 7]
    probability, event = random.uniform(size=shape), random.uniform(size=shape) < 0.4
    valid = random.uniform(size=shape) < 0.8
    weights = np.where(valid, random.uniform(0.5, 1.5, (2, *shape)), 0.0)
    difference, reference = fss_sums(probability, event, valid, weights, widths)
    for index, width in enumerate(widths):
        half = width // 2
        expected = np.zeros((2, 2))
        for y, x in zip(*np.nonzero(valid), strict=True):
            box = (
                slice(max(y - half, 0), y + half + 1),
                slice(max(x - half, 0), x + half + 1),
            )
            f, o = probability[box][valid[box]].mean(), event[box][valid[box]].mean()
            expected[0] += weights[:, y, x] * (f - o) ** 2
            expected[1] += weights[:, y, x] * (f**2 + o**2)
        np.testing.assert_allclose(difference[:, index], expected[0], rtol=1e-10)
        np.testing.assert_allclose(reference[:, index], expected[1], rtol=1e-10)


def test_threads_do_not_change_the_result(random: np.random.Generator) -> None:
    probability, event = random.uniform(size=(70, 11)), random.uniform(size=(70, 11)) < 0.4
    ones = np.ones((70, 11), bool)
    one = fss_sums(probability, event, ones, ones[None] * 1.0, [1, 9])
    np.testing.assert_array_equal(
        one, fss_sums(probability, event, ones, ones[None] * 1.0, [1, 9], 3)
    )


def test_fractions_skill_equals_the_scores_library_away_from_the_edges(
    random: np.random.Generator,
) -> None:
    """The library counts whole boxes only; the edge is weighted away to compare."""
    forecast, observed = random.normal(size=(2, 30, 24))
    inner = np.zeros((1, 30, 24))
    inner[:, 2:-2, 2:-2] = 1.0
    sums = fss_sums(forecast >= 0.7, observed >= 0.7, np.ones((30, 24), bool), inner, [5])
    theirs = fss_2d_single_field(
        forecast, observed, event_threshold=0.7, window_size=(5, 5), zero_padding=False
    )
    assert fractions_skill_score(*sums)[0, 0] == pytest.approx(float(theirs), rel=1e-9)


def test_a_displaced_storm_is_forgiven_in_a_wide_box() -> None:
    forecast, observed = np.zeros((2, 40, 40), bool)
    forecast[20, 15], observed[20, 18] = True, True
    ones = np.ones((40, 40), bool)
    score = fractions_skill_score(*fss_sums(forecast, observed, ones, ones[None] * 1.0, [1, 3, 7]))
    # Boxes of 7 share 4 of 7 columns: 1 - 2 * 3 / (7 + 7).
    np.testing.assert_allclose(score[0], [0.0, 0.0, 4 / 7])


def test_without_events_there_is_no_score() -> None:
    none, ones = np.zeros((5, 5), bool), np.ones((5, 5), bool)
    assert np.isnan(fractions_skill_score(*fss_sums(none, none, ones, ones[None] * 1.0, [3])))
