"""One file for each score; its name is the file's (`stormdraw.scores.score`)."""
