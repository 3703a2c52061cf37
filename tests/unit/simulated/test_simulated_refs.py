"""REFS as the simulated archive has it: found and fetched as the real one would be."""

from datetime import datetime

import numpy as np
import pytest
from simulated_world import small_settings

from stormdraw.archive.fetch import fetch_day
from stormdraw.archive.manifest import read_manifest
from stormdraw.messages import opened, read_grid, read_messages
from stormdraw.simulated.mirror import write_archive

import eccodes  # isort: skip  (after stormdraw)

CASE = datetime(2026, 6, 1, 6)


@pytest.fixture(scope="module")
def refs(tmp_path_factory):
    """(settings, folder of the archive)"""
    folder = tmp_path_factory.mktemp("refs")
    simulated = small_settings().archive.simulated.model_dump()
    systems = [
        {"name": "refs", "method": "reference", "minimum_members": 14},
        {"name": "mean", "method": "reference", "kind": "products"},
    ]
    settings = small_settings(
        archive={"reference": "refs", "simulated": simulated},
        ensembles={"systems": systems},
        leads=[1],
    )
    write_archive(settings, folder / "mirror", folder / "world.nc")
    return settings, folder


def fetched(refs, source):
    """{(member or statistic, variable): (values, grid)}"""
    settings, folder = refs
    manifest = folder / source / "manifest.csv"
    fetch_day(settings, source, "20260601", manifest, folder / "mirror")
    table = read_manifest(manifest)
    assert set(table["status"]) == {"ok"}
    found = {}
    for _, row in table.iterrows():
        content = (manifest.parent / row["file"]).read_bytes()
        with opened(content[row["offset"] : row["offset"] + row["bytes"]]) as handle:
            grid = read_grid(handle)
            values = eccodes.codes_get_values(handle).reshape(grid.shape)
        found[row["member"] or row["statistic"], row["variable"]] = values, grid
    return found


def test_mean_and_spread_are_those_of_fourteen_members_on_one_grid(refs):
    members, products = fetched(refs, "refs"), fetched(refs, "refs_products")
    assert len({name for name, _ in members}) == 14
    assert len({grid for _, grid in [*members.values(), *products.values()]}) == 1
    temperatures = np.stack([values for (_, name), (values, _) in members.items() if name == "T2M"])
    mean, spread = products["mean", "T2M"][0], products["spread", "T2M"][0]
    # Members are in tenths of a kelvin, products in hundredths.
    np.testing.assert_allclose(mean, temperatures.mean(axis=0), atol=0.006)
    np.testing.assert_allclose(spread, temperatures.std(axis=0), atol=0.006)
    assert spread.mean() > 0.05


def test_perturbed_members_say_which_they_are(refs):
    _, folder = refs
    path = (
        folder / "mirror/rrfsens.20260601/06/m003/rrfs.t06z.m003.2dfldnomads.3km.f001.conus.grib2"
    )
    for message in read_messages(path):
        with opened(message) as handle:
            assert eccodes.codes_get(handle, "perturbationNumber") == 3
