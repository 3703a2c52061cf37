"""Writing the page of a run, and reading HTML as strictly as a person would check it."""

from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from report_run import Run

from stormdraw.archive.audit import audit, write_audit
from stormdraw.report.archive_audit import draw_archive_audit
from stormdraw.report.captions import CAPTIONS, NOT_SIDE_BY_SIDE
from stormdraw.report.crps_by_lead import draw_crps_by_lead
from stormdraw.report.crps_maps import draw_crps_maps
from stormdraw.report.event_forecasts import draw_event_forecasts
from stormdraw.report.fractions_skill import draw_fractions_skill
from stormdraw.report.member_maps import draw_member_maps
from stormdraw.report.rank_histograms import draw_rank_histograms
from stormdraw.report.score_files import ScoreFiles
from stormdraw.report.scorecard import Inputs, write_scorecard
from stormdraw.report.spectra import draw_spectra
from stormdraw.report.spread_bins import draw_spread_bins
from stormdraw.report.spread_error import draw_spread_error
from stormdraw.report.training_curves import draw_training_curves
from stormdraw.report.variable_figures import draw_variables
from stormdraw.variables import scored_variables

# Elements that have no end tag.
VOID = {"meta", "link", "img", "br", "hr", "input", "col"}

# Every figure but those of one variable or model; the page itself has a caption, too.
DRAWN = [name for name in CAPTIONS if name not in NOT_SIDE_BY_SIDE]


def draw_sheets(run: Run, folder: Path) -> dict[str, Path]:
    """The sheet of each variable."""
    names = scored_variables(list(run.settings.variables))
    sheets = {name: folder / f"{name}.svg" for name in names}
    draw_variables(run.settings, run.summary, run.scores, sheets)
    return sheets


def draw_all(run: Run, folder: Path) -> dict[str, Path]:
    """Every figure of a run, as the rule of figures makes them."""
    figures = {name: folder / f"{name}.svg" for name in DRAWN}
    draw_crps_by_lead(run.settings, run.summary, figures["crps_by_lead"])
    draw_spread_error(run.settings, run.summary, figures["spread_error"])
    scores = ScoreFiles.of(run.scores)
    draw_rank_histograms(run.settings, scores, figures["rank_histograms"])
    draw_event_forecasts(run.settings, scores, figures["event_forecasts"])
    draw_fractions_skill(run.settings, scores, figures["fractions_skill"])
    draw_spread_bins(run.settings, scores, figures["spread_bins"])
    draw_spectra(run.settings, scores, figures["spectra"])
    draw_crps_maps(run.settings, scores, run.ensembles["href"][0], figures["crps_maps"])
    draw_member_maps(run.settings, run.ensembles, run.truth, figures["member_maps"])
    write_audit(audit({"hrrr": run.manifests[:1]}, 0), folder / "audit.csv")
    draw_archive_audit(folder / "audit.csv", figures["archive_audit"])
    draw_training_curves(run.settings, run.metrics, figures["training_curves"])
    return figures


def write_page(run: Run, output: Path, **changes: Any) -> Path:
    """The page of a run; `changes` replace inputs."""
    inputs: dict[str, Any] = {
        "config": run.config,
        "models": {name: {"network": {"base": 16}} for name in run.settings.model_names},
        "summary": run.summary,
        "plans": run.plans,
        "metrics": run.metrics,
        "manifests": run.manifests,
        "figures": {},
        "verdicts": run.verdicts,
        "missing": run.missing,
        "ensembles": run.ensembles,
        "truth": run.truth,
    }
    settings = changes.pop("settings", run.settings)
    write_scorecard(settings, Inputs(**{**inputs, **changes}), output)
    return output


class Page(HTMLParser):
    """A page taken apart; raises AssertionError where tags are not balanced."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.feed(self.source)
        self.close()
        assert self.open == [], f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        twice = [name for name, count in Counter(name for name, _ in attrs).items() if count > 1]
        assert not twice, f"<{tag}> has {twice} twice"
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> crosses another element"

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("style", "script"):
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def all(self, *tags: str) -> list[dict[str, str]]:
        """The attributes of every element of these kinds."""
        return [attributes for tag, attributes in self.elements if tag in tags]
