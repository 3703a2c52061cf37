"""What a run will cost, against real inventories, hand-worked sums and runs that were measured."""

import copy
import dataclasses
import itertools
import re

import pytest
import yaml

from stormdraw.archive.base_models.hrrr import Hrrr
from stormdraw.costs.computing import OPERATIONS_A_SECOND_ON_CORE, Computing, computing
from stormdraw.costs.disk import disk_bytes, keeps_ensembles
from stormdraw.costs.fetching import fetching, wanted_files
from stormdraw.costs.message_sizes import message_bytes
from stormdraw.costs.plan import cost_plan, plan_text
from stormdraw.costs.runtime import minutes_to_draw, minutes_to_train
from stormdraw.fields.expected_grid import archive_shape, target_shape
from stormdraw.models.operations import Work
from stormdraw.models.settings import ModelSettings, load_model_settings
from stormdraw.settings import load_settings
from stormdraw.variables import DEFAULT_STATE, names_of, variable

# A crop of 10 x 20 points, six hours to learn from, one case.
CONFIG = {
    "title": "Costs",
    "periods": {
        "training": {"start": "2026-06-01T00:00", "end": "2026-06-01T05:00"},
        "test": {"start": "2026-06-02T00:00", "end": "2026-06-02T02:00"},
    },
    "leads": [1, 2],
    "archive": {"source": ["aws", "nomads"], "reference": "href"},
    "fields": {"crop": {"rows": [0, 10], "columns": [0, 20]}},
    "models": ["ddpm_residual"],
    "ensembles": {
        "members": 4,
        "systems": [
            {"name": "model", "method": "diffusion", "model": "ddpm_residual", "steps": 3},
            {"name": "href", "method": "reference", "kind": "members"},
            {"name": "persistence", "method": "baseline", "kind": "persistence"},
        ],
    },
}
ONE_FIELD = 10 * 20 * 4


@pytest.fixture
def config():
    return copy.deepcopy(CONFIG)


@pytest.fixture
def models(root):
    return {
        name: load_model_settings(root / "config" / "models" / f"{name}.yaml")
        for name in ("ddpm_residual", "ddpm_ultra_minimal")
    }


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
    assert message_bytes("hrrr", "NEW") == message_bytes("hrrr", "HPBL") == 2_969_974


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
    """Those of GFS by hand: files times variables."""
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
    more = disk_bytes(settings, files)["fields"] - disk_bytes(settings, without)["fields"]
    rows, columns = target_shape(settings)
    assert more == count * 2 * 4 * rows * columns


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
    # One candidate, two leads: four products of each of seven variables and wind speed, and the
    # probabilities, in 32 and 16 bits. Truth, mean, share and eight members of two systems.
    probabilities = sum(map(len, settings.scores.thresholds.values()))
    products = len(settings.initial_times()) * 2 * (4 * 8 + probabilities) * 1.5
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
    config["report"] = {"products_of": "persistence"}  # products of so many members cannot be
    config["ensembles"]["systems"].append(
        {"name": "again", "method": "diffusion", "model": "ddpm_residual", "members": 819}
    )
    assert keeps_ensembles(load_settings(config))
    config["ensembles"]["systems"][-1]["members"] = 821
    assert not keeps_ensembles(load_settings(config))
    config["ensembles"]["keep"] = True
    assert keeps_ensembles(load_settings(config))


def test_operations_of_the_full_grid_are_those_that_hours_of_cores_rest_on(config, models):
    del config["fields"]
    config["models"] = ["ddpm_ultra_minimal"]
    config["ensembles"]["systems"][0]["model"] = "ddpm_ultra_minimal"
    training = models["ddpm_ultra_minimal"].training.model_copy(update={"precision": "float32"})
    models["ddpm_ultra_minimal"] = models["ddpm_ultra_minimal"].model_copy(
        update={"training": training}
    )
    counted = computing(load_settings(config), models)
    # The reference's step is 375 GFLOP, of which a third is the forward pass. Enlarging within the
    # convolution takes 4 products of 32 by 16 channels a point instead of 9.
    forward = 125e9 - (9 - 4) * 2 * 32 * 16 * 1060 * 1800
    # 200 epochs of 5 pairs, as whole windows of 8: 200 steps.
    assert counted.training.operations / (200 * 8) == pytest.approx(3 * forward, rel=0.01)
    assert counted.sampling.operations / (4 * 2 * 3) == pytest.approx(forward, rel=0.01)


def test_calibration_counts_what_is_tried_and_the_twin(config, models):
    """Of one diffusion model two amplitudes are tried and a mixture: 3 x 2 members x 1 case; then
    four members of the one case that is scored, twice."""
    config["periods"] = {
        "training": {"start": "2026-05-31T00:00", "end": "2026-05-31T05:00"},
        "validation": {"start": "2026-06-01T00:00", "end": "2026-06-01T02:00"},
        "test": config["periods"]["test"],
    }
    plain = computing(load_settings(config), models).sampling
    config["ensembles"] |= {"calibration_members": 2, "calibration_amplitudes": [1.25]}
    config["ensembles"]["systems"][0]["calibrate"] = True
    calibrated = computing(load_settings(config), models).sampling
    assert plain.operations > 0
    assert calibrated.operations / plain.operations == pytest.approx((3 * 2 + 2 * 4) / 4)


def test_the_method_def_counts_both_branches_every_walk_and_its_forecaster(config, models, root):
    steady = {
        **{"family": "gnn", "network": {"latent": 8, "layers": 1}, "training": {"steps": 1}},
        **{"prediction": "target", "target": "residual"},
    }
    path = root / "config" / "models" / "def_perturbation.yaml"
    models["steady"] = ModelSettings.model_validate(steady)
    models["crossed"] = load_model_settings(path).model_copy(update={"forecaster": "steady"})
    crossed = {"name": "crossed", "configuration": "def_perturbation", "forecaster": "steady"}

    def counted(*names, **system):
        config["models"] = list(names)
        config["ensembles"]["systems"][0] = {"name": "model", **system}
        return computing(load_settings(config), models).sampling.operations

    def perturbed(**changes):
        how = {"method": "def", "model": "crossed", "steps": 3}
        return counted("steady", crossed, **how, **changes)

    forecasts = counted("steady", method="one_step", model="steady")
    # The network is that of ddpm_ultra_minimal; at w = 1 a step is one pass of it, else two.
    twin = {"method": "diffusion", "model": "ddpm_ultra_minimal", "steps": 3}
    passes = counted("ddpm_ultra_minimal", **twin)
    # Alone, the deterministic forecaster draws one member, not four.
    assert perturbed(guidance=1.0) == pytest.approx(passes + 4 * forecasts)
    assert perturbed(walks=2) == pytest.approx(4 * passes + 4 * forecasts)


def test_ddpm_residual_takes_about_as_long_as_it_did(root, models):
    demo = yaml.safe_load((root / "config" / "demo.yaml").read_text())
    settings = load_settings(demo)
    counted = computing(settings, models)
    # 144 s to train, and 25 s a case to sample in six steps, on two cores.
    steps = settings.ensembles.system("ddpm_residual").steps
    measured = 5 * 25 * steps / 6
    two_cores = 2 * OPERATIONS_A_SECOND_ON_CORE
    assert counted.training.operations / two_cores == pytest.approx(144, rel=0.5)
    assert counted.sampling.operations / two_cores == pytest.approx(measured, rel=0.9)
    assert max(counted.gpu_hours) < counted.core_hours


def test_downscaling_is_counted_with_what_it_fetches(config, root):
    """33 x 50 points are 2 x 3 whole blocks of 16. For each the network has four dense layers of
    256 x 256 and one of 7 x 256, with two operations a weight."""
    path = root / "config" / "models" / "downscaler_d2m.yaml"
    fine = {"name": "fine", "method": "downscale", "models": ["downscaler_d2m"], "steps": 5}
    config["fields"]["crop"] = {"rows": [0, 33], "columns": [0, 50]}
    config["models"] = ["downscaler_d2m"]
    config["leads"] = [2]
    config["ensembles"]["systems"] = [fine]
    config["archive"]["reference"] = None
    settings = load_settings(config)
    counted = computing(settings, {"downscaler_d2m": load_model_settings(path)})
    blocks = 4 * 1 * 2 * 3  # members, leads, rows, columns
    weights = 4 * 256 * 256 + 7 * 256
    assert counted.sampling.operations == pytest.approx(5 * blocks * 2 * weights, rel=0.01)
    assert set(wanted_files(settings)) == {"hrrr", "static", "hrrr_forecast"}
    fine["source"] = "reference"
    config["archive"]["reference"] = "href"
    assert len(wanted_files(load_settings(config))["href"]) == 10


def plan_of(**seconds):
    return {"work": {what: {"most_gpu_seconds": count} for what, count in seconds.items()}}


def test_a_job_asks_for_an_hour_and_four_times_the_most_that_a_fast_gpu_takes():
    assert minutes_to_train(plan_of(training=20 * 60), 1) == 60 + 80
    assert minutes_to_train(plan_of(training=20 * 60), 2) == 60 + 40
    # 10 members of 3 passes of one model and 1 of another, a second and half a minute each.
    plans = {"drawn": plan_of(one_pass=1), "stepping": plan_of(one_pass=30)}
    assert minutes_to_draw(plans, {"drawn": 3, "stepping": 1}, 10) == 60 + 4 * (0.5 + 5)


def test_a_job_asks_for_a_day_at_most_and_where_nothing_is_planned():
    week = plan_of(training=7 * 86400, one_pass=0.0)
    assert minutes_to_train(week, 1) == minutes_to_train(None, 1) == 24 * 60
    assert minutes_to_train(week, 1, attempt=3) == 24 * 60
    assert minutes_to_train(plan_of(training=20 * 60), 1, attempt=2) == 2 * 140
    assert minutes_to_draw({"drawn": plan_of(one_pass=60)}, {"drawn": 1}, 30, 9) == 24 * 60
    assert minutes_to_draw({"drawn": week, "other": None}, {"drawn": 1, "other": 1}, 5) == 24 * 60


def test_hours():
    cores = Work(operations=3600 * OPERATIONS_A_SECOND_ON_CORE)
    counted = Computing(training=Work(0, 1800, 7200) + cores, sampling=Work(0, 1800, 3600) + cores)
    assert counted.gpu_hours == pytest.approx((1, 3))
    assert counted.core_hours == pytest.approx(2)


def test_the_text_of_a_plan(config, models, tmp_path):
    plan = cost_plan(load_settings(config), models)
    text = plan_text(plan, 4, 1, tmp_path)
    lines = {line.split()[0]: line for line in text.splitlines()[1:]}
    assert text.startswith("Costs\n")
    assert "30   hrrr 9, static 1, href 20" in lines["files"]
    least, most = (f"{hours:.2g}" for hours in plan.computing.gpu_hours)
    assert f"{least} to {most}   estimated for an RTX 4090, none was measured" in lines["GPU-hours"]
    assert "4   still to run, 1 of them on a GPU" in lines["jobs"]
    assert "too small" not in text
    full = dataclasses.replace(plan, disk={"fields": 10**18})
    assert "The disk is too small" in plan_text(full, 4, 1, tmp_path)
    assert "Ensembles go" not in text
    passing = dataclasses.replace(plan, passing_ensembles=3 * 10**12)
    text = plan_text(passing, 4, 1, tmp_path)
    assert "Ensembles are deleted once they are scored: of 3 TB in all" in text


def test_the_plan_tells_of_ensembles_that_go(config, models):
    plan = cost_plan(load_settings(config), models)
    assert plan.passing_ensembles == 0
    kept = plan.disk["ensembles"]
    config["ensembles"]["keep"] = False
    assert cost_plan(load_settings(config), models).passing_ensembles == kept
