"""Drawing the perfect ensemble from a saved world."""

from datetime import datetime

import numpy as np
import pytest
from simulated_world import small_settings

from stormdraw.errors import StormdrawError
from stormdraw.grids import Grid
from stormdraw.simulated import SIMULATED_VARIABLES
from stormdraw.simulated.mirror import write_archive
from stormdraw.simulated.perfect import draw_members

CASE = datetime(2026, 6, 1, 6)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("perfect")
    settings = small_settings(
        archive={
            "simulated": {"rows": [500, 518], "columns": [900, 921], "spin_up_hours": 12},
            "reference": None,
        },
        ensembles={"systems": [{"name": "perfect", "method": "perfect"}]},
    )
    write_archive(settings, folder / "archive", folder / "world.nc")
    return folder / "world.nc"


def test_shape_names_and_coordinates(world):
    drawn = draw_members(world, CASE, [1, 3], 4, 0, "perfect")
    assert set(drawn.data_vars) == set(SIMULATED_VARIABLES)
    assert dict(drawn.sizes) == {"member": 4, "lead": 2, "y": 18, "x": 21}
    assert drawn["lead"].values.tolist() == [1, 3]
    assert drawn["lead"].attrs["units"] == "h"
    assert all(drawn[name].dtype == np.float32 for name in SIMULATED_VARIABLES)
    assert all(drawn[name].attrs["grid_mapping"] == "projection" for name in SIMULATED_VARIABLES)
    assert Grid.of(drawn).shape == (18, 21)


def test_the_same_draw_twice(world):
    one, other = (draw_members(world, CASE, [1], 3, 0, "perfect") for _ in range(2))
    assert one.identical(other)


def test_a_member_depends_on_neither_the_others_nor_the_leads(world):
    few = draw_members(world, CASE, [2], 2, 0, "perfect")
    many = draw_members(world, CASE, [1, 2, 3], 4, 0, "perfect")
    for name in SIMULATED_VARIABLES:
        np.testing.assert_array_equal(few[name].values, many[name].values[:2, 1:2])


def test_members_seeds_and_systems_differ(world):
    fields = [
        draw_members(world, CASE, [1], 2, seed, system)["T2M"].values
        for seed, system in ((0, "perfect"), (1, "perfect"), (0, "other"))
    ]
    members = np.concatenate(fields)
    for one in range(len(members)):
        for other in range(one):
            assert np.mean(members[one] != members[other]) > 0.5


def test_spread_grows_with_lead(world):
    drawn = draw_members(world, CASE, [1, 3], 12, 0, "perfect")
    spread = drawn["T2M"].var("member", ddof=1).mean(("y", "x"))
    assert float(spread[1]) > 1.3 * float(spread[0])


def test_a_time_without_a_saved_state_is_an_error(world):
    with pytest.raises(StormdrawError, match=r"world\.nc: holds no state at 2026-06-01 07 UTC"):
        draw_members(world, datetime(2026, 6, 1, 7), [1], 2, 0, "perfect")
