"""Snakemake, forked from a process that has imported what every start of it imports.

The imports are more than half of a dry run, and digests of the library's files most of the rest. A
run takes the library from its own checkout, as if it were started anew; the module of digests alone
is kept, which knows files by their text.
"""

import atexit
import functools
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

LIBRARY = Path(__file__).resolve().parents[1] / "workflow_scripts"


def run_snakemake(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str], timeout: int
) -> subprocess.CompletedProcess[str]:
    """Run it in `folder`; standard output and error together in `stdout`.

    A run that takes longer than `timeout` seconds is killed.
    """
    with tempfile.NamedTemporaryFile("r") as output:
        request = {
            "arguments": arguments,
            "folder": str(folder),
            "environment": dict(environment),
            "timeout": timeout,
            "output": output.name,
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


def import_what_runs_import() -> None:
    """All but the library itself, which checkouts have in versions of their own."""
    import snakemake.cli  # noqa: F401

    sys.path.insert(0, str(LIBRARY))
    import stormdraw.code_digest
    import stormdraw.configuration
    import stormdraw.report.figure

    stormdraw.report.figure.figures()
    for path in LIBRARY.rglob("*.py"):
        stormdraw.code_digest.source_of(path.read_text(encoding="utf-8"))
    sys.path.remove(str(LIBRARY))
    ours = [name for name in sys.modules if name.partition(".")[0] == "stormdraw"]
    for name in ours:
        if name != "stormdraw.code_digest":
            del sys.modules[name]


def serve() -> None:
    """Fork for each line of standard input, and answer with the exit status."""
    import_what_runs_import()
    for line in sys.stdin:
        run = os.fork()
        if run == 0:
            become_snakemake(**json.loads(line))
        _, status = os.waitpid(run, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def become_snakemake(
    arguments: list[str], folder: str, environment: dict[str, str], timeout: int, output: str
) -> None:
    """As `python -m snakemake` in a folder; does not return."""
    from snakemake.cli import main

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
    main(arguments)


if __name__ == "__main__":
    serve()
