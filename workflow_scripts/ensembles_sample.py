"""Writes results/ensembles/{system}/{init}.nc: members drawn from a trained model, (member, lead,
y, x) in 16 bits.

Of a stretch of hours of a forecast it writes {init}.hours_{hours}.nc, and the folder of the states
that the next hour is drawn from, empty after the last one.

Finished members are kept in results/ensembles/{system}/{init}.resume/, which is not declared to
Snakemake: it would delete it before a rerun.
"""

from dataclasses import replace
from pathlib import Path

from stormdraw.ensembles.calibration import read_calibration
from stormdraw.ensembles.drawing import DrawingFiles, draw_case
from stormdraw.ensembles.files import Case
from stormdraw.ensembles.resuming import resuming
from stormdraw.ensembles.spread import then_scaled
from stormdraw.ensembles.stretch import Stretch, stretches_of
from stormdraw.gpu_lease import gpu_lease
from stormdraw.job import job
from stormdraw.settings import Settings, load_settings
from stormdraw.times import parse_init


def stretch_of(settings: Settings) -> Stretch:
    """The hours of this job, with the folders of the states before and after them."""
    hours = snakemake.wildcards.get("hours")
    if hours is None:
        return Stretch(1, max(settings.leads))
    stretches = stretches_of(settings.leads, settings.forecast.first_leads)
    stretch = next(one for one in stretches if str(one) == hours)
    before = next(map(Path, snakemake.input.before), None)
    after = Path(snakemake.output.states)
    after.mkdir(parents=True, exist_ok=True)
    return replace(stretch, before=before, after=None if stretch == stretches[-1] else after)


with job("ensembles_sample", snakemake.log[0]), gpu_lease(snakemake.resources.get("gpu", 1)):
    settings = load_settings(snakemake.config)
    system = settings.ensembles.system(snakemake.wildcards.system)
    init = parse_init(snakemake.wildcards.init)
    drawn = DrawingFiles.named(snakemake.input)
    output, params = Path(snakemake.output.ensemble), snakemake.params.settings
    calibration = read_calibration(drawn.calibration)
    stretch = stretch_of(settings)
    leads = stretch.leads_of(settings.leads)
    case = Case(system.name, system.method, init, leads, settings.variables)
    with (
        resuming(output, [params, str(stretch), snakemake.params.code], drawn.files()) as kept,
        then_scaled(output, calibration.factors, case, params) as unscaled,
    ):
        draw_case(
            settings,
            system,
            drawn,
            init,
            settings.members(system),
            unscaled,
            params,
            snakemake.threads,
            kept=kept,
            amplitudes=calibration.amplitudes,
            stretch=stretch,
        )
