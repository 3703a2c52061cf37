"""What makers publish of the GPUs that plans estimate the time of.

`stormdraw` has been timed on none of them. Of the RTX 4090 three trainings are known
(`stormdraw.models.operations`); the others are scaled from there by these figures alone.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class GpuPeaks:
    """Matrix operations per second in half precision with sums in float32, in tf32 and in float32,
    without sparsity, and bytes per second from memory. `known` is what an estimate rests on."""

    name: str
    half_precision: float
    tf32: float
    float32: float
    memory: float
    known: str

    def single_precision(self, as_tf32: bool) -> float:
        """Operations per second on float32 numbers, of which tf32 rounds the factors."""
        return self.tf32 if as_tf32 else self.float32


_SCALED = "not measured: scaled by its published peak and memory bandwidth"

# NVIDIA, Ada GPU architecture, appendix A.
RTX_4090 = GpuPeaks(
    name="an RTX 4090",
    half_precision=165.2e12,
    tf32=82.6e12,
    float32=82.6e12,
    memory=1008e9,
    known="not measured here: from its published peak to a multiple that covers three trainings "
    "timed on one elsewhere",
)
# NVIDIA, A100 datasheet, SXM with 80 GB.
A100 = GpuPeaks(
    name="an A100 of 80 GB",
    half_precision=312e12,
    tf32=156e12,
    float32=19.5e12,
    memory=2039e9,
    known=_SCALED,
)
# NVIDIA, H100 datasheet, SXM with 80 GB.
H100 = GpuPeaks(
    name="an H100 of 80 GB",
    half_precision=989.4e12,
    tf32=494.7e12,
    float32=66.9e12,
    memory=3350e9,
    known=_SCALED,
)
GPUS = (RTX_4090, A100, H100)
