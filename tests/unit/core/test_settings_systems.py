"""The systems of a configuration, and how many members they may have."""

import pytest
from changed_config import changed

from stormdraw.errors import StormdrawError
from stormdraw.settings import load_settings

SYSTEMS = (
    {"name": "x", "method": "diffusion", "model": "ddpm_residual"},
    {"name": "x", "method": "one_step", "model": "ddpm_residual"},
    {"name": "x", "method": "downscale", "models": ["ddpm_residual"]},
    {"name": "x", "method": "perfect"},
)


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system["method"])
@pytest.mark.parametrize("members", [0, 1, 1001, 2.5])
def test_members_of_a_system_are_2_to_1000(config, system, members):
    edits = {"ensembles__systems": [system | {"members": members}], "scores__reference": None}
    with pytest.raises(
        StormdrawError, match=rf"systems\.0\.{system['method']}\.members: .*Input sh"
    ):
        load_settings(changed(config, **edits))
    # Products in GRIB2 have no room for as many.
    href = {"name": "href", "method": "reference", "kind": "members"}
    edits["ensembles__systems"] = [system | {"members": 1000}, href]
    edits["report__products_of"] = "href"
    assert load_settings(changed(config, **edits)).ensembles.systems[0].members == 1000


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system["method"])
def test_products_are_of_no_more_members_than_grib2_has_room_for(config, system):
    """One octet of which all ones stand for a missing value: 254."""

    def run(members, **edits):
        systems = [system | {"members": members}]
        edits |= {"ensembles__systems": systems, "scores__reference": None}
        return load_settings(changed(config, **edits))

    assert run(254, report__products_of="x").ensembles.systems[0].members == 254
    with pytest.raises(StormdrawError, match=r"x has 255 members, but GRIB2 products .* most 254"):
        run(255, report__products_of="x")
    if system["method"] == "perfect":
        # Its products are not written unless it is named.
        assert run(255)
    else:
        with pytest.raises(StormdrawError, match="x has 255 members"):
            run(255)


@pytest.mark.parametrize(
    ("system", "complaint"),
    [
        ({"method": "baseline", "kind": "hrrr", "ages": [0, 6]}, "ages applies only to"),
        ({"method": "baseline", "kind": "lagged", "window_hours": 2}, "window_hours applies only"),
        ({"method": "baseline", "kind": "persistence", "season_days": 9}, "season_days applies"),
        ({"method": "baseline", "kind": "hrrr", "climatology_members": 9}, "climatology_members"),
        (
            {"method": "downscale", "models": ["ddpm_residual"], "ages": [0, 6]},
            "ages applies only to source: lagged; remove it",
        ),
    ],
)
def test_keys_of_another_kind_of_system(config, system, complaint):
    systems = [{"name": "x", **system}]
    with pytest.raises(StormdrawError, match=complaint):
        load_settings(changed(config, ensembles__systems=systems, scores__reference=None))


def test_a_downscaling_system(config):
    def run(**changes):
        fine = {"name": "fine", "method": "downscale", "models": ["ddpm_residual"], **changes}
        systems = {"ensembles__systems": [fine], "scores__reference": None}
        return load_settings(changed(config, **systems))

    assert run(source="lagged", ages=[3, 0]).ages("hrrr_lagged") == [0, 3]
    for wrong, said in (
        ({"models": []}, "models"),
        ({"models": ["ddpm_residual"] * 2}, "give each downscaler once"),
        ({"models": ["fine_t2m"]}, "samples the model 'fine_t2m', which is not in the list"),
        ({"source": "gfs"}, "'hrrr', .*'lagged' or 'reference'"),
        ({"eta": 0.5}, "eta is of the sampler ddim"),
        ({"ages": [1, 1]}, "give each age of a run once"),
    ):
        with pytest.raises(StormdrawError, match=said):
            run(**wrong)


def test_products_are_not_of_a_baseline(config):
    with pytest.raises(StormdrawError, match=r"products_of is 'persistence', which is a baseline"):
        load_settings(changed(config, report__products_of="persistence"))
