"""Says whether this machine is ready for a configuration, and what to do if not: `make doctor`."""

import sys
from pathlib import Path

from stormdraw.doctor.examination import examine
from stormdraw.doctor.finding import findings_text
from stormdraw.errors import StormdrawError
from stormdraw.models.systems import load_models
from stormdraw.settings import load_settings, load_yaml

CHECKOUT = Path(__file__).parent.parent

if __name__ == "__main__":
    try:
        settings = load_settings(load_yaml(sys.argv[1]), sys.argv[1])
        folder = CHECKOUT / "config" / "models"
        models = load_models(settings, lambda name: folder / f"{name}.yaml")
        findings = examine(settings, models, CHECKOUT)
    except StormdrawError as error:
        sys.exit(f"stormdraw doctor: {error}")
    print(findings_text(findings))
    sys.exit(any(finding.state == "problem" for finding in findings))
