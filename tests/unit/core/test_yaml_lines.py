"""Errors point at the line that is wrong."""

import pytest

from stormdraw.errors import StormdrawError
from stormdraw.models.settings import load_model_settings
from stormdraw.settings import load_settings, load_yaml

GOOD = """\
title: Lines
periods:
  training: {start: 2026-06-01T00:00, end: 2026-06-07T23:00}
  test:
    start: 2026-06-08T06:00
    end: 2026-06-13T09:00
leads: [1, 2, 3]
models:
  - ddpm_residual
ensembles:
  members: 50
  systems:
    - {name: ddpm_residual, method: diffusion, model: ddpm_residual}
    - name: persistence
      method: baseline
      kind: persistence
scores:
  reference: persistence
"""


def complaint(folder, text: str) -> str:
    path = folder / "a.yaml"
    path.write_text(text)
    with pytest.raises(StormdrawError) as caught:
        load_settings(load_yaml(path), path)
    return str(caught.value).replace(str(path), "a.yaml")


@pytest.mark.parametrize(
    ("right", "wrong", "start"),
    [
        ("title: Lines\n", "title: Lines\n# a remark\nsauce: 1\n", "a.yaml:3: sauce: unknown key"),
        ("end: 2026-06-13T09:00", "end: soon", "a.yaml:6: periods.test.end: "),
        ("[1, 2, 3]", "\n  - 1\n  - 0", "a.yaml:9: leads.1: "),
        # The number of the system, then its method, which is no key of the file.
        ("kind: persistence", "kind: chance", "a.yaml:16: ensembles.systems.1.baseline.kind: "),
        # A missing key: the part it should be in.
        (
            "      kind: persistence\n",
            "",
            "a.yaml:14: ensembles.systems.1.baseline.kind: Field req",
        ),
        ("title: Lines\n", "", "a.yaml:1: title: Field required"),
        # Found by comparing keys: the one that is named first.
        ("reference: persistence", "reference: href", "a.yaml:18: scores.reference is 'href'"),
        ("2026-06-07T23:00", "2026-06-08T05:00", "a.yaml:3: periods.training ends"),
        # Found by asking a system: where its entry begins.
        (
            "kind: persistence",
            "kind: hrrr\n    - {name: perfect, method: perfect}\narchive: {source: [aws]}",
            "a.yaml:17: ensembles.systems.2: perfect needs the true distribution",
        ),
    ],
)
def test_the_line_of_a_wrong_key(tmp_path, right, wrong, start):
    assert complaint(tmp_path, GOOD.replace(right, wrong, 1)).startswith(start)


def test_each_of_several_has_its_line(tmp_path):
    told = complaint(tmp_path, GOOD.replace("50", "1").replace("title: Lines", "title: 3"))
    assert {part.split(":")[1] for part in told.split("; ")} == {"1", "11"}


def test_of_several_files_the_one_that_has_the_key_last(tmp_path):
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text(GOOD)
    second.write_text("seed: 1\nensembles:\n  members: 1\n")
    config = load_yaml(first)
    config["ensembles"]["members"] = 1
    with pytest.raises(StormdrawError, match=rf"^{second}:3: ensembles.members: "):
        load_settings(config, first, second)


def test_a_model_has_lines_too(tmp_path):
    path = tmp_path / "model.yaml"
    path.write_text(
        "family: conditional_unet\nprediction: v\ntarget: residual\ntraining:\n  epoch: 1\n"
    )
    with pytest.raises(StormdrawError, match=rf"^{path}:5: training.epoch: unknown key"):
        load_model_settings(path)
