"""Physical laws of a predicted state: the violation of each, as a part of the training loss.

All functions take whole batches. A sample's violation of a law is a mean over its points in units
of the training data's variance, so that 1 is a gross error for any variable.
"""

import math

import torch
from torch import nn

from stormdraw.errors import StormdrawError
from stormdraw.fields.statistics import Statistics
from stormdraw.fields.transforms import forward
from stormdraw.models.losses import mean_over_points
from stormdraw.models.settings import Physics
from stormdraw.variables import variable

# Specific heat of dry air at constant pressure (J/kg/K) and latent heat of vaporisation (J/kg).
SPECIFIC_HEAT = 1005.7
LATENT_HEAT = 2.501e6
# Ratio of the gas constants of dry air and vapour, and a pressure (hPa) for states without one; the
# same for predictions and observations.
GAS_RATIO = 0.622
PRESSURE = 1000.0

# The variables of each law, and the side of the bound that it checks.
_BOUNDS = {"reflectivity": ("REFC", "lower"), "cape": ("CAPE", "lower"), "cin": ("CIN", "upper")}
_NEEDS = {
    **{law: (name,) for law, (name, _) in _BOUNDS.items()},
    "dew_point": ("T2M", "D2M"),
    "moist_energy": ("T2M", "D2M"),
    "mass_divergence": ("U10", "V10"),
}


def specific_humidity(dew_point: torch.Tensor) -> torch.Tensor:
    """Specific humidity of the air near the surface in kg/kg, from dew points in K, of any shape.

        q = 0.622 e / (p - 0.378 e),   e = 6.112 exp(17.67 t / (t + 243.5)) hPa

    with the dew point t in degrees Celsius (Bolton 1980, equation 10) and p = 1000 hPa. Dew points
    are clipped to their bounds, since an untrained network may come near the formula's pole. To
    allocate few fields, the code uses the equivalent form, with T the dew point in kelvins,

        q = 0.622 / (p / e - 0.378),
        p / e = exp(ln(p / 6.112) - 17.67 + 17.67 * 243.5 / (T - 29.65))
    """
    row = variable("D2M")
    reciprocal = (dew_point.clamp(row.lower, row.upper) - (273.15 - 243.5)).reciprocal()
    exponent = torch.add(math.log(PRESSURE / 6.112) - 17.67, reciprocal, alpha=17.67 * 243.5)
    return GAS_RATIO * (exponent.exp() - (1.0 - GAS_RATIO)).reciprocal()


def divergence(
    eastward: torch.Tensor, northward: torch.Tensor, map_factor: torch.Tensor
) -> torch.Tensor:
    """Horizontal divergence of the wind on a conformal map, times the grid length, in m/s.

    On the map's axes x and y, with the map factor m (Haltiner and Williams 1980, section 1.9):

        div = m^2 (d(u / m)/dx + d(v / m)/dy)

    by central differences at the inner points of (..., Y, X) with square cells; the result is (...,
    Y - 2, X - 2).
    """
    u, v = eastward / map_factor, northward / map_factor
    across = u[..., 1:-1, 2:] - u[..., 1:-1, :-2]
    along = v[..., 2:, 1:-1] - v[..., :-2, 1:-1]
    return 0.5 * map_factor[..., 1:-1, 1:-1].square() * (across + along)


class PhysicalLaws(nn.Module):
    """The violations of the laws that a configuration gives a weight.

    A law whose variables a run does not have is left out. Raises StormdrawError if none is left.
    """

    weights: torch.Tensor
    std: torch.Tensor

    def __init__(self, settings: Physics, statistics: Statistics) -> None:
        super().__init__()
        names = statistics.variables
        weights = settings.model_dump()
        self.laws = tuple(
            law for law in _NEEDS if weights[law] > 0.0 and set(_NEEDS[law]) <= set(names)
        )
        if not self.laws:
            raise StormdrawError(
                f"physics: no law with a weight applies to the run's variables "
                f"({', '.join(names)}); remove physics from the model's configuration, or give a "
                "law of these variables a weight"
            )
        self.index = {name: index for index, name in enumerate(names)}
        self.bounds = {law: self._bound(law, statistics) for law in self.laws if law in _BOUNDS}
        self._keep("std", statistics.std)
        self._keep("weights", [weights[law] for law in self.laws])

    def forward(
        self,
        predicted: torch.Tensor,
        following: torch.Tensor,
        map_factor: torch.Tensor | None = None,
        weights: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The violation of each law by each sample, (B, L), in the order of `laws`.

        `predicted` are the states of M members after each variable's transform (B, M, V, Y, X),
        `following` the true physical states (B, V, Y, X), `map_factor` is (B, Y, X), or 1
        everywhere, and `weights` (B, Y, X) are those of the points in all means over points. For a
        bound on the state z in standard deviations s, and for the dew point, the violations are

            mean(max(0, z_lower - z, z - z_upper)^2),   mean(max(0, D2M - T2M)^2) / s_T2M^2

        over points and members. Two laws apply to the ensemble mean, since each member may differ
        from the truth. The moist enthalpy h over the sample's true area must not be created by
        errors. The divergence at each point is that of the mass of air near the surface.

            (<h / m^2> - <h_true / m^2>)^2 / (<1 / m^2> c_p s_T2M)^2
            mean((div - div_true)^2) / (s_U10^2 + s_V10^2)
        """
        # Views: their gradients are gathered once, whereas indexing would allocate a whole state
        # each.
        made = dict(zip(self.index, predicted.unbind(dim=2), strict=True))  # each (B, M, Y, X)
        true = dict(zip(self.index, following.unbind(dim=1), strict=True))  # each (B, Y, X)
        if map_factor is None:
            map_factor = torch.ones_like(following[:, 0])
        found = {law: self._beyond(made, law, weights) for law in self.laws if law in _BOUNDS}
        if "dew_point" in self.laws:
            excess = torch.relu(made["D2M"] - made["T2M"])
            squares = mean_over_points(excess.square(), weights)
            found["dew_point"] = squares.mean(dim=1) / self._variance("T2M")
        if "moist_energy" in self.laws:
            found["moist_energy"] = self._energy(made, true, map_factor, weights)
        if "mass_divergence" in self.laws:
            # Divergence is linear, so the divergence of the difference is the difference of
            # divergences.
            u, v = (made[name].mean(dim=1) - true[name] for name in ("U10", "V10"))
            variance = self._variance("U10") + self._variance("V10")
            squares = divergence(u, v, map_factor).square()
            inner = None if weights is None else weights[:, 1:-1, 1:-1]
            found["mass_divergence"] = mean_over_points(squares, inner) / variance
        return torch.stack([found[law] for law in self.laws], dim=1)

    def _beyond(
        self, made: dict[str, torch.Tensor], law: str, weights: torch.Tensor | None
    ) -> torch.Tensor:
        """The violation of a variable's bound, (B,)."""
        name, side = _BOUNDS[law]
        z, bound = made[name], self.bounds[law]
        beyond = torch.relu(bound - z if side == "lower" else z - bound)
        return mean_over_points(beyond.square(), weights).mean(dim=1) / self._variance(name)

    def _energy(
        self,
        made: dict[str, torch.Tensor],
        true: dict[str, torch.Tensor],
        map_factor: torch.Tensor,
        weights: torch.Tensor | None,
    ) -> torch.Tensor:
        # Differences first: energies are large, and their sums would lose digits.
        warmer = made["T2M"].mean(dim=1) - true["T2M"]
        moister = specific_humidity(made["D2M"]).mean(dim=1) - specific_humidity(true["D2M"])
        area = map_factor.square().reciprocal()
        surplus = SPECIFIC_HEAT * warmer + LATENT_HEAT * moister
        mean = mean_over_points(surplus, area if weights is None else weights * area)
        return mean.square() / (SPECIFIC_HEAT**2 * self._variance("T2M"))

    def _variance(self, name: str) -> torch.Tensor:
        return self.std[self.index[name]].square()

    def _keep(self, name: str, values: object) -> None:
        self.register_buffer(name, torch.as_tensor(values, dtype=torch.float32), persistent=False)

    def _bound(self, law: str, statistics: Statistics) -> float:
        """The bound after the variable's transform."""
        name, side = _BOUNDS[law]
        transform = statistics.transforms[self.index[name]]
        return float(forward(getattr(variable(name), side), transform))
