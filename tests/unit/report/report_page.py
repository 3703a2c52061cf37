"""Writing the page of a run, and reading HTML as strictly as a person would check it."""

from collections import Counter
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from noted import NotedSettings, noted_files
from report_run import Run

from stormdraw.archive.audit import audit, write_audit
from stormdraw.report.figure import Files, figure_paths, figures_of
from stormdraw.report.scorecard import Inputs, write_scorecard
from stormdraw.variables import scored_variables

# Elements that have no end tag.
VOID = {"meta", "link", "img", "br", "hr", "input", "col"}


@dataclass(frozen=True)
class Drawn:
    """A figure, the keys of settings that were read for it, and the kinds of files."""

    figure: str
    path: Path
    keys: set[str]
    files: set[str]


def draw_all(run: Run, folder: Path) -> dict[str, Drawn]:
    """Every figure of a run by its path, as the rule makes them; no model is diagnosed."""
    write_audit(audit({"hrrr": run.manifests[:1]}, lambda *_: 0), folder / "audit.csv")
    found = figures_of(run.settings)
    drawn = {}
    names = figure_paths(found, scored_variables(list(run.settings.variables)), models=[])
    for path, (name, of) in names.items():
        one = drawn[path] = Drawn(name, folder / f"{path}.svg", set(), set())
        one.path.parent.mkdir(exist_ok=True)
        settings: Any = NotedSettings(run.settings, one.keys)
        files = noted_files(files_of(run, of, folder / "audit.csv"), one.files)
        found[name].draw(settings, files, one.path)
    return drawn


def files_of(run: Run, of: str = "", audit_table: Path = Path()) -> Files:
    """Everything that a figure may be drawn from."""
    return Files(
        of=of,
        summary=run.summary,
        statistics=run.scores,
        maps=run.maps,
        audit=audit_table,
        metrics=run.metrics,
        places=run.stations.get("by_place", Path()),
    )


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
        "by_hour": run.by_hour,
        "maps": run.maps,
        "stations": run.stations,
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
