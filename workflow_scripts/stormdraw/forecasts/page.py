"""The page of a forecast: one file that loads nothing, with maps and meteograms of each system."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
import xarray as xr

from stormdraw.fields.netcdf import leads_of
from stormdraw.files import write_text
from stormdraw.forecasts.maps import draw_hours, draw_paintball, draw_products, leads_to_show
from stormdraw.forecasts.meteograms import draw_meteograms
from stormdraw.forecasts.places import nearest_points
from stormdraw.grids import Grid
from stormdraw.provenance import commit
from stormdraw.report.embedded import Embedded, embedded
from stormdraw.report.mapped import mapped_variable, threshold_of
from stormdraw.scores.ensemble import initial_time
from stormdraw.settings import Settings
from stormdraw.times import hours
from stormdraw.variables import scored_variables

TEMPLATES = Path(__file__).parents[1] / "report" / "templates"


@dataclass(frozen=True)
class SystemOnPage:
    """A system on the page: its number of members, its figures, and the files beside the page.

    `hours` has a map of each lead, in order.
    """

    name: str
    members: int
    hours: Sequence[Embedded]
    maps: Sequence[Embedded]
    meteograms: Sequence[Embedded]
    files: Sequence[str]


def write_page(
    run: Settings, ensembles: Mapping[str, Path], products: Mapping[str, Path], output: Path
) -> None:
    """Write the page of one cycle, or of some of its hours; both inputs are by system.

    Raises StormdrawError if a place is outside the grid.
    """
    systems = [_system(run, name, ensembles[name], products[name]) for name in ensembles]
    with xr.open_dataset(next(iter(ensembles.values())), decode_timedelta=False) as dataset:
        init, leads = initial_time(dataset), leads_of(dataset)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("forecast.html.jinja").render(
        settings=run,
        init=init,
        leads=leads,
        last=init + hours(leads[-1]),
        end=init + hours(max(run.leads)),
        in_part=set(leads) < set(run.leads),
        systems=systems,
        sources=_sources(run),
        commit=commit(),
        case={"frames": []},
    )
    write_text(output, page)


def _system(run: Settings, name: str, ensemble: Path, products: Path) -> SystemOnPage:
    leads = leads_to_show(products, run.forecast.map_leads)
    shown = mapped_variable(run)
    with xr.open_dataset(ensemble, decode_timedelta=False) as dataset:
        grid, members = Grid.of(dataset), dataset.sizes["member"]
        names = [one for one in scored_variables(list(run.variables)) if one in dataset]
    with tempfile.TemporaryDirectory() as folder:
        drawn = []
        for variable in [shown, *(one for one in names if one != shown)]:
            path = Path(folder) / f"{variable}.svg"
            draw_products(products, variable, threshold_of(run, variable), leads, path)
            drawn.append(embedded(variable, "", path))
        threshold = threshold_of(run, shown)
        if threshold is not None:
            path = Path(folder) / "paintball.svg"
            draw_paintball(ensemble, shown, threshold, leads, path)
            drawn.insert(1, embedded("paintball", "Where members agree, their colours mix.", path))
        frames = {
            lead: Path(folder) / f"hour_{lead}.svg" for lead in leads_to_show(products, run.leads)
        }
        draw_hours(products, shown, threshold, frames)
        by_hour = [embedded(f"+{lead} h", "", path) for lead, path in frames.items()]
        points = nearest_points(grid, run.forecast.places)
        paths = {place: Path(folder) / f"place_{place}.svg" for place in points}
        draw_meteograms(ensemble, points, paths)
        meteograms = [embedded(place, "", path) for place, path in paths.items()]
    files = sorted(path.name for path in products.parent.glob(f"{name}.*"))
    return SystemOnPage(name, members, by_hour, drawn, meteograms, files)


def _sources(run: Settings) -> str:
    """What forecasts start from, in words."""
    source = run.archive.source
    where = ", ".join(source) if isinstance(source, list) else "the simulated archive"
    if not isinstance(source, list | str):
        where = "a mirror"
    driving = "" if run.archive.driving is None else f", driven by {run.archive.driving.model}"
    return f"{run.archive.base_model.title} from {where}{driving}"
