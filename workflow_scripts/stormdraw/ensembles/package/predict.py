"""Draws members of a trained model with torch and NumPy only.

    from predict import Model
    model = Model()
    members = model.predict(state, time, members=10, hours=12)

`model.json` beside it says what the model is given and what it gives.
"""

import contextlib
import itertools
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.export.passes import move_to_device_pass

from stormdraw.ensembles.member_noise import PersistentNoise
from stormdraw.ensembles.solvers import solve
from stormdraw.errors import StormdrawError
from stormdraw.fields.transforms import forward, inverse
from stormdraw.models.forcings.clock import sine_and_cosine_of_hour
from stormdraw.models.forcings.sun import sine_of_elevation
from stormdraw.models.forcings.unit_sphere import unit_sphere
from stormdraw.models.white_noise import White, WhiteNoise, amplified
from stormdraw.seeds import seed_for

PACKAGE_FORMAT = 1
# Programs are for fewer members than 64, from which on diffusers' networks copy what they enlarge.
MOST_AT_ONCE = 63


class Model:
    """A trained model. `about` is the content of model.json.

    Raises StormdrawError if the folder holds no package of this format.
    """

    def __init__(self, folder: str | Path | None = None, device: str = "cpu") -> None:
        folder = Path(__file__).parent if folder is None else Path(folder)
        self.about = _read_about(folder / "model.json")
        self.device = torch.device(device)
        self._network = _read_network(folder / "network.pt2", self.device)
        noise = folder / "noise.pt2"
        self._noise = _read_network(noise, self.device) if noise.exists() else None
        with np.load(folder / "fields.npz", allow_pickle=False) as fields:
            self._fields = dict(fields)
        self.latitude, self.longitude = self._fields["latitude"], self._fields["longitude"]
        self._numbers = {
            name: torch.tensor(values, dtype=torch.float32, device=self.device)[:, None, None]
            for name, values in self.about["numbers"].items()
        }

    @torch.inference_mode()
    def predict(
        self,
        state: Mapping[str, np.ndarray],
        time: datetime,
        members: int = 10,
        hours: int = 1,
        seed: int | None = None,
        at_once: int = 10,
    ) -> dict[str, np.ndarray]:
        """Forecasts of each variable, float32 (member, hour, y, x), in physical units.

        `state` has the fields of the initial `time` (UTC), (y, x) each; those of predicted
        variables are (history, y, x), the oldest first, if the model starts from several hours.
        Members are the same for the same `seed`, which is by default that of the run, up to
        rounding whatever number is drawn `at_once`. Raises StormdrawError if the state, or the
        number of members or hours, does not fit the model, or if it draws what is no number.
        """
        initial, inputs = self._initial(state), self._inputs(state)
        if not self.about["by_chance"] and members != 1:
            raise StormdrawError(f"members is {members}, but the model is deterministic; give 1")
        if self.about["longest_lead"] is not None and hours > self.about["longest_lead"]:
            raise StormdrawError(
                f"hours is {hours}, but the model learnt from forecasts of up to "
                f"{self.about['longest_lead']} h; give fewer"
            )
        seed = self.about["seed"] if seed is None else seed
        at_once = min(at_once, MOST_AT_ONCE)
        blocks = []
        for first in range(0, members, at_once):
            block = range(first, min(first + at_once, members))
            drawn = self._roll_out(initial, inputs, time, block, hours, seed)
            blocks.append(np.stack([each.cpu().numpy() for each in drawn], axis=1))
        everything = np.concatenate(blocks)
        return {name: everything[:, :, k] for k, name in enumerate(self.about["variables"])}

    def _roll_out(
        self,
        initial: torch.Tensor,
        inputs: torch.Tensor,
        init: datetime,
        members: range,
        hours: int,
        seed: int,
    ) -> Iterator[torch.Tensor]:
        """Yield the states (B, V, Y, X) of each hour."""
        how = self.about["how"]
        states = [each.expand(len(members), -1, -1, -1) for each in initial]
        correlate = PersistentNoise(how["rho"])
        label = init.strftime("%Y%m%d%H")
        for hour in range(1, hours + 1):
            seeds = [seed_for(seed, how["system"], label, member, hour) for member in members]
            fresh = WhiteNoise(seeds, self.device)
            white = amplified(fresh, how["noise_amplitude"], self.device)
            known = self._forcings(init, hour, inputs).expand(len(members), -1, -1, -1)
            condition = self._condition(states, known)
            if self.about["kind"] == "one_step":
                generated = self._generate(condition, white, correlate)
            else:
                generated = self._denoise(states[-1], condition, white, correlate)
            following = self._bounded(self._decode(states[-1], generated))
            if not torch.isfinite(following).all():
                raise StormdrawError(f"the model drew states that are not numbers at {hour} h")
            states = [*states[1:], following[:, : initial.shape[1]]]
            yield following

    # What the network is given.

    def _initial(self, state: Mapping[str, np.ndarray]) -> torch.Tensor:
        """The predicted variables (H, V, Y, X)."""
        wanted = [*self.about["predicted"], *self.about["inputs"]]
        lacking, spare = set(wanted) - set(state), set(state) - set(wanted)
        if lacking or spare:
            raise StormdrawError(
                f"the state has {', '.join(state) or 'no variable'}, but the model takes "
                f"{', '.join(wanted)}"
            )
        history = self.about["history"]
        shape = (history, *self.latitude.shape) if history > 1 else self.latitude.shape
        fields = [_checked(name, state[name], shape) for name in self.about["predicted"]]
        stacked = np.stack(fields).reshape(len(fields), history, *self.latitude.shape)
        return torch.from_numpy(stacked.swapaxes(0, 1).copy()).to(self.device)

    def _inputs(self, state: Mapping[str, np.ndarray]) -> torch.Tensor:
        """The standardised fields that are known at the initial time only, (I, Y, X)."""
        standardised = [np.empty((0, *self.latitude.shape), np.float32)]
        for k, name in enumerate(self.about["inputs"]):
            field = _checked(name, state[name], self.latitude.shape)
            mean, std = (np.float32(self.about["of_inputs"][own][k]) for own in ("mean", "std"))
            value = (forward(field, self.about["of_inputs"]["transforms"][k]) - mean) / std
            standardised.append(value[None].astype(np.float32))
        return torch.from_numpy(np.concatenate(standardised)).to(self.device)

    def _forcings(self, init: datetime, hour: int, inputs: torch.Tensor) -> torch.Tensor:
        """The channels of the condition besides states, (F, Y, X)."""
        valid = init + timedelta(hours=hour)
        known = [
            torch.from_numpy(np.ascontiguousarray(self._known(name, valid))).to(self.device)
            for name in self.about["forcings"]
        ]
        if self.about["inputs"]:
            age = (hour - 1) / self.about["hours_of_one"]
            known += [inputs, inputs.new_full((1, *inputs.shape[1:]), age)]
        none = inputs.new_empty((0, *inputs.shape[1:]))
        return torch.cat([none, *known])

    def _known(self, name: str, valid: datetime) -> np.ndarray:
        """A forcing that is known in advance, float32 (channel, y, x)."""
        if name == "hour_of_day":
            both = sine_and_cosine_of_hour(valid)
            return np.broadcast_to(both[:, None, None], (2, *self.latitude.shape))
        if name == "solar_elevation":
            return sine_of_elevation(valid, self.latitude, self.longitude)[None]
        if name == "position":
            return unit_sphere(self.latitude, self.longitude)
        return self._fields[name][None]

    def _condition(self, states: list[torch.Tensor], known: torch.Tensor) -> torch.Tensor:
        """The standardised states, the oldest first, and the forcings, (B, C, Y, X)."""
        if self.about["history_as"] == "changes":
            earlier = [self._change(*pair) for pair in itertools.pairwise(states)]
        else:
            earlier = [self._standardise(state) for state in states[:-1]]
        return torch.cat([*earlier, self._standardise(states[-1]), known], dim=1)

    # From what the network gives to states.

    def _transform(self, states: torch.Tensor, back: bool = False) -> torch.Tensor:
        each = zip(states.unbind(dim=1), self.about["transforms"], strict=False)
        return torch.stack([(inverse if back else forward)(*pair) for pair in each], dim=1)

    def _standardise(self, states: torch.Tensor) -> torch.Tensor:
        count = states.shape[1]
        mean, std = self._numbers["mean"][:count], self._numbers["std"][:count]
        return (self._transform(states) - mean) / std

    def _change(self, now: torch.Tensor, following: torch.Tensor) -> torch.Tensor:
        """The standardised change of the predicted variables."""
        count = len(self.about["predicted"])
        change = self._transform(following) - self._transform(now)
        mean = self._numbers["tendency_mean"][:count]
        return (change - mean) / self._numbers["tendency_std"][:count]

    def _persistence(self, now: torch.Tensor) -> torch.Tensor:
        """What the network gives if nothing changes, (B, V, Y, X)."""
        residual = self.about["target"] == "residual"
        steady = self._change(now, now) if residual else self._standardise(now)
        diagnosed = len(self.about["variables"]) - len(self.about["predicted"])
        return torch.cat([steady, now.new_zeros(len(now), diagnosed, *now.shape[2:])], dim=1)

    def _decode(self, now: torch.Tensor, generated: torch.Tensor) -> torch.Tensor:
        """The physical states an hour after `now`, (B, V, Y, X)."""
        mean, start = self._numbers["mean"], self._numbers["mean"]
        if self.about["target"] == "residual":
            count = len(self.about["predicted"])
            steady = self._transform(now) + self._numbers["tendency_mean"][:count]
            start = torch.cat([steady, mean[count:].expand(len(now), -1, *now.shape[2:])], dim=1)
        decoded = torch.addcmul(start, generated, self._numbers["scale"])
        return self._transform(decoded, back=True)

    def _bounded(self, states: torch.Tensor) -> torch.Tensor:
        """The states within their physical bounds."""
        bounded = states.clamp(self._numbers["lower"], self._numbers["upper"])
        for lower, upper in self.about["not_above"]:
            k, j = (self.about["variables"].index(name) for name in (lower, upper))
            bounded[:, k] = torch.minimum(bounded[:, k], bounded[:, j])
        return bounded

    # What the network does.

    def _generate(
        self, condition: torch.Tensor, white: White, correlate: PersistentNoise
    ) -> torch.Tensor:
        """One pass of the network, (B, V, Y, X)."""
        noise = []
        if self._noise is not None:
            drawn = [white(tuple(shape)) for shape in self.about["noise_shapes"]]
            noise = [correlate(self._noise(*drawn))]
        with self._precision():
            return self._network(condition, *noise).float()

    def _denoise(
        self,
        now: torch.Tensor,
        condition: torch.Tensor,
        white: White,
        correlate: PersistentNoise,
    ) -> torch.Tensor:
        """A sample of a diffusion model, from noise on, (B, V, Y, X)."""
        path, how = self.about["path"], self.about["how"]
        guess = self._persistence(now)
        noise = correlate(white(tuple(guess.shape[1:])))

        def estimate(noisy: torch.Tensor, place: int) -> torch.Tensor:
            rung = path[place]
            time = torch.full((len(noisy),), rung["c_noise"], device=self.device)
            with self._precision():
                predicted = self._network(rung["c_in"] * noisy, condition, time).float()
            return rung["c_skip"] * noisy + rung["c_out"] * predicted

        noisy = path[0]["alpha"] * guess + path[0]["sigma"] * noise
        return solve(how["sampler"], noisy, estimate, path, how["eta"], white)

    @contextlib.contextmanager
    def _precision(self) -> Iterator[None]:
        """Convolutions in the precision that the model was trained with."""
        precision, kind = self.about["precision"], self.device.type
        if precision == "auto" and kind == "cuda" and torch.cuda.is_bf16_supported():
            precision = "bfloat16"
        half = torch.float16 if precision == "float16" and kind != "cpu" else torch.bfloat16
        with torch.autocast(kind, half, enabled=precision in ("bfloat16", "float16")):
            yield


def _read_about(path: Path) -> dict[str, Any]:
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StormdrawError(f"{path}: cannot be read ({error}); copy the package anew") from None
    if about.get("format") != PACKAGE_FORMAT:
        raise StormdrawError(
            f"{path}: has format {about.get('format')}, but predict.py reads {PACKAGE_FORMAT}; "
            "take both from one package"
        )
    return about


def _read_network(path: Path, device: torch.device) -> torch.nn.Module:
    program = torch.export.load(path)
    if device.type != "cpu":
        program = move_to_device_pass(program, device)
    return program.module()


def _checked(name: str, field: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    field = np.asarray(field, dtype=np.float32)
    if field.shape != shape:
        raise StormdrawError(
            f"{name} has the shape {field.shape}, but the model takes {shape}: its grid is "
            "that of latitude and longitude in fields.npz"
        )
    if not np.isfinite(field).all():
        raise StormdrawError(f"{name} has {np.count_nonzero(~np.isfinite(field))} missing points")
    return field
