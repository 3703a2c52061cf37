"""What packages cannot draw, folders that are none, and models that no package can be of."""

import numpy as np
import pytest
from packages import INIT, settings_of

from stormdraw.ensembles.fit import require_package
from stormdraw.ensembles.package.predict import Model
from stormdraw.errors import StormdrawError


@pytest.fixture(scope="module")
def model(packed):
    return Model(packed / "crps")


@pytest.fixture
def state(packed):
    with np.load(packed / "crps" / "state.npz") as file:
        return dict(file)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda state: state.update(T2M=state["T2M"][:-1]),
            r"^T2M has the shape \(15, 18\), but the model takes \(16, 18\)",
        ),
        (
            lambda state: state.update(GUST=state["T2M"]),
            "GUST, but the model takes T2M, D2M, U10, V10, CAPE, REFC",
        ),
        (
            lambda state: state.pop("U10"),
            "^the state has T2M, D2M, V10, CAPE, REFC, but the model takes T2M",
        ),
        (lambda state: np.put(state["T2M"], 0, np.nan), "^T2M has 1 missing points$"),
    ],
    ids=["shape", "spare", "lacking", "hole"],
)
def test_what_does_not_fit_is_refused_in_one_line(change, words, model, state):
    change(state)
    with pytest.raises(StormdrawError, match=words) as error:
        model.predict(state, INIT)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("about", "asked", "words"),
    [
        ({"by_chance": False}, {"members": 2}, "members is 2, but the model is deterministic"),
        ({"longest_lead": 12}, {"hours": 13}, "hours is 13, but .* forecasts of up to 12 h"),
        (
            {"how": {"system": "s", "rho": 0.0, "noise_amplitude": [np.nan]}},
            {"members": 1},
            "states that are not numbers at 1 h",
        ),
    ],
    ids=["members", "hours", "numbers"],
)
def test_what_the_model_cannot_draw_is_refused(about, asked, words, model, state, monkeypatch):
    for key, value in about.items():
        monkeypatch.setitem(model.about, key, value)
    with pytest.raises(StormdrawError, match=words):
        model.predict(state, INIT, **asked)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, r"model\.json: cannot be read \(.*No such file.*\); copy the package anew"),
        ("{", r"model\.json: cannot be read \(.*\); copy the package anew"),
        ('{"format": 2}', r"model\.json: has format 2, but predict\.py reads 1"),
    ],
    ids=["none", "cut off", "newer"],
)
def test_a_folder_without_a_package_of_this_format_is_refused(content, words, tmp_path):
    if content is not None:
        (tmp_path / "model.json").write_text(content)
    with pytest.raises(StormdrawError, match=words):
        Model(tmp_path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"target": "block", "variable": "T2M"}, "does not forecast by itself"),
        ({"forcings": ["driving"]}, "is driven by forecasts of another model"),
    ],
)
def test_models_that_need_files_of_a_run_are_refused(changes, words):
    model = settings_of("diffusion").model_copy(update=changes)
    with pytest.raises(ValueError, match=words):
        require_package("one", {"one": model})


def test_a_model_that_is_not_in_the_run_is_refused():
    with pytest.raises(ValueError, match=r"is not in the list `models` \(one\)"):
        require_package("other", {"one": settings_of("crps")})
