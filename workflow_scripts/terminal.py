"""The terminal of a run: one line for each job that ends, and whatever goes wrong.

Snakemake's own account of it stands in its log file, and with --verbose on the terminal as well.
"""

import logging
import shutil
import time
from pathlib import Path
from typing import Any

# Told before and between jobs, without an event that would set it apart.
CHATTER = ("Building DAG", "Using shell", "Conda environments: ignored", "Select jobs to execute")
SILENT = {
    "workflow_started",
    "resources_info",
    "job_started",
    "group_info",
    "shellcmd",
    "rulegraph",
}
CLEAR, RED, PLAIN = "\r\033[2K", "\033[31m", "\033[0m"
BAR = 20  # characters
TAIL = 5  # lines of the log of a failed job


class JobLines(logging.StreamHandler):
    """Takes the place of Snakemake's handler for the terminal: its stream, filter and formatter.

    On a terminal, the last line is a bar with the jobs that are at work.
    """

    def __init__(self, replaced: logging.StreamHandler) -> None:
        super().__init__(replaced.stream)
        self.setFormatter(replaced.formatter)
        self.filters = replaced.filters
        self.running: dict[int, tuple[float, str, str]] = {}
        self.ended: list[str] = []
        self.done, self.total = 0, 0
        self.live = self.stream.isatty()

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record).strip("\n")
        if self.live:
            colour = RED if record.levelno >= logging.ERROR else ""
            text = f"{CLEAR}{colour}{text}{PLAIN}\n" if text else CLEAR
            self.stream.write(text + self.bar())
        elif text:
            self.stream.write(f"{text}\n")
        self.flush()

    def format(self, record: logging.LogRecord) -> str:
        match getattr(record, "event", None):
            case "run_info":
                self.total = record.stats["total"]
                return f"{self.total} jobs"
            case "job_info":
                stage = record.rule_name.partition("_")[0]
                self.running[record.jobid] = (time.monotonic(), stage, record.rule_msg or "")
            case "job_finished":
                self.ended.append(self.account(record.job_id))
            case "progress":
                self.done = record.done  # its total counts what is there already
                count = f"{self.done:>{len(str(self.total))}}/{self.total}"
                lines = [f"{count}  {line}" for line in self.ended if line]
                self.ended.clear()
                return "\n".join(lines)
            case "job_error":
                line = self.account(record.jobid) or record.rule_name
                return "\n".join([f"FAILED  {line}", *map(tail, record.log)])
            case None if record.getMessage().startswith(CHATTER):
                pass
            case "error" if "non-zero exit status" in record.getMessage():
                pass  # told as `FAILED`
            case event if event not in SILENT:
                return super().format(record)
        return ""

    def account(self, job: int) -> str:
        """Stage, what and seconds of a job that ends; nothing of one that says nothing."""
        started, stage, what = self.running.pop(job, (0.0, "", ""))
        return f"{stage:<10} {what:<60} {time.monotonic() - started:6.1f} s" if what else ""

    def bar(self) -> str:
        if not self.running:
            return ""
        filled = "#" * (BAR * self.done // max(self.total, 1))
        running = ", ".join(what for _, _, what in self.running.values() if what)
        line = f"[{filled:<{BAR}}] {self.done}/{self.total}  {running}"
        return line[: shutil.get_terminal_size().columns - 1]


def tail(log: str) -> str:
    """The last lines of a log, below its name."""
    try:
        lines = Path(log).read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL:]
    except OSError:
        lines = []
    return "\n".join([f"  {log}:", *(f"    {line}" for line in lines or ["empty"])])


def one_line_a_job(logger: logging.Logger, settings: Any) -> None:
    """For Snakemake's own handler, in a run; not for a logger plug-in, a dry run, or --verbose."""
    for handler in list(logger.handlers):
        if handler.name == "DefaultStreamHandler" and not settings.dryrun and not settings.verbose:
            logger.removeHandler(handler)
            logger.addHandler(JobLines(handler))
