import numpy as np
import pytest
import torch

from stormdraw.errors import StormdrawError
from stormdraw.fields.transforms import forward, inverse

VALUES = np.array([-400.0, -1.0, 0.0, 0.25, 2500.0], dtype=np.float32)


def test_signed_sqrt_by_hand():
    assert forward(VALUES, "signed_sqrt").tolist() == [-20.0, -1.0, 0.0, 0.5, 50.0]


@pytest.mark.parametrize("transform", ["identity", "signed_sqrt"])
def test_inverse_undoes_forward(transform):
    assert np.allclose(inverse(forward(VALUES, transform), transform), VALUES, rtol=1e-6)


@pytest.mark.parametrize("transform", ["identity", "signed_sqrt"])
def test_tensors_agree_with_arrays(transform):
    tensor = forward(torch.from_numpy(VALUES), transform)
    assert np.allclose(tensor.numpy(), forward(VALUES, transform))
    assert np.allclose(inverse(tensor, transform).numpy(), VALUES, rtol=1e-6)


def test_unknown_transform_is_an_error():
    with pytest.raises(StormdrawError, match="unknown transform 'log'"):
        forward(VALUES, "log")
