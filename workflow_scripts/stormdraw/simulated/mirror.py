"""The simulated archive: a folder with the layout and names of the public buckets."""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from stormdraw import provenance
from stormdraw.files import replacing
from stormdraw.seeds import generator_for
from stormdraw.settings import Settings
from stormdraw.simulated.base import BASE
from stormdraw.simulated.domain import domain_of, terrain
from stormdraw.simulated.driving import DrivingFiles
from stormdraw.simulated.forecasts import CommonBackground, Start, forecasters
from stormdraw.simulated.layout import member_path
from stormdraw.simulated.model_files import Fields, ModelFiles
from stormdraw.simulated.noise import Noise, SharedNoise
from stormdraw.simulated.observed import Observer
from stormdraw.simulated.plan import Plan, plan_archive
from stormdraw.simulated.product_files import ProductFiles
from stormdraw.simulated.radar import MosaicFiles, Radars
from stormdraw.simulated.state import State, to_dataset
from stormdraw.simulated.stations import StationReports
from stormdraw.simulated.surface import Surface
from stormdraw.simulated.world import STEPS_PER_HOUR, World
from stormdraw.times import hours
from stormdraw.variables import variable

Progress = Callable[[str], None]


def write_archive(
    settings: Settings,
    folder: Path,
    world_path: Path,
    progress: Progress | None = None,
) -> None:
    """Write every file that a run of `settings` needs into `folder`.

    `world_path` becomes a NetCDF of the hidden state at the cases' initial times, from which
    `perfect.draw_members` continues. `progress` gets a message from time to time.
    """
    report = progress or _ignore
    plan = plan_archive(settings)
    domain = domain_of(settings.archive.simulated.rows, settings.archive.simulated.columns)
    truth = World(Surface(domain, terrain(domain, settings.seed)))
    shared = SharedNoise(settings.seed, "model noise")
    history = _simulate(truth, shared, plan, settings.seed, folder, report)
    _save_world(truth.surface, history.states, settings, world_path)
    if plan.runs:
        reference = settings.archive.reference
        products = ProductFiles(reference, domain.window) if reference is not None else None
        _forecast(truth.surface, shared, plan, history, settings.seed, folder, report, products)


@dataclass(frozen=True)
class History:
    """What is remembered of the true world.

    `states` of the cases, the `starts` of forecasts by initial time, and `sums` over the first hour
    of forecasts, by initial time: of these the base model's file counts as the analysis.
    """

    states: list[State] = field(default_factory=list)
    starts: dict[datetime, Start] = field(default_factory=dict)
    sums: dict[datetime, Fields] = field(default_factory=dict)


def _simulate(
    truth: World, shared: SharedNoise, plan: Plan, run_seed: int, folder: Path, report: Progress
) -> History:
    """Run the world and write its analyses, its mosaics and the driving model's forecasts of it."""
    generator = generator_for(run_seed, "simulated", "truth")
    background = CommonBackground(truth.spectra, shared, run_seed)
    analyses, cases, run_starts = set(plan.analyses), set(plan.cases), plan.run_starts
    history = History()
    state = truth.start(plan.start, generator)
    steps = truth.steps(state, Noise(generator))
    observer = Observer(truth.surface, plan.further)
    mosaics = MosaicFiles(Radars(truth.surface.domain, truth.surface.terrain), run_seed)
    stations = StationReports(truth.surface, run_seed, plan.station_days)
    recent = deque([state], maxlen=STEPS_PER_HOUR + 1)
    with ModelFiles(BASE.name, truth.surface) as files, DrivingFiles(truth, run_seed) as driving:
        while True:
            time = state.time
            if time in run_starts:
                history.starts[time] = Start(state, background.waves)
            if time in cases:
                history.states.append(state)
            if time in analyses:
                seen = observer.observe(tuple(recent))
                files.write(folder / BASE.path(time, 0), seen, time, 0)
                if time in plan.mosaics:
                    mosaics.write(folder, seen["REFC"], time)
                stations.observe(seen, time)
                sums = _write_sums(files, folder, seen, time)
                if time - hours(1) in run_starts:
                    history.sums[time - hours(1)] = sums
            for cycle, lead in plan.driving.get(time, ()):
                driving.write(folder, state, cycle, lead)
            if (time.hour, time.minute) == (0, 0):
                report(f"the world until {time:%Y-%m-%d}, of {plan.end:%Y-%m-%d}")
            if time == plan.end:
                stations.write(folder)
                return history
            if plan.runs:
                background.step(state)
            state = next(steps)
            recent.append(state)


def _write_sums(files: ModelFiles, folder: Path, seen: Fields, time: datetime) -> Fields:
    """Write the sums over the last hour, and return them.

    Their analysis is the first hour of a forecast: of the run that started an hour ago.
    """
    sums = {name: values for name, values in seen.items() if variable(name).shortest_lead > 0}
    if sums:
        init = time - hours(1)
        files.write_alone(folder / BASE.path(init, 1), sums, init, 1)
    return sums


def _save_world(surface: Surface, states: Sequence[State], settings: Settings, path: Path) -> None:
    """Write the hidden states, and what else is needed to continue from them."""
    world = to_dataset(states)
    world["terrain"] = (("box_y", "box_x"), surface.terrain, {"units": "m"})
    simulated = settings.archive.simulated
    decisive = {"seed", "periods", "leads", "cases", "archive"}
    world.attrs = {
        **provenance.attributes(
            "Hidden state of the simulated world",
            "a stochastic simulation",
            settings.model_dump(mode="json", include=decisive),
        ),
        "rows": list(simulated.rows),
        "columns": list(simulated.columns),
    }
    with replacing(path) as temporary:
        world.to_netcdf(temporary, engine="netcdf4")


def _forecast(
    truth: Surface,
    shared: SharedNoise,
    plan: Plan,
    history: History,
    run_seed: int,
    folder: Path,
    report: Progress,
    products: ProductFiles | None,
) -> None:
    """Run the models' forecasts; write their files and the products of a reference ensemble."""
    models = forecasters(truth, run_seed, shared, {run.model for run in plan.runs})
    with ExitStack() as stack:
        files = {name: stack.enter_context(ModelFiles(name, truth)) for name in models}
        for done, run in enumerate(plan.runs, start=1):
            own, start = files[run.model], history.starts[run.init]
            for lead, seen in models[run.model].run(start, run.leads, plan.further):
                path = folder / member_path(run.member, run.init, lead)
                if path == folder / BASE.path(run.init, 1):
                    seen |= history.sums.get(run.init, {})
                fields = own.write(path, seen, run.init, lead)
                if products is not None:
                    products.collect(run.model, run.init, lead, fields, own.grid)
            name = f"{run.model} of {run.init:%Y-%m-%d %H} UTC"
            report(f"forecast {done} of {len(plan.runs)}: {name}")
    if products is not None:
        for case in plan.cases:
            products.write(folder, case, plan.leads)


def _ignore(_: str) -> None:
    return
