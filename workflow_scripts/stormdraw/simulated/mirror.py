"""The simulated archive: a folder with the layout and names of the public buckets."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from stormdraw import provenance
from stormdraw.files import replacing
from stormdraw.seeds import generator_for
from stormdraw.settings import Settings
from stormdraw.simulated.domain import domain_of, terrain
from stormdraw.simulated.driving import DrivingFiles
from stormdraw.simulated.forecasts import CommonBackground, Start, forecasters
from stormdraw.simulated.layout import hrrr_path, member_path
from stormdraw.simulated.model_files import ModelFiles
from stormdraw.simulated.noise import Noise, SharedNoise
from stormdraw.simulated.plan import Plan, plan_archive
from stormdraw.simulated.product_files import ProductFiles
from stormdraw.simulated.state import State, to_dataset
from stormdraw.simulated.surface import Surface
from stormdraw.simulated.world import World

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
    states, starts = _simulate(truth, shared, plan, settings.seed, folder, report)
    _save_world(truth.surface, states, settings, world_path)
    if plan.runs:
        reference = settings.archive.reference
        products = ProductFiles(reference, domain.window) if reference is not None else None
        _forecast(truth.surface, shared, plan, starts, settings.seed, folder, report, products)


def _simulate(
    truth: World, shared: SharedNoise, plan: Plan, run_seed: int, folder: Path, report: Progress
) -> tuple[list[State], dict[datetime, Start]]:
    """Run the world and write its analyses and the larger-scale model's forecasts of it.

    Returns the states of cases and of forecasts' starts.
    """
    generator = generator_for(run_seed, "simulated", "truth")
    background = CommonBackground(truth.spectra, shared, run_seed)
    analyses, cases, run_starts = set(plan.analyses), set(plan.cases), plan.run_starts
    states: list[State] = []
    starts: dict[datetime, Start] = {}
    state = truth.start(plan.start, generator)
    steps = truth.steps(state, Noise(generator))
    with ModelFiles("hrrr", truth.surface) as files, DrivingFiles(truth, run_seed) as driving:
        while True:
            time = state.time
            if time in run_starts:
                starts[time] = Start(state, background.waves)
            if time in cases:
                states.append(state)
            if time in analyses:
                files.write(folder / hrrr_path(time, 0), truth.surface.observe(state), time, 0)
            for cycle, lead in plan.driving.get(time, ()):
                driving.write(folder, state, cycle, lead)
            if (time.hour, time.minute) == (0, 0):
                report(f"the world until {time:%Y-%m-%d}, of {plan.end:%Y-%m-%d}")
            if time == plan.end:
                return states, starts
            if plan.runs:
                background.step(state)
            state = next(steps)


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
    starts: dict[datetime, Start],
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
            own = files[run.model]
            for lead, seen in models[run.model].run(starts[run.init], run.leads):
                path = folder / member_path(run.member, run.init, lead)
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
