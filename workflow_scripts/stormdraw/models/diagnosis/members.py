"""Members one hour ahead against the truth: score, spectra, and impossible points."""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch.nn.functional import pad

from stormdraw.models.diagnosis.cases import DiagnosedCase
from stormdraw.models.diagnosis.impossible import impossible_points
from stormdraw.models.diagnosis.sampling import HourSampler, Watch
from stormdraw.models.forecaster import Forecaster
from stormdraw.models.losses import absolute_error, almost_fair_crps
from stormdraw.models.white_noise import WhiteNoise
from stormdraw.seeds import seed_for
from stormdraw.spectra import variance_spectrum, wavenumber_bands

# The fields whose impossible points are counted: the analyses, the members as drawn, the same
# beyond the archive's precision, and the members within bounds.
STAGES = ("truth", "drawn", "drawn_beyond_precision", "bounded")


@dataclass
class MembersTally:
    """Sums over cases and members of one hour, on a (y, x) grid.

    `crps` are (condition, variable), the absolute error for a single member; `persistence` is the
    absolute error of the present state; both are in physical units. Spectra are (variable,
    wavenumber), of states and of their change over the hour. Persistence and changes are NaN for
    diagnosed variables, which the present state lacks. `impossible` counts points, (stage,
    variable).
    """

    model: Forecaster
    run_seed: int
    name: str
    shape: tuple[int, int]
    crps: np.ndarray = field(init=False)
    persistence: np.ndarray = field(init=False)
    cases: np.ndarray = field(init=False)
    spectra: dict[str, np.ndarray] = field(init=False)
    impossible: np.ndarray = field(init=False)
    points: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        variables = len(self.model.variables)
        _, bands = wavenumber_bands(self.shape)
        kinds = ("truth", "members", "change_truth", "change_members")
        self.spectra = {kind: np.zeros((variables, bands)) for kind in kinds}
        self.crps, self.cases = np.zeros((2, variables)), np.zeros(2)
        self.persistence = np.zeros(variables)
        self.impossible, self.points = np.zeros((len(STAGES), variables)), np.zeros(len(STAGES))

    @torch.inference_mode()
    def add(
        self, case: DiagnosedCase, sampler: HourSampler, batch: int, watch: Watch | None = None
    ) -> torch.Tensor:
        """Count one case, drawing `batch` members at a time; return the members (M, V, Y, X).

        These are the model's own output for the right condition. Both conditions get the same
        random numbers, and a residual is always added to the right state.
        """
        now, truth = case.batch.now, case.batch.following
        unchanged = _with_diagnosed(now, truth)
        generated = self._draw(case, case.condition, sampler, batch, watch)
        for which, condition in enumerate(case.conditions()):
            if which:
                wrong = self._draw(case, condition, sampler, batch)
                drawn = self.model.normalization.decode(now.expand(len(wrong), -1, -1, -1), wrong)
            else:
                drawn = self.model.normalization.decode(
                    now.expand(len(generated), -1, -1, -1), generated
                )
            members = sampler.bound(drawn, self.model.variables)
            self.crps[which] += mean_crps(members, truth[0])
            self.cases[which] += 1
            if which == 0:
                self._count_impossible(truth, drawn, members)
                self._count_spectra(unchanged[0], truth[0], members)
        self.persistence += (truth - unchanged).abs().double().mean(dim=(0, 2, 3)).cpu().numpy()
        return generated

    def _draw(
        self,
        case: DiagnosedCase,
        condition: torch.Tensor,
        sampler: HourSampler,
        batch: int,
        watch: Watch | None = None,
    ) -> torch.Tensor:
        """Members in target space, (M, V, Y, X); the first ones are watched."""
        parts = []
        for first in range(0, sampler.members, batch):
            members = range(first, min(first + batch, sampler.members))
            seeds = [
                seed_for(self.run_seed, self.name, "diagnosis", case.number, "member", member)
                for member in members
            ]
            parts.append(
                sampler.draw(
                    case.batch.now.expand(len(members), -1, -1, -1),
                    condition.expand(len(members), -1, -1, -1),
                    WhiteNoise(seeds, condition.device),
                    watch if first == 0 else None,
                )
            )
        return torch.cat(parts)

    def _count_impossible(
        self, truth: torch.Tensor, drawn: torch.Tensor, members: torch.Tensor
    ) -> None:
        names = self.model.variables
        stages = ((truth, False), (drawn, False), (drawn, True), (members, False))
        for stage, (states, tolerant) in enumerate(stages):
            self.impossible[stage] += impossible_points(states, names, tolerant).cpu().numpy()
            self.points[stage] += states[:, 0].numel()

    def _count_spectra(self, now: torch.Tensor, truth: torch.Tensor, members: torch.Tensor) -> None:
        self.spectra["truth"] += spectra_of(truth[None])
        self.spectra["members"] += spectra_of(members)
        self.spectra["change_truth"] += spectra_of(truth[None] - now)
        self.spectra["change_members"] += spectra_of(members - now)

    def mean_crps(self) -> np.ndarray:
        """Mean over cases and points, (condition, variable); NaN without a second condition."""
        with np.errstate(invalid="ignore"):
            return self.crps / self.cases[:, None]

    def shares_impossible(self) -> np.ndarray:
        """Share of the points that are impossible, (stage, variable)."""
        return self.impossible / self.points[:, None]


def _with_diagnosed(now: torch.Tensor, following: torch.Tensor) -> torch.Tensor:
    """The present state (B, V, Y, X) with NaN for the variables that only `following` has."""
    lacking = following.shape[1] - now.shape[1]
    return pad(now, (0, 0, 0, 0, 0, lacking), value=torch.nan)


def mean_crps(members: torch.Tensor, truth: torch.Tensor) -> np.ndarray:
    """Fair CRPS of members (M, V, Y, X) against the truth (V, Y, X), mean over points, (V,).

    For a single member it is the absolute error.
    """
    if len(members) == 1:
        return absolute_error(members, truth[None])[0].cpu().numpy()
    return almost_fair_crps(members[None], truth[None], alpha=1.0)[0].cpu().numpy()


def spectra_of(states: torch.Tensor) -> np.ndarray:
    """Variance by wavenumber band of states (B, V, Y, X), mean over B, (V, wavenumber)."""
    spectra = [[variance_spectrum(one) for one in state] for state in states.cpu().numpy()]
    return np.stack(spectra).mean(axis=0)
