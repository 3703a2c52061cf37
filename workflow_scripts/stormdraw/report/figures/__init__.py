"""The figures of the report: each file is one (`stormdraw.report.figure`)."""
