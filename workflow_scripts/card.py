"""Prints what a checkpoint is: `make card MODEL=results/models/crps_unet/model.pt`."""

import sys
from pathlib import Path

from stormdraw.errors import StormdrawError
from stormdraw.models.card import card_text

if __name__ == "__main__":
    try:
        print(card_text(Path(sys.argv[1])))
    except StormdrawError as error:
        sys.exit(f"stormdraw card: {error}")
