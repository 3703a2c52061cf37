"""Snakemake, and its jobs if asked, forked from processes that imported what these import.

The imports are more than half of a dry run and most of a small job, and digests of the library's
files most of the rest of a dry run. A run takes the library from its own checkout, as if it were
started anew; the module of digests alone is kept, which knows files by their text.

A forked job does not show what its script forgot to import: a rule whose jobs are forked in one
test has a job that is a process of its own in another.
"""

import atexit
import functools
import gc
import json
import os
import runpy
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

LIBRARY = Path(__file__).resolve().parents[1] / "workflow_scripts"
ASKING = Path(__file__).with_name("asking_for_a_job.py")


def run_snakemake(
    arguments: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    timeout: int,
    forked_jobs: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Run it in `folder`; standard output and error together in `stdout`.

    A run that takes longer than `timeout` seconds is killed. With `forked_jobs`, its jobs are
    forked, too.
    """
    with tempfile.NamedTemporaryFile("r") as output:
        request = {
            "arguments": arguments,
            "folder": str(folder),
            "environment": dict(environment),
            "timeout": timeout,
            "output": output.name,
            "forked_jobs": forked_jobs,
        }
        server = _server()
        print(json.dumps(request), file=server.stdin, flush=True)
        status = int(server.stdout.readline())
        return subprocess.CompletedProcess(["snakemake", *arguments], status, output.read())


@functools.cache
def _server() -> subprocess.Popen[str]:
    """The process that forks, one for each process of tests."""
    command = [sys.executable, __file__]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(server.communicate)
    return server


def without_the_library(import_all: Callable[[], None], *kept: str) -> None:
    """Import what the library imports, but not the library, which checkouts have of their own."""
    sys.path.insert(0, str(LIBRARY))
    import_all()
    sys.path.remove(str(LIBRARY))
    ours = [name for name in sys.modules if name.partition(".")[0] == "stormdraw"]
    for name in ours:
        if name not in kept:
            del sys.modules[name]
    # The garbage collector of a fork would copy all of it.
    gc.freeze()


def import_what_runs_import() -> None:
    """That of the rules, and what digests know of the library's files."""
    import smart_open  # noqa: F401
    import snakemake.cli  # noqa: F401

    import stormdraw.code_digest
    import stormdraw.configuration
    import stormdraw.report.figure

    stormdraw.report.figure.figures()
    for path in LIBRARY.rglob("*.py"):
        stormdraw.code_digest.source_of(path.read_text(encoding="utf-8"))


def import_what_jobs_import() -> None:
    """That of training, of drawing members, of scores and of figures."""
    import stormdraw.ensembles.drawing
    import stormdraw.models.within_memory
    import stormdraw.report.style
    import stormdraw.scores.case
    import stormdraw.scores.check.opinion  # noqa: F401


def serve() -> None:
    """Fork for each line of standard input, and answer with the exit status."""
    without_the_library(import_what_runs_import, "stormdraw.code_digest")
    folder = tempfile.mkdtemp()
    jobs = socket.socket(socket.AF_UNIX)
    jobs.bind(f"{folder}/jobs")
    jobs.listen()
    job_server = os.fork()
    if job_server == 0:
        serve_jobs(jobs)
    for line in sys.stdin:
        run = os.fork()
        if run == 0:
            become_snakemake(f"{folder}/jobs", **json.loads(line))
        _, status = os.waitpid(run, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
    os.kill(job_server, signal.SIGTERM)
    shutil.rmtree(folder)


def become_snakemake(
    jobs: str,
    arguments: list[str],
    folder: str,
    environment: dict[str, str],
    timeout: int,
    output: str,
    forked_jobs: bool,
) -> NoReturn:
    """As `python -m snakemake` in a folder."""
    from snakemake.cli import main
    from snakemake.script import PythonScript

    signal.alarm(timeout)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    written = os.open(output, os.O_WRONLY)
    os.dup2(written, 1)
    os.dup2(written, 2)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[0] = folder
    sys.argv = ["snakemake", *arguments]
    if forked_jobs:
        # In place of `python SCRIPT`. -I and -S: who waits for a job needs nothing but sockets.
        asking = shlex.join([sys.executable, "-I", "-S", str(ASKING), jobs])
        PythonScript.execute_script = lambda script, path, edit=False: script._execute_cmd(
            "{asking} {path:q}", asking=asking, path=path, is_python_script=True
        )
    to_the_end(lambda: main(arguments))


def serve_jobs(jobs: socket.socket) -> NoReturn:
    """Fork for each connection, and answer with the exit status of its script."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    connection, _ = jobs.accept()
    without_the_library(import_what_jobs_import)
    while True:
        with connection:
            if os.fork() == 0:
                attend(connection)
        connection, _ = jobs.accept()


def attend(connection: socket.socket) -> NoReturn:
    """Wait for the one job of a connection."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, outputs, *_ = socket.recv_fds(connection, 1, 2)
    with connection.makefile() as stream:
        request = json.load(stream)
    job = os.fork()
    if job == 0:
        become_job(outputs, **request)
    _, status = os.waitpid(job, 0)
    connection.sendall(b"%d" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def become_job(
    outputs: list[int], script: str, folder: str, environment: dict[str, str]
) -> NoReturn:
    """As `python SCRIPT` in a folder."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, output in enumerate(outputs, 1):
        os.dup2(output, number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [script]
    sys.path[0] = str(Path(script).parent)
    to_the_end(lambda: runpy.run_path(script, run_name="__main__"))


def to_the_end(program: Callable[[], object]) -> NoReturn:
    """Run it and end this process, but do not take all modules apart, which takes a second."""
    status = 0
    try:
        program()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(bool(end.code))
    except BaseException:
        traceback.print_exc()
        status = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    serve()
