"""Convective cells: born by a Poisson process, moved by the wind, growing, decaying and dying."""

from dataclasses import dataclass, fields

import numpy as np

from stormdraw.simulated.domain import Domain

# A saved state has room for this many cells; births beyond it are lost.
CAPACITY = 400

PROPERTIES = ("x", "y", "u", "v", "age", "lifetime", "peak", "radius")

_SECONDS_PER_HOUR = 3600.0
_WANDERING_HOURS = 1.5
_WANDERING_SPEED = 1.8


@dataclass(frozen=True)
class Cells:
    """Living cells, one number per cell.

    `x`, `y` in m from the box's corner; `u`, `v` their motion relative to the steering wind in m/s;
    `age` and `lifetime` in h; `peak` the reflectivity of the mature core in dBZ; `radius` of the
    core in m.
    """

    x: np.ndarray
    y: np.ndarray
    u: np.ndarray
    v: np.ndarray
    age: np.ndarray
    lifetime: np.ndarray
    peak: np.ndarray
    radius: np.ndarray

    def __len__(self) -> int:
        return len(self.x)

    @classmethod
    def none(cls) -> "Cells":
        """No cells."""
        return cls(*(np.empty(0) for _ in PROPERTIES))

    @classmethod
    def from_table(cls, table: np.ndarray) -> "Cells":
        """Cells from rows of (cell, property); rows of NaN are empty."""
        living = table[~np.isnan(table[:, 0])]
        return cls(*living.T.copy())

    def table(self) -> np.ndarray:
        """(CAPACITY, property), padded with NaN."""
        table = np.full((CAPACITY, len(PROPERTIES)), np.nan)
        for column, name in enumerate(PROPERTIES):
            table[: len(self), column] = getattr(self, name)
        return table

    def select(self, chosen: np.ndarray) -> "Cells":
        """The cells chosen by a mask or index."""
        return Cells(*(getattr(self, field.name)[chosen] for field in fields(self)))

    def join(self, others: "Cells") -> "Cells":
        """These cells and the others; those beyond CAPACITY are dropped, the youngest first."""
        return Cells(
            *(
                np.concatenate([getattr(self, field.name), getattr(others, field.name)])[:CAPACITY]
                for field in fields(self)
            )
        )

    def strength(self) -> np.ndarray:
        """0 at birth and death, 1 when mature."""
        return np.sin(np.pi * np.clip(self.age / self.lifetime, 0.0, 1.0)) ** 0.6

    def stepped(
        self, domain: Domain, steering: np.ndarray, ageing: np.ndarray, hours: float, z: np.ndarray
    ) -> "Cells":
        """The surviving cells `hours` later.

        `ageing` is the rate at which each cell ages; `z` are two standard normal numbers per cell
        for its random motion, an Ornstein-Uhlenbeck process of 1.8 m/s and 1.5 h.
        """
        seconds = hours * _SECONDS_PER_HOUR
        memory = np.exp(-hours / _WANDERING_HOURS)
        stir = _WANDERING_SPEED * np.sqrt(1 - memory**2)
        u = memory * self.u + stir * z[: len(self)]
        v = memory * self.v + stir * z[len(self) :]
        moved = Cells(
            x=(self.x + seconds * (steering[0] + u)) % domain.lengths[1],
            y=(self.y + seconds * (steering[1] + v)) % domain.lengths[0],
            u=u,
            v=v,
            age=self.age + hours * ageing,
            lifetime=self.lifetime,
            peak=self.peak,
            radius=self.radius,
        )
        return moved.select(moved.age < moved.lifetime)


def candidates(
    domain: Domain, count: int, generator: np.random.Generator
) -> tuple[Cells, np.ndarray]:
    """`count` cells at random positions, and a uniform number for each to accept it by.

    Lifetimes are log-normal about 2.2 h within 0.8 to 4.5 h, core radii about 4.5 km within 2.5 to
    9 km; `peak` is a departure in dBZ from what the environment allows.
    """
    uniform = generator.random((3, count))
    z = generator.standard_normal((5, count))
    cells = Cells(
        x=uniform[0] * domain.lengths[1],
        y=uniform[1] * domain.lengths[0],
        u=_WANDERING_SPEED * z[0],
        v=_WANDERING_SPEED * z[1],
        age=np.zeros(count),
        lifetime=np.clip(2.2 * np.exp(0.4 * z[2]), 0.8, 4.5),
        peak=4.0 * z[3],
        radius=np.clip(4500.0 * np.exp(0.3 * z[4]), 2500.0, 9000.0),
    )
    return cells, uniform[2]


def sum_of_bells(
    domain: Domain, x: np.ndarray, y: np.ndarray, height: np.ndarray, radius: np.ndarray
) -> np.ndarray:
    """Sum over cells of height exp(-r^2 / (2 radius^2)) on the periodic box, (y, x).

    A bell is the product of one along y and one along x, so the sum is a matrix product.
    """
    length_y, length_x = domain.lengths
    bells_y = _bells(domain.shape[0], domain.spacing, length_y, y, radius)
    bells_x = _bells(domain.shape[1], domain.spacing, length_x, x, radius)
    return (bells_y * height[:, None].astype(np.float32)).T @ bells_x


def _bells(
    points: int, spacing: float, length: float, centre: np.ndarray, radius: np.ndarray
) -> np.ndarray:
    """exp(-d^2 / (2 radius^2)) of the periodic distance d along one axis, (cell, point)."""
    along = np.arange(points, dtype=np.float32) * np.float32(spacing)
    distance = np.abs(along - centre[:, None].astype(np.float32))
    distance = np.minimum(distance, np.float32(length) - distance)
    distance *= np.float32(np.sqrt(0.5)) / radius[:, None].astype(np.float32)
    return np.exp(-distance * distance)
