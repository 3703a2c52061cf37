from pathlib import Path

import jinja2
import pytest
from docutils.core import publish_parts
from report_run import DEMO

FOLDER = Path(__file__).resolve().parents[3] / "rules" / "report"

# Warnings of docutils become errors.
STRICT = {"report_level": 2, "halt_level": 2}


@pytest.mark.parametrize("scores", [{"reference": "href"}, {}, None])
def test_the_description_of_the_workflow_renders(scores: dict | None) -> None:
    class Snakemake:
        config = {**DEMO, "scores": scores}  # noqa: RUF012 - as Snakemake hands it over

    text = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False).from_string(  # noqa: S701
        (FOLDER / "workflow.rst").read_text()
    )
    parts = publish_parts(
        text.render(snakemake=Snakemake), writer="html5", settings_overrides=STRICT
    )
    assert parts["title"] == DEMO["title"]
    assert ("Reference: href" in parts["body"]) == bool(scores)
    assert "ddpm_residual, href" in parts["body"]
