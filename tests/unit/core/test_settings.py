"""The keys of a configuration, and how what is wrong is told."""

import re

import pytest
import yaml
from changed_config import changed
from pydantic import ValidationError

from stormdraw.errors import StormdrawError
from stormdraw.settings import load_settings, load_yaml


@pytest.mark.parametrize("name", ["demo", "idaho", "config"])
def test_shipped_configurations_are_valid(root, name):
    path = root / "config" / f"{name}.yaml"
    assert load_settings(yaml.safe_load(path.read_text())).initial_times()


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
        ({"scores__neighbourhoods": []}, "scores.neighbourhoods"),
        ({"scores__equivalence": 0.0}, "scores.equivalence"),
        (
            {"scores__regions": {"domain": {"west": -100, "east": -90, "south": 35, "north": 42}}},
            "'domain' is reserved for the whole domain",
        ),
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


@pytest.mark.parametrize(
    ("edits", "complaint"),
    [
        ({"title": ""}, "title: String should have at least 1 character"),
        ({"fields__static": ["OROG", "OROG"]}, "fields.static: give each field once"),
        (
            {"scores__regions": {"line": {"west": -9, "east": -9, "south": 30, "north": 40}}},
            "west and east are both -9.0; give two meridians",
        ),
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


def test_settings_never_change(config):
    """Rules and digests have read them by then."""
    settings = load_settings(config)
    for section, key in ((settings, "seed"), (settings.archive, "missing")):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(section, key, getattr(section, key))


def test_variables_take_the_order_of_the_table(config):
    settings = load_settings(changed(config, variables=["V10", "T2M", "U10"]))
    assert settings.variables == ["T2M", "U10", "V10"]


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
