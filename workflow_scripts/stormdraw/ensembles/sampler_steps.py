"""Which samplers there are, and how many steps each can take."""

from typing import Literal

from stormdraw.errors import StormdrawError

Sampler = Literal["dpm_solver++", "ddim", "ddpm"]


def check_steps(sampler: Sampler, steps: int, timesteps: int) -> None:
    """Raise StormdrawError if a sampler cannot take so many steps through so many timesteps."""
    if steps > timesteps:
        raise StormdrawError(
            f"{steps} sampling steps are more than the model's {timesteps} timesteps; "
            f"set `steps` of the system to at most {timesteps}"
        )
    if sampler == "ddim" and timesteps % steps:
        # diffusers' scheduler goes down by timesteps // steps whatever its list of timesteps says.
        below = max(step for step in range(1, steps) if timesteps % step == 0)
        raise StormdrawError(
            f"DDIM goes through the model's {timesteps} timesteps in equal steps, and {steps} is "
            f"no divisor of {timesteps}; set `steps` of the system to {below}, say"
        )
