"""GEFS: thirty perturbed global forecasts at 0.25 degree, four times a day, three-hourly.

The product `atmos.25` has some 35 fields, of the surface and of the whole column.
"""

from stormdraw.archive.driving_model import DrivingModel

DRIVING = DrivingModel(
    model="gefs",
    product="atmos.25",
    cycle_hours=6,
    step_hours=3,
    longest_lead=240,
    variables=("T2M", "D2M", "U10", "V10", "PWAT", "MSLP"),
    members=30,
    # Pressure levels, and the model's own.
    none_on=(100, 105),
)
