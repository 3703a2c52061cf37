"""The frame of every workflow script: a log file, terminal output, and one-line errors."""

import contextlib
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from stormdraw.errors import StormdrawError
from stormdraw.files import is_full, no_space

EXIT_ERROR = 1
EXIT_INTERRUPTED = 130

# How often a job says on the terminal how far it is; its log has every line.
SECONDS_BETWEEN_LINES = 30


@contextlib.contextmanager
def job(name: str, log: str | Path) -> Iterator[logging.Logger]:
    """Run a script's body with its log at `log` and, now and then, its progress on the terminal.

    Any error ends the process with a non-zero status and one line that starts with `stormdraw
    {name}:`. Tracebacks of unexpected errors only go to the log file.
    """
    log = Path(log)
    log.parent.mkdir(parents=True, exist_ok=True)
    logger = _logger(name, log)
    try:
        yield logger
    except StormdrawError as error:
        _fail(name, log, str(error), EXIT_ERROR)
    except KeyboardInterrupt:
        _fail(name, log, "interrupted; run the same command again to continue", EXIT_INTERRUPTED)
    except Exception as error:
        with open(log, "a", encoding="utf-8") as stream:
            traceback.print_exc(file=stream)
        _fail(name, log, _explain(error, log), EXIT_ERROR)


def _explain(error: Exception, log: Path) -> str:
    # `replacing` reports files with a final name; other files lie beside the log.
    if is_full(log.parent, error):
        return no_space(Path(getattr(error, "filename", None) or log))
    return f"{type(error).__name__}: {' '.join(str(error).split())} (traceback in {log})"


def _fail(name: str, log: Path, message: str, status: int) -> None:
    line = f"stormdraw {name}: {message}"
    with contextlib.suppress(OSError), open(log, "a", encoding="utf-8") as stream:
        stream.write(line + "\n")
    print(_start_of_line() + line, file=sys.stderr, flush=True)
    # SystemExit is not an error to Snakemake's script preamble, so no traceback follows.
    sys.exit(status)


def _logger(name: str, log: Path) -> logging.Logger:
    """A logger that writes to the file and to the terminal."""
    logging.captureWarnings(True)
    root = logging.getLogger()
    root.handlers.clear()
    root.setLevel(logging.WARNING)
    file_handler = logging.FileHandler(log, mode="w", encoding="utf-8")
    file_handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root.addHandler(file_handler)
    logger = logging.getLogger("stormdraw")
    logger.setLevel(logging.INFO)
    logger.handlers.clear()
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setFormatter(logging.Formatter(f"{_start_of_line()}[{name}] %(message)s"))
    # The log file is of the last try; a job of Slurm keeps what each try says on its terminal.
    if "SLURM_JOB_ID" not in os.environ:
        terminal.addFilter(_now_and_then())
    logger.addHandler(terminal)
    return logger


def _start_of_line() -> str:
    """What wipes the bar of running jobs (terminal.py) off the line, where one may be."""
    return "\r\033[2K" if sys.stderr.isatty() else ""


def _now_and_then() -> Callable[[logging.LogRecord], bool]:
    """Lets warnings through, and one other line in SECONDS_BETWEEN_LINES."""
    told = time.monotonic()

    def is_told(record: logging.LogRecord) -> bool:
        nonlocal told
        if record.levelno < logging.WARNING:
            if time.monotonic() - told < SECONDS_BETWEEN_LINES:
                return False
            told = time.monotonic()
        return True

    return is_told
