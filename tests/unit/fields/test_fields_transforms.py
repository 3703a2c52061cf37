import numpy as np
import pytest
import torch

from stormdraw.errors import StormdrawError
from stormdraw.fields.transforms import forward, inverse

VALUES = np.array([-400.0, -1.0, 0.0, 0.25, 2500.0], dtype=np.float32)


def test_signed_sqrt_by_hand():
    assert forward(VALUES, "signed_sqrt").tolist() == [-20.0, -1.0, 0.0, 0.5, 50.0]


def test_log1p_by_hand():
    values = np.array([0.0, np.e - 1, 1 - np.e**2])
    assert forward(values, "log1p") == pytest.approx([0.0, 1.0, -2.0])


def test_log1p_keeps_the_least_rain():
    """The logarithm of 1 + 1e-9 would be 0 in single precision."""
    least = np.array([1e-9], dtype=np.float32)
    assert forward(least, "log1p") == pytest.approx(least, rel=1e-6)
    tensor = forward(torch.from_numpy(least), "log1p")
    assert inverse(tensor, "log1p").item() == pytest.approx(1e-9)


@pytest.mark.parametrize("transform", ["identity", "signed_sqrt", "log1p"])
def test_inverse_undoes_forward(transform):
    assert np.allclose(inverse(forward(VALUES, transform), transform), VALUES, rtol=1e-6)


@pytest.mark.parametrize("transform", ["identity", "signed_sqrt", "log1p"])
def test_tensors_agree_with_arrays(transform):
    tensor = forward(torch.from_numpy(VALUES), transform)
    assert np.allclose(tensor.numpy(), forward(VALUES, transform))
    assert np.allclose(inverse(tensor, transform).numpy(), VALUES, rtol=1e-6)


def test_unknown_transform_is_an_error():
    with pytest.raises(StormdrawError, match="unknown transform 'log'"):
        forward(VALUES, "log")
