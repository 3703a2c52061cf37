"""What a run will fetch, against real inventories and hand-worked sums."""

import itertools
import re

import pytest

from stormdraw.archive.base_models.hrrr import Hrrr
from stormdraw.archive.truths.mrms import series
from stormdraw.costs.disk import disk_bytes
from stormdraw.costs.fetching import fetching, fetching_stations, wanted_files
from stormdraw.costs.message_sizes import file_bytes, message_bytes
from stormdraw.fields.expected_grid import archive_shape
from stormdraw.settings import load_settings
from stormdraw.variables import DEFAULT_STATE, names_of, variable


def inventory_sizes(path):
    """(inventory line without its number and offset, bytes) of each message but the last."""
    rows = [line.split(":", 2) for line in path.read_text().splitlines()]
    return [
        (f":{row[2]}", int(following[1]) - int(row[1]))
        for row, following in itertools.pairwise(rows)
    ]


IN_INVENTORIES = [
    name
    for name in names_of("state", "static")
    if name in Hrrr.message_bytes and variable(name).product == "sfc"
]


@pytest.mark.parametrize("name", IN_INVENTORIES)
def test_sizes_are_between_those_of_the_inventories(real_data, name):
    sizes = []
    for file in (
        "hrrr.20221014.t01z.wrfsfcf00.grib2.idx",
        "hrrr.20221014.t09z.wrfsfcf05.grib2.idx",
    ):
        pattern = re.compile("|".join(variable(name).inventory_pattern(lead) for lead in (0, 5)))
        rows = inventory_sizes(real_data / "idx" / file)
        sizes += [size for line, size in rows if pattern.search(line)]
    assert min(sizes) <= message_bytes("hrrr", name) <= max(sizes)


def test_sizes_of_other_grids():
    assert message_bytes("href", "T2M") == 631_668
    assert message_bytes("hrrr", "U10", points=1059 * 1799 // 10) == pytest.approx(238_161, abs=1)
    assert message_bytes("hiresw", "U10") == 2_381_615 * 1025 * 1473 // (1059 * 1799)
    # A third of the rows of HRRR's 1,059 needs a third of a mosaic.
    mosaic = series(180)
    assert file_bytes(mosaic) == mosaic.file_bytes
    assert file_bytes(mosaic, points=353 * 1799) == mosaic.file_bytes // 3
    assert message_bytes("hrrr", "NEW") == message_bytes("hrrr", "HPBL") == 2_969_974


def test_reports_of_stations_are_a_request_a_network_and_day(config):
    assert fetching_stations(load_settings(config)) is None
    disk = disk_bytes(load_settings(config), {})
    config["archive"]["stations"] = {"networks": ["ID_ASOS", "MT_ASOS"]}
    settings = load_settings(config)
    stations = fetching_stations(settings)
    # One day; 50 stations report twice an hour for 36 hours, in lines of 95 bytes.
    assert stations.files == 2
    assert stations.bytes == stations.over_network == 2 * 50 * 2 * 36 * 95
    assert disk_bytes(settings, {})["archive"] == disk["archive"] + stations.bytes


def test_files_are_counted_once_and_by_source(config):
    settings = load_settings(config)
    files = wanted_files(settings)
    # Six hours, then the initial time and two valid times; ten members at two leads.
    assert {source: len(found) for source, found in files.items()} == {
        "hrrr": 9,
        "static": 1,
        "href": 20,
    }
    own = sum(message_bytes("hrrr", name) for name in DEFAULT_STATE)
    analyses = fetching(settings, files["hrrr"])
    assert analyses.bytes == 9 * own
    assert analyses.over_network == 9 * (own + 10_000)


def test_driving_forecasts_are_a_megabyte_a_message_and_fields_of_their_own(config):
    """Those of GFS by hand: files times variables, each field on the grid with fewer points."""
    config["archive"] = {
        "source": ["aws"],
        "driving": {"model": "gfs", "variables": ["PWAT", "T850"]},
    }
    config["ensembles"] = {
        "systems": [{"name": "persistence", "method": "baseline", "kind": "persistence"}]
    }
    config["models"], config["scores"], config["report"] = [], {}, {}
    settings = load_settings(config)
    files = wanted_files(settings)
    count = len(settings.driving_forecasts())
    assert len(files["driving"]) == count > 0
    assert fetching(settings, files["driving"]).bytes == count * 2 * 1_000_000
    without = {source: found for source, found in files.items() if source != "driving"}

    def points(settings):
        more = disk_bytes(settings, files)["fields"] - disk_bytes(settings, without)["fields"]
        return more / (count * 2 * 4)

    # 10 x 20 points of 3 km are 0.3 by 0.65 degrees: 2 or 3 by 3 or 4 points and the ones around
    # them, and two more on each side.
    assert 6 * 7 <= points(settings) <= 8 * 9
    config["fields"]["coarsen"] = 5
    assert points(load_settings(config)) == 2 * 4


def test_nothing_comes_over_the_network_from_a_folder(config, tmp_path):
    config["archive"] = {"source": {"mirror": str(tmp_path)}}
    config["ensembles"]["systems"].pop(1)
    settings = load_settings(config)
    assert fetching(settings, wanted_files(settings)["hrrr"]).over_network == 0
    config["archive"] = {"source": {"mirror": "http://127.0.0.1/hrrr"}}
    settings = load_settings(config)
    assert fetching(settings, wanted_files(settings)["hrrr"]).over_network > 0


def test_the_grid_of_a_mirror_is_read_from_its_files(config, real_data):
    config["archive"] = {"source": {"mirror": str(real_data / "hrrr_idaho")}}
    config["ensembles"]["systems"].pop(1)
    del config["fields"]
    assert archive_shape(load_settings(config)) == (78, 41)
