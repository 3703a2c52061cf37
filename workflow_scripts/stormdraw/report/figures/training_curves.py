"""Loss and learning rate of every model, by epoch."""

from collections.abc import Mapping
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from stormdraw.report.figure import ReportFigure
from stormdraw.report.style import NOTE_COLOUR, WIDTH, describe, drawn, looks, write_gap
from stormdraw.report.trainings import Training, read_training
from stormdraw.report.wording import plural
from stormdraw.settings import Settings

TITLE = "Training"

# The colour of a model that no system samples from.
_UNUSED = "#6b7280"


def draw_training_curves(
    settings: Settings, metrics_paths: Mapping[str, str | Path], output: str | Path
) -> None:
    """Draw the loss (log) and the learning rate by epoch, one row per model."""
    trainings = {model: read_training(path) for model, path in metrics_paths.items()}
    trainings = {model: training for model, training in trainings.items() if training.epochs}
    if not trainings:
        write_gap(output, TITLE, "No model was trained in this run.")
        return
    with drawn(output, (WIDTH, 0.35 + 2.1 * len(trainings)), TITLE) as figure:
        grid = figure.subplots(
            len(trainings), 2, squeeze=False, gridspec_kw={"width_ratios": [2.2, 1.0]}
        )
        for (loss, rate), (model, training) in zip(grid, trainings.items(), strict=True):
            colour = _colour(settings, model)
            _draw_loss(loss, model, training, colour)
            _draw_rate(rate, training, colour)
        for axes in grid[-1]:
            axes.set_xlabel("epoch")
        figure.suptitle(
            "Loss, in units that differ from model to model: do not compare curves across models",
            x=0.01,
            ha="left",
        )
        describe(
            figure,
            "Training loss, validation loss and learning rate by epoch of "
            + ", ".join(f"{model} ({_speed(training)})" for model, training in trainings.items())
            + ".",
        )


def _colour(settings: Settings, model: str) -> str:
    """The colour of the first system that samples from the model."""
    for system in settings.ensembles.systems:
        if model in system.drawn_from:
            return looks(settings)[system.name].colour
    return _UNUSED


def _speed(training: Training) -> str:
    parts = [plural(len(training.epochs), "epoch")]
    if training.samples_per_second is not None:
        parts.append(f"{training.samples_per_second:.3g} samples/s")
    return " · ".join([*parts, f"on {training.device}"] if training.device else parts)


def _draw_loss(axes: Axes, model: str, training: Training, colour: str) -> None:
    marker = "o" if len(training.epochs) < 30 else None
    axes.plot(
        training.epochs,
        training.train_loss,
        color=colour,
        marker=marker,
        markersize=3,
        label="training",
    )
    if any(loss == loss for loss in training.validation_loss):
        axes.plot(
            training.epochs,
            training.validation_loss,
            color="#111111",
            linestyle=(0.0, (4.0, 1.5)),
            marker=marker,
            markersize=3,
            label="validation",
        )
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 3.0, 5.0, 7.0), numticks=8))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_title(model)
    axes.set_title(_speed(training), loc="right", weight="normal", size=7.5, color=NOTE_COLOUR)
    axes.set_ylabel("loss")
    axes.legend(loc="upper right")


def _draw_rate(axes: Axes, training: Training, colour: str) -> None:
    axes.plot(training.epochs, training.learning_rate, color=colour, drawstyle="steps-post")
    axes.set_ylim(bottom=0.0)
    axes.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_title("learning rate", weight="normal")


FIGURE = ReportFigure(
    title="Training",
    category="Training",
    caption=(
        "Each model's loss by epoch (logarithmic) and its learning rate. The losses of models "
        "with different targets cannot be compared. A validation loss that rises while the "
        "training loss falls is a sign of overfitting. Speed is the median over epochs of "
        "training samples (pairs of states) per second, on the device named."
    ),
    reads=("metrics",),
    settings=("ensembles.systems",),
    draw=lambda settings, files, output: draw_training_curves(settings, files.metrics, output),
)
