import copy
import re
from datetime import datetime

import pytest
import yaml
from pydantic import ValidationError

from stormdraw.errors import StormdrawError
from stormdraw.report.candidates import candidates
from stormdraw.settings import load_settings, load_yaml


@pytest.fixture
def config(root):
    return yaml.safe_load((root / "config" / "demo.yaml").read_text())


def changed(config, **edits):
    config = copy.deepcopy(config)
    for path, value in edits.items():
        *parents, last = path.split("__")
        place = config
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    return config


@pytest.mark.parametrize("name", ["demo", "idaho", "config"])
def test_shipped_configurations_are_valid(root, name):
    path = root / "config" / f"{name}.yaml"
    assert load_settings(yaml.safe_load(path.read_text())).initial_times()


def test_demo_cases_walk_through_hrefs_cycles(config):
    inits = load_settings(config).initial_times()
    assert [init.hour for init in inits] == [6, 12, 18, 0, 6]
    assert len({init.date() for init in inits}) == 5


def test_a_state_is_these_seven_whatever_else_the_table_has(config):
    state = ["REFC", "T2M", "D2M", "U10", "V10", "CAPE", "CIN"]
    assert "variables" not in config
    assert load_settings(config).variables == state


def test_a_variable_that_the_simulated_archive_has_not(config):
    asked = ["REFC", "T2M", "PWAT", "APCP", "T850", "U700", "V700"]
    assert load_settings({**config, "variables": asked}).variables == asked
    has = "simulated archive has REFC, T2M, D2M, U10, V10, CAPE, CIN, PWAT, APCP, T850, U700, V700"
    for wrong in (["HPBL"], ["WINDMAX"], ["U500", "V500"]):
        with pytest.raises(StormdrawError, match=f"{has} and no {', '.join(wrong)}; leave it out"):
            load_settings({**config, "variables": [*asked, *wrong]})


@pytest.mark.parametrize(
    ("edits", "complaint"),
    [
        ({"archive__sauce": "aws"}, "archive.sauce: unknown key"),
        ({"variables": ["REFC", "T3M"]}, "variables.1"),
        ({"variables": ["T2M", "T2M"]}, "variables: give each variable once"),
        ({"variables": ["T2M", "U10"]}, "variables: give U10 and V10 together"),
        ({"leads": []}, "leads"),
        ({"leads": [0]}, "leads.0"),
        ({"leads": [99]}, "leads.0"),
        ({"models": []}, "ddpm_residual samples the model 'ddpm_residual', which is not in"),
        ({"ensembles__members": 1}, "ensembles.members"),
        ({"ensembles__members": 1001}, "ensembles.members"),
        ({"ensembles__members": 255}, "ddpm_residual has 255 members, but GRIB2 products"),
        ({"scores__thresholds": {"REFC": [90]}}, "90 is outside the bounds of REFC, -10 to 80 dBZ"),
        ({"scores__thresholds": {"CAPE": [float("nan")]}}, "scores.thresholds.CAPE.0"),
        ({"scores__thresholds": {"CAPE": [*range(255)]}}, "scores.thresholds.CAPE"),
        ({"scores__thresholds": {"T2M": ["<= 3"]}}, "3 is outside the bounds of T2M"),
        ({"scores__thresholds": {"T2M": ["cold"]}}, "T2M.0: 'cold' is no threshold: give a number"),
        ({"scores__thresholds": {"T2M": ["p100"]}}, "T2M.0: 'p100': a percentile is more than 0"),
        ({"scores__probabilities": [0.0]}, "scores.probabilities.0"),
        ({"scores__probabilities": [1.1]}, "scores.probabilities.0"),
        ({"scores__local_patch": 0}, "scores.local_patch"),
        ({"scores__neighbourhoods": [4]}, "4 is even; a neighbourhood is centred on a point"),
        ({"archive__source": []}, "archive.source"),
        ({"archive__source": ["ftp"]}, "archive.source"),
        (
            {"archive__source": {"mirror": "elsewhere"}},
            "ensembles.systems.5: perfect needs the true distribution",
        ),
        ({"archive__analysis_lead": 1}, "set analysis_lead to 0"),
        (
            {
                "fields": {"coarsen": 2},
                "ensembles__systems": [{"method": "reference", "name": "p", "kind": "products"}],
            },
            "p is the reference's mean and spread, and fields.coarsen averages blocks",
        ),
        ({"archive__reference": None}, "archive.reference is not set; set it to href"),
        ({"scores__reference": "gefs"}, "scores.reference is 'gefs', which is not a system"),
        ({"periods__test": {"start": "2026-06-08T00:30", "end": "2026-06-09"}}, "not on the hour"),
        ({"periods__test": {"start": "2026-06-08T06:00:30", "end": "2026-06-09"}}, "on the hour"),
        ({"periods__test": {"start": "2026-06-09", "end": "2026-06-08"}}, "before it starts"),
        ({"periods__test": {"start": "2026-06-07T23:00", "end": "2026-06-09"}}, "longest lead"),
        ({"periods__test": {"start": "2026-06-08T06:00", "end": "2026-06-08T08:00"}}, "no case"),
        (
            {"ensembles__jobs_per_case": 51},
            "ensembles.systems.0: ddpm_residual has only 50 members to share",
        ),
        ({"periods__test": {"start": "2026-06-08T05:00", "end": "2026-06-10"}}, "HREF has no"),
        (
            {"periods__validation": {"start": "2026-06-05", "end": "2026-06-06"}},
            "at least the longest lead",
        ),
    ],
)
def test_a_wrong_value_is_told_in_one_line(config, edits, complaint, tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text(yaml.safe_dump(changed(config, **edits)))
    with pytest.raises(StormdrawError) as caught:
        load_settings(load_yaml(path), path)
    message = str(caught.value)
    assert complaint in message
    assert re.match(rf"{re.escape(str(path))}:(\d+:)? ", message)
    assert "\n" not in message


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
    persistence = {"name": "persistence", "method": "baseline", "kind": "persistence"}
    edits["ensembles__systems"] = [system | {"members": 1000}, persistence]
    edits["report__products_of"] = "persistence"
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
    ("edits", "complaint"),
    [
        ({"title": ""}, "title: String should have at least 1 character"),
        ({"fields__static": ["OROG", "OROG"]}, "fields.static: give each field once"),
        ({"report__products_of": "href_mean_spread"}, "has only a mean and spread; name a sys"),
        (
            {"variables": ["T2M"], "scores__thresholds": {"CAPE": [500.0]}},
            "scores: thresholds.CAPE: CAPE is not scored in this run, .* are T2M; leave it out",
        ),
    ],
)
def test_values_that_do_nothing_or_cannot_be(config, edits, complaint):
    with pytest.raises(StormdrawError, match=complaint):
        load_settings(changed(config, **edits))


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ({"models": [5]}, "must have keys of its own, but is 5"),
        ({"ensembles": {"systems": [{}]}}, "lacks the key 'method', which says what it is"),
        (
            {"ensembles": {"systems": [{"name": "a", "method": "chance"}]}},
            "'method' is 'chance', but it must be one of 'baseline', 'calibrated'",
        ),
        (
            {"scores": {"regions": {"texas": "texas.geojson"}}},
            "must have keys of its own, but is 'texas.geojson'",
        ),
    ],
)
def test_what_is_wrong_is_not_told_in_the_words_of_a_library(config, entry, complaint):
    with pytest.raises(StormdrawError, match=re.escape(complaint)) as error:
        load_settings(config | entry)
    assert "\n" not in str(error.value)


def test_what_is_scored_for_each_of_is_in_order_and_once(config):
    given = {"probabilities": [0.5, 0.1, 0.5], "neighbourhoods": [9, 1, 9]}
    given |= {"variogram_lags": [4, 1, 4], "thresholds": {"REFC": [40.0, 20.0, 40.0]}}
    scores = load_settings(changed(config, **{f"scores__{key}": of for key, of in given.items()}))
    scores = scores.scores
    assert (scores.probabilities, scores.neighbourhoods) == ([0.1, 0.5], [1, 9])
    assert scores.variogram_lags == [1, 4]
    assert scores.model_dump(mode="json")["thresholds"] == {"REFC": [20.0, 40.0]}


def test_usual_thresholds_are_of_any_run(config):
    """Those of CAPE and REFC are there if nobody asks for others."""
    run = load_settings(changed(config, variables=["T2M"]))
    assert load_settings(run.model_dump(mode="json")) == run
    assert load_settings(changed(config, scores__thresholds={"WIND10": [10.0]}))


def test_a_source_is_tried_once(config):
    archive = {"source": ["aws", "google", "aws"]}
    with pytest.raises(StormdrawError, match="give each source once: aws, google, aws"):
        load_settings(changed(config, archive=archive))


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


def calibrated(config, **periods):
    """The demo with one calibrated system."""
    systems = [
        {"name": "calibrated", "method": "one_step", "model": "ddpm_residual", "calibrate": True},
        {"name": "href", "method": "reference"},
    ]
    return load_settings(
        changed(config, periods={**config["periods"], **periods}, ensembles={"systems": systems})
    )


def test_spread_is_calibrated_on_validation_cases_alone(config):
    """Ten hours, leads of up to 3 h: cases from 00 to 07 UTC, four of them evenly."""
    training = {"start": "2026-06-01", "end": "2026-06-05"}
    validation = {"start": "2026-06-06T00:00", "end": "2026-06-06T10:00"}
    settings = calibrated(config, training=training, validation=validation)
    assert [time.hour for time in settings.calibration_times()] == [0, 2, 4, 6]
    assert {time.date() for time in settings.calibration_times()} == {datetime(2026, 6, 6).date()}
    assert settings.calibration_members(settings.ensembles.systems[0]) == 10
    # As many members of four cases with each of six amplitudes; the noise is one for all variables.
    assert settings.ensembles.systems[0].calibration_draws(settings) == 10 * 4 * 6


HOW = {"method": "one_step", "model": "ddpm_residual"}
VALIDATED = {
    "training": {"start": "2026-06-01", "end": "2026-06-05"},
    "validation": {"start": "2026-06-06T00:00", "end": "2026-06-06T10:00"},
}


def test_a_calibrated_system_is_scored_beside_its_uncalibrated_twin(config):
    settings = calibrated(config, **VALIDATED)
    it, raw, href = settings.ensembles.systems
    assert (it.name, raw.name, href.name) == ("calibrated", "calibrated_raw", "href")
    assert raw == it.model_copy(update={"name": "calibrated_raw", "calibrate": False})
    assert settings.ensembles.given() == [it, href]
    assert "calibrated_raw is the same system without calibration" in it.caveat(settings)
    assert "a factor on the spread of T2M, D2M, U10, V10," in it.caveat(settings)
    assert raw.caveat(settings) is None
    assert (raw.calibration_draws(settings), href.calibration_draws(settings)) == (0, 0)
    # Products are of what is calibrated: which is better is not chosen on cases that are scored.
    assert candidates(settings) == ["calibrated"]


def test_a_twin_needs_its_name(config):
    config = changed(config, periods={**config["periods"], **VALIDATED})
    config["ensembles"]["systems"] = [
        {"name": "it", "method": "one_step", "model": "ddpm_residual", "calibrate": True},
        {"name": "it_raw", "method": "baseline", "kind": "persistence"},
    ]
    with pytest.raises(
        StormdrawError, match="it is calibrated, and its uncalibrated twin is called it_raw; rename"
    ):
        load_settings(config)


def test_an_error_after_a_twin_names_the_place_in_the_list(config):
    config = changed(config, periods={**config["periods"], **VALIDATED})
    config["ensembles"]["systems"] = [
        {"name": "it", "method": "one_step", "model": "ddpm_residual", "calibrate": True},
        {"name": "other", "method": "one_step", "model": "nowhere"},
    ]
    with pytest.raises(StormdrawError, match=r"ensembles\.systems\.1: other samples the model"):
        load_settings(config)


def test_the_uncalibrated_amplitude_is_always_tried(config):
    ensembles = {**config["ensembles"], "calibration_amplitudes": [1.5, 0.75]}
    settings = load_settings(changed(config, ensembles=ensembles))
    assert settings.ensembles.calibration_amplitudes == [0.75, 1.0, 1.5]


@pytest.mark.parametrize(
    ("ensembles", "said"),
    [
        ({"calibration_amplitudes": [0.2]}, "greater than or equal to 0.25"),
        ({"calibration_amplitudes": [4.5]}, "less than or equal to 4"),
        ({"calibration_amplitudes": []}, "at least 1 item"),
        ({"systems": []}, "give at least one system"),
        ({"systems": 2 * [{"name": "it", "method": "reference"}]}, "but it occurs twice"),
        *(
            ({"systems": [{"name": "it", **HOW, "noise_amplitude": amplitude}]}, said)
            for amplitude, said in (
                (-0.1, "greater than or equal to 0"),
                (5.1, "less than or equal to 5"),
            )
        ),
    ],
)
def test_values_that_ensembles_refuse(config, ensembles, said):
    config = changed(config, ensembles={**config["ensembles"], **ensembles})
    with pytest.raises(StormdrawError, match=said):
        load_settings(config)


def test_calibration_without_a_validation_case(config):
    with pytest.raises(
        StormdrawError, match=r"is calibrated .* but there is no periods.validation"
    ):
        calibrated(config)
    training = {"start": "2026-06-01", "end": "2026-06-05"}
    short = {"start": "2026-06-06T00:00", "end": "2026-06-06T02:00"}
    with pytest.raises(StormdrawError, match=r"no case fits into periods.validation; give one of"):
        calibrated(config, training=training, validation=short)


def test_settings_never_change(config):
    """Rules and digests have read them by then."""
    settings = load_settings(config)
    for section, key in ((settings, "seed"), (settings.archive, "missing")):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(section, key, getattr(section, key))


def test_variables_take_the_order_of_the_table(config):
    settings = load_settings(changed(config, variables=["V10", "T2M", "U10"]))
    assert settings.variables == ["T2M", "U10", "V10"]


def test_times_with_an_offset_become_utc(config):
    test = {"start": "2026-06-08T08:00+02:00", "end": "2026-06-13T09:00Z"}
    period = load_settings(changed(config, periods__test=test)).periods.test
    assert period.start == datetime(2026, 6, 8, 6)
    assert period.end == datetime(2026, 6, 13, 9)


@pytest.mark.parametrize(
    "written",
    [
        "2026060806",
        '"2026060806"',
        "2026-06-08T06:00",
        "2026-06-08 06:00:00",
        "2026-06-08T06",
        "2026-06-08T01:00-05:00",
    ],
)
def test_ways_to_write_a_time(config, written):
    period = {"start": yaml.safe_load(written), "end": 2026061309}
    test = load_settings(changed(config, periods__test=period)).periods.test
    assert (test.start, test.end) == (datetime(2026, 6, 8, 6), datetime(2026, 6, 13, 9))


def test_a_day_begins_at_midnight(config):
    assert yaml.safe_load("2026-06-10") != datetime(2026, 6, 10)
    for day in (yaml.safe_load("2026-06-10"), "2026-06-10"):
        period = {"start": day, "end": "2026-06-13"}
        start = load_settings(changed(config, periods__test=period)).periods.test.start
        assert start == datetime(2026, 6, 10)


@pytest.mark.parametrize(
    "written",
    ["1780000000", "20260608", "'20260608'", "2026060806.0", "2026069906", "true", "6:30", "soon"],
)
def test_bare_numbers_are_no_times(config, written):
    """Pydantic alone counts seconds from 1970 on, so that 1780000000 is in May 2026."""
    period = {"start": yaml.safe_load(written), "end": "2026-06-13T09:00"}
    with pytest.raises(StormdrawError, match=r"periods.test.start: .* is not a time; write it as"):
        load_settings(changed(config, periods__test=period))


@pytest.mark.parametrize("source", ["aws", 1, True, None])
def test_what_a_source_can_be_is_told_in_one_line(config, source):
    with pytest.raises(StormdrawError) as caught:
        load_settings(changed(config, archive__source=source))
    assert str(caught.value).count("archive.source") == 1
    assert "expected simulated, a list of aws, google, azure and nomads, or" in str(caught.value)


def test_yaml_must_be_a_mapping(tmp_path):
    (tmp_path / "a.yaml").write_text("- 1\n")
    with pytest.raises(StormdrawError, match="expected a mapping"):
        load_yaml(tmp_path / "a.yaml")
    (tmp_path / "b.yaml").write_text("a: [1\n")
    with pytest.raises(StormdrawError, match="not valid YAML"):
        load_yaml(tmp_path / "b.yaml")
    with pytest.raises(StormdrawError, match="no such file"):
        load_yaml(tmp_path / "c.yaml")
