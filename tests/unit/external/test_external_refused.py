"""Files of others whose times, units, members or grids cannot be right."""

from datetime import timedelta

import numpy as np
import pytest
from ensemble_files import (
    INIT,
    LAMBERT,
    LEADS,
    MEMBERS,
    celsius,
    ensemble,
    files,
    lambert_degrees,
    on_degrees,
)

from stormdraw.errors import StormdrawError
from stormdraw.external.inputs import first_grid, require_any
from stormdraw.external.paths import local_copy
from stormdraw.external.reading import open_forecast, open_state

PATH = "{init:%Y%m%d%H}_{lead:02d}.nc"


def refused(tmp_path, dataset, path="a.nc", lead=1, **layout):
    """What is said of the only field of a file."""
    target = tmp_path / path.format(init=INIT, lead=lead)
    dataset.to_netcdf(target)
    with (
        pytest.raises(StormdrawError) as caught,
        open_forecast(files(tmp_path / path, **layout), "theirs", INIT, ["T2M"], [lead]) as opened,
    ):
        opened.field("T2M", 0, lead)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(str(target))
    return message.removeprefix(str(target))


def test_a_valid_time_that_is_not_that_of_the_path(tmp_path):
    said = refused(tmp_path, ensemble().isel(time=1).drop_vars("lead"), PATH)
    assert said == (
        ": time is 2026-06-08 09:00 UTC; expected 2026-06-08 07:00 UTC, 1 hours after "
        "2026-06-08 06:00"
    )


def test_a_lead_that_is_not_that_of_the_path(tmp_path):
    said = refused(tmp_path, ensemble().isel(time=1), PATH)
    assert said == ": lead is 3 hours; expected the lead of its path, 1 hours"


def test_an_initial_time_that_is_not_that_of_the_path(tmp_path):
    other = ensemble()
    other["start"] = other["start"] - np.timedelta64(6, "h")
    assert ": start is 2026-06-08 00:00 UTC; expected the initial time of its path" in refused(
        tmp_path, other.isel(time=0), PATH
    )


def test_a_valid_time_that_is_not_initial_time_and_lead(tmp_path):
    other = ensemble()
    other["time"] = other["time"] + np.timedelta64(1, "h")
    assert ": time is 2026-06-08 08:00 UTC; expected 2026-06-08 07:00 UTC" in refused(
        tmp_path, other
    )


def test_times_of_no_known_unit(tmp_path):
    other = ensemble().drop_vars("lead")
    other["time"] = ("time", [1, 3, 6], {"standard_name": "time", "units": "fortnight"})
    assert ": time holds int64 in units of 'fortnight'; expected times" in refused(tmp_path, other)


def test_leads_in_a_unit_of_something_else(tmp_path):
    other = ensemble().drop_vars("time")
    other["lead"].attrs["units"] = "furlong"
    assert ": lead: units: furlong cannot be converted to hour" in refused(tmp_path, other)


def test_a_file_without_leads(tmp_path):
    other = ensemble().isel(time=0).drop_vars(["lead", "time"])
    assert ": cannot tell the lead of its fields; expected" in refused(tmp_path, other)


def test_units_of_something_else(tmp_path):
    other = ensemble()
    other["temperature"].attrs["units"] = "hPa"
    said = refused(tmp_path, other)
    assert ": T2M has the units 'hPa', expected some of K" in said
    assert said.endswith("; correct layout.variables, or the file")


def test_values_that_are_in_other_units_than_the_file_says(tmp_path):
    said = refused(tmp_path, celsius("K"))
    assert ": T2M has a median of 6.96701 K if its units are 'K'; expected 213 to 333" in said


def test_a_member_twice(tmp_path):
    other = ensemble()
    other["realization"] = ("realization", [0, 1, 1], other["realization"].attrs)
    assert refused(tmp_path, other) == (
        ": realization holds member 1 more than once; expected each member once"
    )


def test_members_that_are_no_numbers(tmp_path):
    other = ensemble()
    other["realization"] = ("realization", [0, 0.5, 1], other["realization"].attrs)
    assert ": realization holds 0.0, 0.5, 1.0; expected whole numbers" in refused(tmp_path, other)


LATITUDE, LONGITUDE = np.array([10.0, 11.0, 12.0, 13.0]), np.arange(5.0)


@pytest.mark.parametrize(
    ("latitude", "longitude", "complaint"),
    [
        (LATITUDE + 78, LONGITUDE, ": latitude holds 91; expected degrees from -90 to 90"),
        (LATITUDE * np.nan, LONGITUDE, ": latitude holds nan; expected degrees"),
        (LATITUDE, LONGITUDE + 600, ": longitude holds 600; expected degrees from -360 to 540"),
        (LATITUDE, LONGITUDE * 100, ": longitude spans 400 degrees; expected 360 at most"),
        (np.array([10.0, 12.0, 11.0, 13.0]), LONGITUDE, ": latitude has 4 values that do not all"),
    ],
)
def test_places_that_are_nowhere(tmp_path, latitude, longitude, complaint):
    assert complaint in refused(tmp_path, on_degrees(ensemble(), latitude, longitude))


def test_a_map_that_proj_does_not_know(tmp_path):
    other = ensemble()
    other["crs"].attrs["grid_mapping_name"] = "potato"
    assert ": the grid mapping crs is potato, of which PROJ makes no map" in refused(
        tmp_path, other
    )


def test_a_grid_mapping_that_is_not_there(tmp_path):
    other = ensemble().drop_vars("crs")
    assert ": temperature has the grid mapping 'crs', which is not in the file" in refused(
        tmp_path, other
    )


def test_a_map_whose_axes_are_no_lengths(tmp_path):
    other = ensemble()
    other["x"].attrs["units"] = "degrees"
    assert ": x has the units 'degrees', which are no m" in refused(tmp_path, other)


def test_an_axis_that_is_not_even(tmp_path):
    other = ensemble()
    other["x"] = ("x", [0.0, 3000.0, 6100.0, 9000.0, 12000.0], other["x"].attrs)
    assert ": x is not evenly spaced" in refused(tmp_path, other)


def test_a_map_beyond_the_earth(tmp_path):
    other = ensemble()
    other["crs"].attrs = {
        **{key: LAMBERT[key] for key in ("earth_radius", "latitude_of_projection_origin")},
        "grid_mapping_name": "lambert_azimuthal_equal_area",
        "longitude_of_projection_origin": -97.5,
    }
    other["x"] = ("x", 1e7 * np.arange(5), other["x"].attrs)
    assert "lie nowhere on its map; expected places on Earth" in refused(tmp_path, other)


def test_a_map_and_places_that_disagree(tmp_path):
    """As where every second point was kept, but not of x and y."""
    other = ensemble()
    longitude, latitude = lambert_degrees()
    other = other.assign_coords(latitude=(("y", "x"), latitude), longitude=(("y", "x"), longitude))
    for name, units in (("latitude", "degrees_north"), ("longitude", "degrees_east")):
        other[name].attrs["units"] = units
    other.to_netcdf(tmp_path / "right.nc")
    with open_forecast(files(tmp_path / "right.nc"), "theirs", INIT, ["T2M"], [1]) as opened:
        assert opened.field("T2M", 0, 1) is not None
    for name in ("x", "y"):
        other[name] = (name, other[name].values * 20, other[name].attrs)
    said = refused(tmp_path, other)
    assert "and at 38.581 N -97.362 E by its latitudes and longitudes; expected the same" in said


def test_a_list_of_points_of_another_shape(tmp_path):
    other = on_degrees(ensemble(), LATITUDE, LONGITUDE)
    other = other.stack(cell=("y", "x")).reset_index("cell", drop=True)
    said = refused(tmp_path, other, points="cell", shape=[5, 5])
    assert said == ": latitude has 20 points; expected 5 x 5, as layout.shape says"


def test_members_in_the_path_of_an_analysis(tmp_path):
    with pytest.raises(
        StormdrawError, match=r"m\{member\}.nc: has \{member\}, but an analysis has"
    ):
        open_state(files(tmp_path / "m{member}.nc"), "truth", INIT, ["T2M"])


def test_places_that_no_file_system_knows():
    """One line each, whether files are looked for, listed or fetched."""
    for path, said in (("m1.nc", "cannot be reached"), ("m{member}.nc", "cannot be listed")):
        opened = open_forecast(files(f"nowhere://{path}"), "theirs", INIT, ["T2M"], [1])
        with opened, pytest.raises(StormdrawError, match=rf"nowhere://.*: {said}: ") as caught:
            _ = opened.members
        assert "\n" not in str(caught.value)
    with pytest.raises(StormdrawError, match=r"^nowhere://m1.nc: cannot be fetched: "):
        local_copy("nowhere://m1.nc")


def test_a_truth_on_no_map_has_no_target_grid(tmp_path):
    longitude, latitude = lambert_degrees()
    own = on_degrees(ensemble().isel(realization=0, time=[0]), latitude, longitude)
    own.drop_vars(["realization", "start", "lead"]).to_netcdf(tmp_path / "a.nc")
    valid = INIT + timedelta(hours=1)
    with pytest.raises(StormdrawError, match=r"a\.nc: only latitudes and longitudes of its points"):
        first_grid(files(tmp_path / "a.nc"), "truth", [INIT, valid], ["T2M"])
    assert first_grid(files(tmp_path / "a.nc"), "truth", [INIT], ["T2M"]) is None


def test_no_file_of_any_time(tmp_path):
    settings = files(tmp_path / "{init:%Y%m%d%H}.nc")
    example = (
        f"theirs: path: there is no file of any of the 1 times of this run, such as {tmp_path}"
    )
    with pytest.raises(StormdrawError, match=f"{example}/2026060806.nc; correct the path"):
        require_any(settings, "theirs", "a", [INIT], ["T2M"], [1])
    ensemble().to_netcdf(tmp_path / "2026060806.nc")
    require_any(settings, "theirs", "a", [INIT], ["T2M"], [1])


def test_points_without_places(tmp_path):
    other = ensemble().drop_vars(["crs", "x", "y"])
    del other["temperature"].attrs["grid_mapping"]
    assert ": cannot tell where the points of temperature are, which has the dimensions y, x" in (
        refused(tmp_path, other)
    )


def test_other_files_of_a_case_on_another_grid(tmp_path):
    for place, lead in enumerate(LEADS[:2]):
        part = ensemble().isel(time=place)
        part.assign_coords(x=part["x"] + 3000.0 * place).to_netcdf(tmp_path / f"{lead}.nc")
    settings = files(tmp_path / "{lead}.nc")
    with open_forecast(settings, "theirs", INIT, ["T2M"], LEADS[:2]) as opened:
        opened.field("T2M", MEMBERS[0], 1)
        with pytest.raises(
            StormdrawError, match=r"3\.nc: T2M is on a grid of 4 x 5 points from 38"
        ):
            opened.field("T2M", MEMBERS[0], 3)


def test_a_file_that_is_no_netcdf(tmp_path):
    (tmp_path / "a.nc").write_bytes(b"<html>not found</html>")
    opened = open_forecast(files(tmp_path / "a.nc"), "theirs", INIT, ["T2M"], [1])
    with pytest.raises(StormdrawError, match=r"a\.nc: cannot be opened as netcdf4: "):
        opened.field("T2M", 0, 1)


def test_values_that_are_damaged_are_told_with_file_and_field(tmp_path):
    ensemble().to_zarr(tmp_path / "a.zarr", consolidated=False)
    for path in (tmp_path / "a.zarr" / "temperature" / "c").rglob("*"):
        if path.is_file():
            path.write_bytes(b"not compressed")
    with (
        open_forecast(files(tmp_path / "a.zarr"), "theirs", INIT, ["T2M"], [1]) as opened,
        pytest.raises(StormdrawError, match=r"a\.zarr: temperature cannot be read: .*; replace"),
    ):
        opened.field("T2M", MEMBERS[0], 1)


def test_members_that_no_attribute_tells_are_to_be_named(tmp_path):
    silent = ensemble()
    silent["realization"].attrs = {}
    said = refused(tmp_path, silent)
    assert ": temperature has the dimensions realization, y, x besides those of times" in said
    assert "name those of times and members under layout.lead, layout.member and so on" in said
    target = tmp_path / "a.nc"
    with open_forecast(files(target, member="realization"), "x", INIT, ["T2M"], [1]) as opened:
        assert opened.members == list(MEMBERS)


def test_none_of_the_variables(tmp_path):
    ensemble().rename(temperature="t").to_netcdf(tmp_path / "a.nc")
    opened = open_forecast(files(tmp_path / "a.nc"), "theirs", INIT, ["T2M"], [1])
    with opened, pytest.raises(StormdrawError) as caught:
        _ = opened.members
    assert "holds t, crs; expected some of temperature: say" in str(caught.value)


def test_two_coordinates_of_one_role(tmp_path):
    other = ensemble().assign_coords(again=("time", [1, 2, 3], {"standard_name": "time"}))
    assert ": time, again could each be the valid; name one under layout.valid" in refused(
        tmp_path, other
    )


def test_winds_that_may_follow_either(tmp_path):
    winds = ensemble().rename(temperature="u")
    winds["v"] = winds["u"]
    winds.update({name: winds[name].assign_attrs(units="m s-1") for name in "uv"})
    winds.to_netcdf(tmp_path / "a.nc")

    def follow_grid(**layout):
        settings = files(tmp_path / "a.nc", variables={"U10": "u", "V10": "v"}, **layout)
        with open_forecast(settings, "theirs", INIT, ["U10", "V10"], [1]) as opened:
            return opened.grid_relative_winds

    assert follow_grid(winds="grid")
    assert not follow_grid(winds="compass")
    with pytest.raises(
        StormdrawError, match=r"does not say whether U10, V10 follow .*layout\.winds"
    ):
        follow_grid()
    for name, standard_name, expected in (
        ("u", "eastward_wind", False),
        ("u", "x_wind", True),
    ):
        winds[name].attrs["standard_name"] = standard_name
        (tmp_path / "a.nc").unlink()
        winds.to_netcdf(tmp_path / "a.nc")
        assert follow_grid() is expected
