"""Forecasts from the newest cycle and removes the oldest ones; for a line of a crontab.

python workflow_scripts/forecast_next.py config/mine.yaml [more for snakemake]
"""

import sys
from pathlib import Path

from stormdraw.errors import StormdrawError
from stormdraw.forecasts.rounds import one_round
from stormdraw.settings import load_yaml

CHECKOUT = Path(__file__).parent.parent

if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("stormdraw forecast_next: give the file of a configuration")
    file, *more = sys.argv[1:]
    snakemake = [sys.executable, "-m", "snakemake", "--snakefile", str(CHECKOUT / "Snakefile")]
    command = [*snakemake, "forecast", "--cores", "all", *more, "--configfile", file]

    def say(line: str) -> None:
        """For the mail that cron sends."""
        print(f"stormdraw: {line}", flush=True)

    try:
        sys.exit(one_round(load_yaml(file), [Path(file)], command, say))
    except StormdrawError as error:
        sys.exit(f"stormdraw forecast_next: {error}")
