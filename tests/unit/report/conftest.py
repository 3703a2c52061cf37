from pathlib import Path

import pytest
from report_page import Drawn, draw_all, write_page
from report_run import DEMO, Run, make_run


@pytest.fixture(scope="session")
def demo_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with everything: two models, six systems, two cases."""
    return make_run(tmp_path_factory.mktemp("demo"), DEMO)


@pytest.fixture(scope="session")
def demo_drawn(demo_run: Run, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Drawn]:
    """Every figure of the run and what was read for it, by its path without ending."""
    return draw_all(demo_run, tmp_path_factory.mktemp("figures"))


@pytest.fixture(scope="session")
def demo_figures(demo_drawn: dict[str, Drawn]) -> dict[str, Path]:
    """Every figure of the run, by its path without ending."""
    return {path: one.path for path, one in demo_drawn.items()}


@pytest.fixture(scope="session")
def demo_page(
    demo_run: Run,
    demo_figures: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The scorecard of the run."""
    output = tmp_path_factory.mktemp("page") / "scorecard.html"
    return write_page(demo_run, output, figures=demo_figures)
