import io
import logging
import re
from types import SimpleNamespace

import pytest
from snakemake.logging import ColorizingTextHandler, DefaultFilter, DefaultFormatter
from snakemake_interface_logger_plugins.common import LogEvent

from terminal import one_line_a_job


class Terminal(io.StringIO):
    def isatty(self):
        return True


def told(stream, *events, level=logging.INFO, quiet=(), **settings):
    """What Snakemake's logger writes to a stream once its handler is replaced: the lines."""
    logger = logging.Logger("of a test")
    handler = ColorizingTextHandler(
        stream=stream,
        formatter=DefaultFormatter(quiet),
        filter=DefaultFilter(set(quiet), False, False, False, False),
    )
    handler.name = "DefaultStreamHandler"
    logger.addHandler(handler)
    one_line_a_job(logger, SimpleNamespace(**{"dryrun": False, "verbose": False} | settings))
    for event, message, fields in events:
        failed = event in (LogEvent.JOB_ERROR, LogEvent.ERROR)
        extra = {"event": event, **fields} if event else {}
        logger.log(logging.ERROR if failed else level, message, extra=extra)
    return stream.getvalue().splitlines()


def job_info(number, rule="models_train", message="Training small"):
    fields = {"jobid": number, "rule_name": rule, "rule_msg": message, "reason": "x" * 5000}
    return LogEvent.JOB_INFO, f" Rule: {rule}", fields


def job_error(number, log):
    fields = {"jobid": number, "rule_name": "models_train", "log": [str(log)]}
    return LogEvent.JOB_ERROR, "Error in rule", fields


STARTED = (LogEvent.RUN_INFO, "Job stats:\njob  count", {"stats": {"models_train": 3, "total": 3}})
FINISHED = [
    (LogEvent.JOB_FINISHED, "Finished jobid: 7", {"job_id": 7}),
    (LogEvent.PROGRESS, None, {"done": 1, "total": 80}),
]
CHATTER = [
    (None, "Select jobs to execute...", {}),
    (LogEvent.JOB_STARTED, "Execute 1 jobs...", {"jobs": [7]}),
    (LogEvent.RESOURCES_INFO, "Provided cores: 2", {"cores": 2}),
    (LogEvent.SHELLCMD, "Shell command: None", {"shellcmd": None}),
    (LogEvent.GROUP_INFO, "group job a (jobs in lexicogr. order):", {"group_id": "a", "jobs": []}),
]


def test_a_job_that_ends_is_one_line_with_stage_what_and_seconds():
    first, line = told(io.StringIO(), STARTED, *CHATTER, job_info(7), *FINISHED)
    assert first == "3 jobs"
    assert re.fullmatch(r"1/3  models +Training small +\d+\.\d s", line)


def test_a_rule_without_a_message_is_no_line():
    assert told(io.StringIO(), job_info(7, "all", None), *FINISHED) == []


def test_what_else_snakemake_says_is_kept():
    said = [(None, "Nothing to be done", {}), (None, "Complete log(s): a.log", {})]
    assert told(io.StringIO(), *said) == ["Nothing to be done", "Complete log(s): a.log"]


def test_a_failed_job_shows_the_end_of_its_log(tmp_path):
    log = tmp_path / "a.log"
    log.write_text("".join(f"line {number}\n" for number in range(9)))
    lines = told(io.StringIO(), job_info(7), job_error(7, log))
    assert lines[0].startswith("FAILED  models     Training small")
    assert lines[1:] == [f"  {log}:", *(f"    line {number}" for number in range(4, 9))]


def test_a_failed_job_without_a_log_says_so(tmp_path):
    lines = told(io.StringIO(), job_info(7), job_error(7, tmp_path / "none.log"))
    assert lines[1:] == [f"  {tmp_path / 'none.log'}:", "    empty"]


def test_the_status_of_its_process_says_no_more():
    status = (LogEvent.ERROR, "Command 'x' returned non-zero exit status 1", {"exception": "R"})
    other = (LogEvent.ERROR, "MissingOutputException", {"exception": "M"})
    assert told(io.StringIO(), status, other) == ["MissingOutputException"]


def test_on_a_terminal_a_bar_shows_what_runs_and_errors_are_red(tmp_path):
    events = [STARTED, job_info(7), job_info(8, message="Sampling href"), *FINISHED]
    text = "\n".join(told(Terminal(), *events, job_error(8, tmp_path / "a.log")))
    assert "[                    ] 0/3  Training small, Sampling href" in text
    assert "[######              ] 1/3  Sampling href" in text
    assert "\033[31mFAILED  models     Sampling href" in text


@pytest.mark.parametrize("settings", [{"dryrun": True}, {"verbose": True}])
def test_dry_and_verbose_runs_tell_what_snakemake_tells(settings):
    lines = told(io.StringIO(), *FINISHED, **settings)
    assert "Finished jobid: 7" in lines
    assert "1 of 80 steps (1%) done" in lines


def test_quiet_runs_are_quiet():
    from snakemake.settings.enums import Quietness

    assert told(io.StringIO(), job_info(7), *FINISHED, quiet=[Quietness.PROGRESS]) == []


def test_handlers_that_are_not_snakemakes_own_stay():
    logger = logging.Logger("of a test")
    plug_in = logging.StreamHandler(io.StringIO())
    plug_in.name = "of a plug-in"
    logger.addHandler(plug_in)
    one_line_a_job(logger, SimpleNamespace(dryrun=False, verbose=False))
    assert logger.handlers == [plug_in]
