import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.fields.coarsening import coarse_grid, coarsen, fine_grid

SHAPES = st.tuples(st.integers(5, 12), st.integers(5, 12))
FIELDS = SHAPES.flatmap(
    lambda shape: arrays(np.float32, shape, elements=st.floats(200, 330, width=32))
)


def brute_force(field, factor):
    rows, columns = (points // factor for points in field.shape)
    blocks = [
        [
            np.mean(
                field[j * factor : (j + 1) * factor, i * factor : (i + 1) * factor], dtype=float
            )
            for i in range(columns)
        ]
        for j in range(rows)
    ]
    return np.array(blocks)


@settings(max_examples=40, deadline=None)
@given(FIELDS, st.integers(2, 5))
def test_a_block_is_the_mean_of_its_points(field, factor):
    assert np.allclose(coarsen(field, factor, "T2M"), brute_force(field, factor), rtol=1e-6)


def test_the_integral_is_kept():
    field = np.random.default_rng(0).normal(280, 9, (24, 36)).astype(np.float32)
    assert coarsen(field, 4, "T2M").sum(dtype=float) * 16 == pytest.approx(field.sum(dtype=float))


def test_the_full_grid_becomes_264_by_449():
    """1059 = 4 x 264 + 3 and 1799 = 4 x 449 + 3."""
    coarse = coarse_grid(HRRR, 4)
    assert coarse.shape == (264, 449)
    assert coarse.spacing == pytest.approx((12_000, 12_000))
    assert coarse.x[0] == pytest.approx(np.mean(HRRR.x[:4]))
    assert coarse.y[17] == pytest.approx(np.mean(HRRR.y[68:72]))


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_the_fine_grid_is_what_the_coarse_one_was_made_of(factor):
    grid = HRRR.crop(slice(480, 491), slice(880, 893))
    fine = fine_grid(coarse_grid(grid, factor), factor)
    assert fine.shape == (11 // factor * factor, 13 // factor * factor)
    assert np.allclose(fine.x, grid.x[: len(fine.x)], atol=1e-6)
    assert np.allclose(fine.y, grid.y[: len(fine.y)], atol=1e-6)


def test_reflectivity_is_averaged_as_power():
    """By hand: of 40, -10, -10 and -10 dBZ, the mean power is (10^4 + 3 x 0.1) / 4."""
    field = np.array([[40.0, -10.0], [-10.0, -10.0]], np.float32)
    assert coarsen(field, 2, "REFC").item() == pytest.approx(10 * np.log10(2500.075), abs=1e-4)
    assert coarsen(np.full((4, 4), -10.0, np.float32), 2, "REFC") == pytest.approx(-10.0, abs=1e-5)


def test_missing_points_do_not_count():
    field = np.array([[1.0, np.nan, np.nan, np.nan], [2.0, 3.0, np.nan, np.nan]], np.float32)
    assert np.array_equal(coarsen(field, 2, "T2M"), [[2.0, np.nan]], equal_nan=True)
