"""How many floating point operations a device does in a second.

They are known from two trainings only, so hours are right to a factor of two or three.
"""

GPU = "an RTX 4090"
# The reference's ddpm_ultra_minimal on that GPU: 3.3 samples a second of the full grid, each of
# 375e9 operations.
OPERATIONS_A_SECOND_ON_GPU = 3.3 * 375e9
# The same training on two cores of a Xeon, as measured with this workflow: 15.9 s a sample.
OPERATIONS_A_SECOND_ON_CORE = 375e9 / 15.9 / 2
