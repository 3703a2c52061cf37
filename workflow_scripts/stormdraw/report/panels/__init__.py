"""The panels of a variable's figure: each file is one (`stormdraw.report.panel`)."""
