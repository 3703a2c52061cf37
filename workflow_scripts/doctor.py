"""Checks whether this machine is ready for a configuration: `make doctor`."""

import sys
from pathlib import Path

from stormdraw.configuration import configuration_of_file
from stormdraw.costs.examination import examine
from stormdraw.costs.finding import findings_text
from stormdraw.errors import StormdrawError

CHECKOUT = Path(__file__).parent.parent

if __name__ == "__main__":
    try:
        findings = examine(*configuration_of_file(sys.argv[1], CHECKOUT), CHECKOUT)
    except StormdrawError as error:
        sys.exit(f"stormdraw doctor: {error}")
    print(findings_text(findings))
    sys.exit(any(finding.state == "problem" for finding in findings))
