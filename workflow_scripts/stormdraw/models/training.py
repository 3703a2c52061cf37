"""Training any configuration: from the day files to `model.pt`."""

import contextlib
import hashlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import lightning
import torch
from lightning.pytorch.callbacks import Callback, TQDMProgressBar
from lightning.pytorch.loggers import TensorBoardLogger

from stormdraw.errors import StormdrawError
from stormdraw.fields.states import read_grid_of
from stormdraw.fields.statistics import Statistics, read_statistics
from stormdraw.models.batches import OrderedBatches, ShuffledBatches
from stormdraw.models.callbacks import (
    RecordMetrics,
    SaveForResuming,
    TrainingStoppedError,
    signals_given_back,
)
from stormdraw.models.checkpoint import save_model
from stormdraw.models.devices import choose_device, describe_device, lightning_precision
from stormdraw.models.engine import AveragedWeights, TrainingModule
from stormdraw.models.forcings import make_forcings
from stormdraw.models.forecaster import Forecaster
from stormdraw.models.forecasters import make_forecaster
from stormdraw.models.metrics import MetricsFile
from stormdraw.models.pairs import Pairs
from stormdraw.models.settings import ModelSettings
from stormdraw.seeds import seed_for
from stormdraw.settings import Settings

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingFiles:
    """What a training reads, and what it writes.

    `static` may be None for a model without terrain. `resume_folder` must differ for different
    settings and code; what lies in it is taken up again.
    """

    fields: Sequence[Path]
    statistics: Path
    static: Path | None
    model: Path
    metrics: Path
    resume_folder: Path
    tensorboard_folder: Path


def train(
    name: str,
    settings: Settings,
    model_settings: ModelSettings,
    files: TrainingFiles,
    threads: int = 1,
) -> None:
    """Train the model called `name` on the training period and write its checkpoint.

    An interrupted training goes on where it was. Raises StormdrawError for data it cannot learn
    from, a loss that is not a number, or too little memory; KeyboardInterrupt after a signal.
    """
    torch.set_num_threads(threads)
    device = choose_device()
    logger.info("training %s on %s", name, describe_device(device))
    statistics = read_statistics(files.statistics)
    if list(statistics.variables) != list(settings.variables):
        raise StormdrawError(
            f"{files.statistics}: made for {', '.join(statistics.variables)}, but the "
            f"configuration's variables are {', '.join(settings.variables)}; delete it"
        )
    grid = read_grid_of(files.fields[0])
    forcings = make_forcings(model_settings.forcings, grid, files.static)
    in_memory = model_settings.training.data_gigabytes * 1e9
    periods = settings.periods
    history = model_settings.history
    pairs = Pairs(
        files.fields,
        settings.variables,
        periods.training.times(),
        forcings,
        in_memory,
        history,
    )
    validation = None
    if periods.validation is not None:
        validation = Pairs(
            *(files.fields, settings.variables, periods.validation.times(), forcings),
            bytes_in_memory=in_memory - pairs.bytes,
            history=history,
        )
    model = new_model(name, settings.seed, model_settings, statistics)
    resume = files.resume_folder / f"{_fingerprint(statistics, pairs)}.ckpt"
    _fit(name, settings.seed, model, pairs, validation, files, resume, device)
    terrain = None
    if forcings.terrain is not None:
        terrain = (forcings.terrain.mean, forcings.terrain.std)
    save_model(files.model, name, model, statistics, terrain)
    resume.unlink(missing_ok=True)


def new_model(
    name: str, run_seed: int, settings: ModelSettings, statistics: Statistics
) -> Forecaster:
    """An untrained model, whose first weights depend on the run's seed and the name only."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_for(run_seed, name, "weights"))
        model = make_forecaster(settings, statistics)
    # Channels last: the layout in which convolutions of few channels are fastest.
    return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def count_epochs(settings: ModelSettings, pairs: int) -> tuple[int, int]:
    """Whole epochs of a training, and its optimizer steps in all."""
    training = settings.training
    batches = -(-pairs * training.samples_per_state // training.batch_size)
    steps_an_epoch = -(-batches // training.accumulation)
    epochs = training.epochs or -(-(training.steps or 1) // steps_an_epoch)
    return epochs, epochs * steps_an_epoch


def _fit(
    name: str,
    run_seed: int,
    model: Forecaster,
    pairs: Pairs,
    validation: Pairs | None,
    files: TrainingFiles,
    resume: Path,
    device: torch.device,
) -> None:
    training = model.settings.training
    epochs, steps = count_epochs(model.settings, len(pairs))
    metrics = MetricsFile(
        files.metrics,
        {
            "model": name,
            "parameters": sum(weights.numel() for weights in model.parameters()),
            "training_pairs": len(pairs),
            "device": describe_device(device),
        },
    )
    average = AveragedWeights(training.ema_decay)
    callbacks: list[Callback] = [
        average,
        RecordMetrics(metrics, model.loss_names, describe_device(device)),
        SaveForResuming(resume, training.checkpoint_every_epochs),
    ]
    # A bar only where somebody looks; a log file gets one line an epoch.
    on_terminal = sys.stderr.isatty()
    if on_terminal:
        callbacks.append(TQDMProgressBar(refresh_rate=max(1, len(pairs) // 50)))
    with _quiet_lightning():
        trainer = lightning.Trainer(
            accelerator="gpu" if device.type == "cuda" else "cpu",
            devices=1,
            precision=lightning_precision(training.precision, device),
            max_epochs=epochs,
            accumulate_grad_batches=training.accumulation,
            gradient_clip_val=training.gradient_clipping,
            logger=TensorBoardLogger(str(files.tensorboard_folder), name="", version=""),
            callbacks=callbacks,
            default_root_dir=str(files.resume_folder),
            enable_model_summary=False,
            enable_progress_bar=on_terminal,
            num_sanity_val_steps=0,
            log_every_n_steps=1,
        )
        module = TrainingModule(model, training, name, run_seed, steps)
        if resume.exists():
            logger.info("resuming from %s", resume)
        with signals_given_back(), _explained_failures(name, training.batch_size):
            trainer.fit(
                module,
                ShuffledBatches(
                    pairs,
                    training.batch_size,
                    run_seed,
                    name,
                    training.crop,
                    training.samples_per_state,
                    training.session_states,
                ),
                validation and OrderedBatches(validation, training.batch_size),
                ckpt_path=str(resume) if resume.exists() else None,
                weights_only=True,
            )
        # Lightning does this too, but not if the resumed training had no step left to do.
        average.on_train_end(trainer, module)


@contextlib.contextmanager
def _explained_failures(name: str, batch_size: int) -> Iterator[None]:
    """Turn an interruption into KeyboardInterrupt and lack of memory into StormdrawError."""
    try:
        yield
    except TrainingStoppedError:
        raise KeyboardInterrupt from None
    except RuntimeError as error:
        if not _is_out_of_memory(error):
            raise
        remedy = (
            f"halve training.batch_size (now {batch_size}) and double training.accumulation"
            if batch_size > 1
            else "choose a smaller network or crop"
        )
        raise StormdrawError(f"model {name}: not enough memory to train; {remedy}") from None


def _is_out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


@contextlib.contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Keep Lightning's advice on loaders and devices off the terminal: it is not for the user."""
    chatty = logging.getLogger("lightning.pytorch")
    level = chatty.level
    chatty.setLevel(logging.ERROR)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"lightning\..*")
            yield
    finally:
        chatty.setLevel(level)


def _fingerprint(statistics: Statistics, pairs: Pairs) -> str:
    """A short hash of the data, so that a training does not go on with other data."""
    digest = hashlib.sha256(repr((statistics.variables, pairs.times)).encode())
    for values in (statistics.mean, statistics.std, statistics.tendency_std):
        digest.update(values.tobytes())
    return digest.hexdigest()[:16]
