import pytest

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.errors import StormdrawError
from stormdraw.grids import Grid
from stormdraw.map_factor import map_factor
from stormdraw.scores.weights import area_weights

CORNERS_AND_MIDDLE = HRRR.crop(slice(None, None, 211), slice(None, None, 257))


def test_weights_are_the_true_areas_with_mean_one() -> None:
    weights = area_weights(CORNERS_AND_MIDDLE)
    assert weights.shape == CORNERS_AND_MIDDLE.shape
    assert weights.mean() == pytest.approx(1.0, abs=1e-12)
    factor = map_factor(CORNERS_AND_MIDDLE)
    assert weights[0, 0] / weights[3, 4] == pytest.approx((factor[3, 4] / factor[0, 0]) ** 2)
    # Cells far from 38.5 N, where the cone touches, are smaller than they look on the map.
    assert weights[0].max() < weights[2].min()


def test_a_map_that_is_not_conformal_is_refused() -> None:
    with pytest.raises(StormdrawError, match="need a conformal grid"):
        area_weights(Grid("+proj=laea +lat_0=50 +lon_0=0 +R=6371229", (3e5, 3.1e5), (3e5, 3.1e5)))
