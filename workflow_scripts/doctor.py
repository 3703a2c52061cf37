"""Says whether this machine is ready for a configuration, and what to do if not: `make doctor`."""

import sys
from pathlib import Path

from stormdraw.configuration import read_configuration
from stormdraw.doctor.examination import examine
from stormdraw.doctor.finding import findings_text
from stormdraw.errors import StormdrawError
from stormdraw.models.definitions import definition_file
from stormdraw.settings import load_yaml

CHECKOUT = Path(__file__).parent.parent

if __name__ == "__main__":
    try:
        folders = [folder / "config" / "models" for folder in (Path(), CHECKOUT)]
        settings, models = read_configuration(
            load_yaml(sys.argv[1]), sys.argv[1:2], lambda name: definition_file(name, *folders)
        )
        findings = examine(settings, models, CHECKOUT)
    except StormdrawError as error:
        sys.exit(f"stormdraw doctor: {error}")
    print(findings_text(findings))
    sys.exit(any(finding.state == "problem" for finding in findings))
