"""The disk that a run will need, against hand-worked sums."""

import pytest

from stormdraw.costs.disk import disk_bytes, keeps_ensembles
from stormdraw.costs.fetching import fetching, wanted_files
from stormdraw.settings import load_settings

# On the grid of `config`.
ONE_FIELD = 10 * 20 * 4


def test_disk_is_the_sum_of_uncompressed_fields(config):
    config["scores"] = {"maps": False}
    settings = load_settings(config)
    files = wanted_files(settings)
    disk = disk_bytes(settings, files)
    assert disk["archive"] == sum(fetching(settings, found).bytes for found in files.values())
    assert disk["fields"] == (9 + 20) * 7 * ONE_FIELD
    # Seven variables and wind speed; 4 members in half the bits and persistence at two leads, and
    # HREF's twenty.
    assert disk["ensembles"] == (4 * 2 / 2 + 2 + 20) * 8 * ONE_FIELD
    assert disk["scores"] == 0
    settings = load_settings(config | {"scores": {"maps": True}})
    assert disk_bytes(settings, files)["scores"] == 3 * 8 * ONE_FIELD * 5 // 4


def test_the_compact_store_is_a_fifth(config):
    held = []
    for store in ("fast", "compact"):
        config["fields"]["store"] = store
        settings = load_settings(config)
        held.append(disk_bytes(settings, wanted_files(settings))["fields"])
    assert held[1] == pytest.approx(held[0] / 5, rel=1e-3)


def test_exported_ensembles_count_at_32_bits_beside_the_others(config):
    config["scores"] = {"maps": False}
    held = []
    for export in ("none", "zarr"):
        config["ensembles"] |= {"export": export}
        settings = load_settings(config)
        held.append(disk_bytes(settings, wanted_files(settings))["ensembles"])
    assert held[1] - held[0] == (4 * 2 + 2 + 20) * 8 * ONE_FIELD


def test_climatology_counts_its_training_hours(config):
    systems = config["ensembles"]["systems"]
    systems[1:] = [{"name": "climatology", "method": "baseline", "kind": "climatology"}]
    config["periods"]["training"]["end"] = "2026-06-01T12:00"
    settings = load_settings(config)
    # 00 to 12 UTC hold three hours within one of 01 UTC (the first lead) and of 02 UTC.
    drawn = 4 * 2 / 2 + 3 * 2
    assert disk_bytes(settings, wanted_files(settings))["ensembles"] == drawn * 8 * ONE_FIELD


@pytest.mark.parametrize(
    ("system", "changes", "states"),
    [
        # Four members at two leads: those of the true distribution in half the bits.
        ({"method": "perfect"}, {"archive": {"reference": "href"}}, 4 * 2 / 2),
        # Downscaled ones in all, and what they are made of is no ensemble.
        ({"method": "downscale", "models": ["ddpm_residual"]}, {}, 4 * 2),
        ({"method": "baseline", "kind": "hrrr"}, {}, 2),
        ({"method": "baseline", "kind": "lagged", "ages": [0, 6, 12]}, {}, 3 * 2),
        # Ten members, of which a second system is made as well.
        ({"method": "reference", "minimum_members": 9}, {}, 20),
        # Mean and spread.
        ({"method": "reference", "kind": "products"}, {}, 2 * 2),
    ],
)
def test_each_system_has_the_disk_of_its_members(config, system, changes, states):
    config |= changes
    before = load_settings(config)
    config["ensembles"]["systems"] += [{"name": "again", **system}]
    after = load_settings(config)
    added = [disk_bytes(run, wanted_files(run))["ensembles"] for run in (before, after)]
    assert added[1] - added[0] == states * 8 * ONE_FIELD


def test_a_truth_of_its_own_is_fields_and_no_ensemble(config):
    before = load_settings(config)
    config["archive"]["truth"] = "hrrr_f01"
    after = load_settings(config)
    disk = [disk_bytes(run, wanted_files(run)) for run in (before, after)]
    assert disk[1]["fields"] - disk[0]["fields"] == 2 * 7 * ONE_FIELD
    assert disk[1]["ensembles"] == disk[0]["ensembles"]


def test_deleted_ensembles_take_the_disk_of_two_cases(config):
    config["periods"]["test"]["end"] = "2026-06-07T08:00"  # five cases, 30 hours apart
    config["ensembles"]["keep"] = True
    settings = load_settings(config)
    files = wanted_files(settings)
    everything = disk_bytes(settings, files)["ensembles"]
    # Four members in half the bits, persistence and ten members of HREF.
    assert everything == 5 * 2 * (4 / 2 + 1 + 10) * 8 * ONE_FIELD
    config["ensembles"]["keep"] = False
    assert disk_bytes(load_settings(config), files)["ensembles"] == everything * 2 / 5
    # Never more than all of them.
    config["periods"]["test"]["end"] = "2026-06-02T02:00"
    settings = load_settings(config)
    files = wanted_files(settings)
    assert disk_bytes(settings, files)["ensembles"] == everything / 5


def test_disk_has_products_and_what_maps_are_drawn_from(config):
    config["scores"] = {"reference": "href"}
    settings = load_settings(config)
    report = disk_bytes(settings, wanted_files(settings))["report"]
    # One candidate, two leads: seven products of each of seven variables and wind speed, and the
    # probabilities at a point and near it, in 32 and 16 bits. Truth, mean, share and eight members
    # of two systems.
    probabilities = sum(map(len, settings.scores.thresholds.values()))
    products = len(settings.initial_times()) * 2 * (7 * 8 + 2 * probabilities) * 1.5
    assert report == ONE_FIELD * (products + 2 * 2 * (3 + 8))
    config["ensembles"]["keep"] = False
    settings = load_settings(config)
    more = disk_bytes(settings, wanted_files(settings))["report"] - report
    assert more == ONE_FIELD * 2 * (3 + 8) * (len(settings.ensembles.systems) - 2)


def test_small_ensembles_are_kept_unless_told_otherwise(config):
    assert keeps_ensembles(load_settings(config))
    config["ensembles"]["keep"] = False
    assert not keeps_ensembles(load_settings(config))
    # 1059 x 1799 points, 8 variables, 2 leads, 2 bytes: 61 MB a member, so 100 GB are 1640 members.
    del config["fields"], config["ensembles"]["keep"]
    config["ensembles"]["members"] = 820
    config["report"] = {"products_of": "href"}  # products of so many members cannot be
    config["ensembles"]["systems"].append(
        {"name": "again", "method": "diffusion", "model": "ddpm_residual", "members": 819}
    )
    assert keeps_ensembles(load_settings(config))
    config["ensembles"]["systems"][-1]["members"] = 821
    assert not keeps_ensembles(load_settings(config))
    config["ensembles"]["keep"] = True
    assert keeps_ensembles(load_settings(config))
