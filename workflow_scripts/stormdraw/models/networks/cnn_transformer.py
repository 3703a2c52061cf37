"""A convolutional encoder of each frame, a transformer over time, and a convolutional decoder.

Attention is between the frames at each point of the coarsest level, so its cost is linear in the
grid points. The convolutions mix neighbouring points.
"""

import itertools

import torch
from torch import nn

from stormdraw.models.convolutions import convolve_upsampled
from stormdraw.models.families.cnn_transformer import HEAD_SIZE, Options
from stormdraw.models.networks.conditional_unet import ResidualBlock
from stormdraw.models.norms import make_norm
from stormdraw.models.padding import pad_to_multiple
from stormdraw.models.parts import in_parts
from stormdraw.models.reach import level_context


class Network(nn.Module):
    """The next state from the last few, on a grid of any size.

    Each frame has `frame_channels` variables, by default as many as the next state.
    """

    def __init__(
        self,
        variables: int,
        condition_channels: int,
        options: Options,
        frame_channels: int | None = None,
    ) -> None:
        super().__init__()
        widths, norm = options.channels, options.norm
        self.frames = options.frames
        self.multiple = 2 ** (len(widths) - 1)
        self.context = None if norm == "group" else _context(len(widths))
        self.frame_channels = variables if frame_channels is None else frame_channels
        forcings = condition_channels - self.frames * self.frame_channels
        levels = list(itertools.pairwise(widths))
        self.enter = nn.Conv2d(self.frame_channels + max(forcings, 0), widths[0], 3, padding=1)
        self.fine = nn.ModuleList([ResidualBlock(width, width, norm) for width, _ in levels])
        self.down = nn.ModuleList(
            [nn.Conv2d(width, below, 3, stride=2, padding=1) for width, below in levels]
        )
        self.coarsest = ResidualBlock(widths[-1], widths[-1], norm)
        self.ages = nn.Parameter(0.02 * torch.randn(self.frames, widths[-1]))
        self.layers = nn.ModuleList([TemporalLayer(widths[-1]) for _ in range(options.layers)])
        self.up = nn.ModuleList([nn.Conv2d(below, width, 3, padding=1) for width, below in levels])
        self.merge = nn.ModuleList([ResidualBlock(2 * width, width, norm) for width, _ in levels])
        self.leave = nn.Sequential(
            make_norm(norm, widths[0]),
            nn.SiLU(),
            nn.Conv2d(widths[0], variables, 3, padding=1),
        )

    def forward(self, condition: torch.Tensor) -> torch.Tensor:
        """condition (B, T V + F, Y, X), the oldest frame first -> (B, V, Y, X)."""
        height, width = condition.shape[-2:]
        padded = pad_to_multiple(condition, self.multiple)
        frames = padded[:, : self.frames * self.frame_channels].unflatten(1, (self.frames, -1))
        forcings = padded[:, None, self.frames * self.frame_channels :]
        x = torch.cat([frames, forcings.expand(-1, self.frames, -1, -1, -1)], dim=2)
        skips, encoded = self._encode_all(x)  # of the newest frame, and (B, T, C, Y'', X'')
        x = self._through_time(encoded)  # (B, C, Y'', X'')
        for up, merge in zip(reversed(self.up), reversed(self.merge), strict=True):
            enlarged = convolve_upsampled(up, x)  # type: ignore[arg-type]
            x = merge((enlarged, skips.pop()))
        return self.leave(x)[..., :height, :width]

    def blocks(self) -> list[nn.Module]:
        """The blocks whose activations may be recomputed."""
        return [*self.fine, self.coarsest, *self.layers, *reversed(self.merge)]

    def _encode_all(self, frames: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
        """Frames (B, T, V + F, Y, X): the finer levels of the newest, and the coarsest of each.

        Without gradients, the finer levels of earlier frames are not needed. Frames are then
        encoded one after another, in a fifth of the memory.
        """
        if torch.is_grad_enabled():
            skips, encoded = self._encode(frames.flatten(0, 1))
            skips = [skip.unflatten(0, (-1, self.frames))[:, -1] for skip in skips]
            return skips, encoded.unflatten(0, (-1, self.frames))
        earlier = [self._encode(frame)[1] for frame in frames[:, :-1].unbind(dim=1)]
        skips, newest = self._encode(frames[:, -1])
        return skips, torch.stack([*earlier, newest], dim=1)

    def _encode(self, frames: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
        """Encode frames (N, V + F, Y, X) independently: the finer levels, and (N, C, Y'', X'')."""
        x = self.enter(frames)
        skips = []
        for block, down in zip(self.fine, self.down, strict=True):
            x = block(x)
            skips.append(x)
            x = down(x)
        return skips, self.coarsest(x)

    def _through_time(self, x: torch.Tensor) -> torch.Tensor:
        """(B, T, C, Y, X) -> (B, C, Y, X): the last frame after attention to all frames."""
        tokens = x.permute(0, 1, 3, 4, 2).flatten(2, 3)  # (B, T, Y X, C)

        def newest(part: slice) -> torch.Tensor:
            mixed = tokens[:, :, part] + self.ages[:, None, :]
            for layer in self.layers:
                mixed = layer(mixed)
            return mixed[:, -1]

        seen = in_parts(newest, tokens.shape[2], dim=1)  # (B, Y X, C)
        return seen.transpose(1, 2).unflatten(2, x.shape[-2:])


def _context(levels: int) -> int:
    context = 2
    for _ in range(levels - 1):
        context = level_context(context, before=2, after=2)
    return 1 + context + 1


class TemporalLayer(nn.Module):
    """A layer of a transformer over the frames at each point (pre-norm; Xiong et al. 2020).

    Written out, since fused attention kernels take at most 65,535 sequences at once.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.heads = size // HEAD_SIZE
        self.attention_norm = nn.LayerNorm(size)
        self.queries_keys_values = nn.Linear(size, 3 * size)
        self.mixed = nn.Linear(size, size)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(size), nn.Linear(size, 4 * size), nn.GELU(), nn.Linear(4 * size, size)
        )

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """(B, T, points, C) -> the same."""
        parts = self.queries_keys_values(self.attention_norm(tokens))
        queries, keys, values = parts.unflatten(-1, (3, self.heads, HEAD_SIZE)).unbind(dim=-3)
        alike = torch.einsum("biphc,bjphc->bijph", queries, keys) * HEAD_SIZE**-0.5
        weights = alike.softmax(dim=2)
        seen = torch.einsum("bijph,bjphc->biphc", weights.to(values.dtype), values)
        tokens = tokens + self.mixed(seen.flatten(-2))
        return tokens + self.feed_forward(tokens)
