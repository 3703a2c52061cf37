"""GFS: one global forecast at 0.25 degree, four times a day, hourly to 120 h."""

from stormdraw.archive.driving_model import DrivingModel

DRIVING = DrivingModel(
    model="gfs",
    product="pgrb2.0p25",
    cycle_hours=6,
    step_hours=1,
    # Then three-hourly, to 384 h.
    longest_lead=120,
    variables=(
        *("T2M", "D2M", "U10", "V10", "MSLP", "PWAT"),
        *("T850", "Q850", "U850", "V850", "U700", "V700", "T500", "U500", "V500", "Z500"),
    ),
)
