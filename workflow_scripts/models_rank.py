"""One process of a training on several devices, started by torchrun (stormdraw.models.launch)."""

import os
import sys
from pathlib import Path

from stormdraw.models.rank import main

if __name__ == "__main__":
    # Exit at once: a process group that others have left may block in its destructor.
    status = main(Path(sys.argv[1]))
    sys.stderr.flush()
    os._exit(status)
