"""Systems whose spread is calibrated: their twins, cases and amplitudes."""

import json
from datetime import datetime

import pytest
from changed_config import changed

from stormdraw.errors import StormdrawError
from stormdraw.report.candidates import candidates
from stormdraw.settings import Settings, load_settings


def calibrated(config, **periods):
    """The demo with one calibrated system."""
    systems = [
        {"name": "calibrated", "method": "one_step", "model": "ddpm_residual", "calibrate": True},
        {"name": "href", "method": "reference"},
    ]
    return load_settings(
        changed(config, periods={**config["periods"], **periods}, ensembles={"systems": systems})
    )


HOW = {"method": "one_step", "model": "ddpm_residual"}


VALIDATED = {
    "training": {"start": "2026-06-01", "end": "2026-06-04"},
    "validation": {"start": "2026-06-06T00:00", "end": "2026-06-06T10:00"},
}


def test_spread_is_calibrated_on_validation_cases_alone(config):
    """Ten hours, leads of up to 3 h: cases from 00 to 07 UTC, four of them evenly."""
    training = {"start": "2026-06-01", "end": "2026-06-04"}
    validation = {"start": "2026-06-06T00:00", "end": "2026-06-06T10:00"}
    settings = calibrated(config, training=training, validation=validation)
    assert [time.hour for time in settings.calibration_times()] == [0, 2, 4, 6]
    assert {time.date() for time in settings.calibration_times()} == {datetime(2026, 6, 6).date()}
    assert settings.calibration_members(settings.ensembles.systems[0]) == 10
    # As many members of four cases with each of six amplitudes; the noise is one for all variables.
    assert settings.ensembles.systems[0].calibration_draws(settings) == 10 * 4 * 6


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


def test_it_can_be_handed_on_to_another_process(config):
    settings = calibrated(config, **VALIDATED)
    assert Settings.model_validate(json.loads(json.dumps(settings.as_given()))) == settings


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
    training = {"start": "2026-06-01", "end": "2026-06-04"}
    short = {"start": "2026-06-06T00:00", "end": "2026-06-06T02:00"}
    with pytest.raises(StormdrawError, match=r"no case fits into periods.validation; give one of"):
        calibrated(config, training=training, validation=short)
