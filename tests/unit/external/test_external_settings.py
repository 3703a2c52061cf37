"""The settings of files of others, and the paths they give."""

from datetime import datetime

import pytest
from pydantic import ValidationError

from stormdraw.external.paths import PathTemplate
from stormdraw.external.settings import ExternalFiles, Layout, preset_names

VALUES = {
    "name": "theirs",
    "variable": "t2m",
    "init": datetime(2026, 6, 8, 6),
    "valid": datetime(2026, 6, 8, 9),
    "lead": 3,
    "member": 7,
}


def test_a_path_is_formatted_as_python_does():
    template = PathTemplate("/d/{name}/{init:%Y%m%d%H}/{variable}_{lead:03d}_{member:02d}.nc")
    assert template.path(**VALUES) == "/d/theirs/2026060806/t2m_003_07.nc"
    assert template.path(**VALUES) == template.text.format(**VALUES)


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("{date}.nc", "{date} is no field of a path; known ones are {name}, {variable}, {init}"),
        ("{init.year}.nc", "{init.year} is no field"),
        ("{init!r}.nc", "{init} is no field"),
        ("{lead:{member}}.nc", "{lead} is no field"),
        ("{}.nc", "{} is no field"),
        ("{lead:%Y}.nc", "{lead:%Y}: Invalid format specifier"),
        ("{init", "'{init': expected '}' before end of string"),
        ("a.txt", "path ends in '.txt', which is none of .zarr, .nc"),
        ("", "String should have at least 1 character"),
    ],
)
def test_paths_that_cannot_be_filled(path, complaint):
    with pytest.raises(ValidationError) as caught:
        ExternalFiles(path=path)
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("layout", "complaint"),
    [
        ({"variables": {"T3M": "t"}}, "unknown variable T3M: known ones are REFC, T2M"),
        ({"units": {"T2M": "hPa"}}, "T2M: hPa cannot be converted to K"),
        ({"lead_unit": "30 minute m"}, "30 minute m cannot be converted to hour"),
        ({"lead_unit": "metre"}, "metre cannot be converted to hour"),
        ({"crs": "+proj=potato"}, "'+proj=potato' is no map that PROJ knows"),
        ({"leed": "step"}, "leed"),
        ({"winds": "sideways"}, "winds"),
    ],
)
def test_layouts_that_cannot_be(layout, complaint):
    with pytest.raises(ValidationError) as caught:
        ExternalFiles(path="a.nc", layout=layout)
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("path", "expected"),
    [("s3://b/{init:%Y}.zarr/", "zarr"), ("a.nc4", "netcdf"), ("m{member}.grib2", "grib")],
)
def test_the_format_is_that_of_the_ending(path, expected):
    assert ExternalFiles(path=path).format == expected
    assert ExternalFiles(path=path, layout={"format": "zarr"}).format == "zarr"


def test_every_preset_is_valid():
    assert preset_names() == (
        *("anemoi", "earth2studio", "hrrrcast", "hrrrcast_netcdf", "mogreps", "weatherbenchx"),
    )
    for name in preset_names():
        files = ExternalFiles(path="a.nc", preset=name)
        assert files.layout != Layout(), name
        # What a rule's parameters hold is the whole layout, and reads back as the same.
        assert ExternalFiles.model_validate(files.model_dump()) == files


def test_keys_of_the_layout_take_the_place_of_the_preset():
    own = {"variables": {"T2M": "t_2m"}, "format": "zarr"}
    files = ExternalFiles(path="a.nc", preset="mogreps", layout=own)
    assert files.layout.external_variable("T2M").name == "t_2m"
    assert files.layout.external_variable("WIND10").name == "wind_speed"
    assert files.format == "zarr"


def test_an_unknown_preset():
    with pytest.raises(ValidationError, match=r"preset is 'mogrep'; known ones are .*mogreps"):
        ExternalFiles(path="a.nc", preset="mogrep")


def test_members_are_those_whose_files_are_listed():
    template = PathTemplate("m{member:02d}/{variable}.{lead:03d}.m{member:02d}.nc")
    listed = [
        "m01/t.003.m01.nc",
        "m12/t.003.m12.nc",
        "m12/t.006.m12.nc",
        "m02/t.003.m05.nc",  # of two members
        "m07/q.003.m07.nc",  # of another variable
        "m08/t.009.m08.nc",  # of another lead
        "m09/t.003.m09.nc.part",
    ]
    assert template.members(listed, {"variable": ["t"], "lead": [3, 6]}) == [1, 12]


def test_signs_of_patterns_in_a_path_are_themselves(tmp_path):
    folder = tmp_path / "a[1]*b"
    folder.mkdir()
    (folder / "m3.nc").touch()
    template = PathTemplate(f"{folder}/m{{member}}.nc")
    from stormdraw.external.paths import listed

    assert template.members(listed(template.glob()), {}) == [3]


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("{init}.nc", {"init"}),
        ("{init:%Y%m%d}/{init:%H}_{lead}.nc", {"init", "lead"}),
        ("{init:%j%H}.nc", {"init"}),
        ("{init:%Y%m%d}.nc", set()),
        ("{init:%H}.nc", set()),
        ("{valid:%d%H}_{member}.nc", {"member"}),
        ("{valid:%Y%m}.nc", set()),
    ],
)
def test_a_path_tells_a_time_if_no_other_one_has_it(path, told):
    assert PathTemplate(path).told == told
