"""The layers against the plainest way to write each of them."""

from __future__ import annotations

import numpy as np
import pytest

from imgcore.captioning.local.layers import (
    Array,
    Convolution,
    Depthwise,
    Pointwise,
    doubled,
    max_pool,
    padded,
    relu,
    relu6,
)


def noise(*shape: int) -> Array:
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


def slow_convolution(x: Array, weights: Array, bias: Array, stride: int) -> Array:
    kernel, (height, width) = len(weights), x.shape[:2]
    x = padded(x, kernel, stride)
    out = [
        [
            np.einsum("ijc,ijco->o", x[r : r + kernel, c : c + kernel], weights) + bias
            for c in range(0, -(-width // stride) * stride, stride)
        ]
        for r in range(0, -(-height // stride) * stride, stride)
    ]
    return np.array(out, np.float32)


@pytest.mark.parametrize(
    ("side", "kernel", "stride", "before", "after"),
    [(4, 3, 1, 1, 1), (4, 3, 2, 0, 1), (5, 3, 2, 1, 1), (6, 5, 2, 1, 2), (7, 5, 1, 2, 2), (3, 1, 2, 0, 0)],
)
def test_layer_padding_is_tensorflows(side: int, kernel: int, stride: int, before: int, after: int) -> None:
    """The odd pixel of the border goes to the bottom and the right."""
    expected = np.zeros((side + before + after, side + before + after, 1), np.float32)
    expected[before : before + side, before : before + side] = 1
    assert expected.tolist() == padded(np.ones((side, side, 1), np.float32), kernel, stride).tolist()


@pytest.mark.parametrize(("height", "width", "kernel", "stride"), [(8, 6, 3, 1), (8, 6, 3, 2), (7, 9, 5, 2)])
def test_layer_convolution_sums_its_windows(height: int, width: int, kernel: int, stride: int) -> None:
    """Each output pixel is the weighted sum of its window, and the bias."""
    x, weights, bias = noise(height, width, 3), noise(kernel, kernel, 3, 4), noise(4)
    expected = slow_convolution(x, weights, bias, stride)
    np.testing.assert_allclose(Convolution(weights, bias, stride)(x), expected, atol=1e-4)


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("side", [6, 7])
def test_layer_depthwise_convolution_keeps_channels_apart(kernel: int, stride: int, side: int) -> None:
    """It is a convolution whose weights between different channels are zero."""
    x, weights, bias = noise(side, side, 4), noise(kernel, kernel, 4), noise(4)
    expected = slow_convolution(x, weights[..., None] * np.eye(4, dtype=np.float32), bias, stride)
    np.testing.assert_allclose(Depthwise(weights, bias, stride, side)(x), expected, atol=1e-4)


def test_layer_pointwise_convolution_mixes_channels() -> None:
    """Every pixel is multiplied by the same matrix."""
    x, weights, bias = noise(3, 2, 5), noise(5, 4), noise(4)
    expected = [[x[r, c] @ weights + bias for c in range(2)] for r in range(3)]
    np.testing.assert_allclose(Pointwise(weights, bias)(x), expected, atol=1e-5)


def test_layer_relu_cuts_below() -> None:
    """Negative values become zero."""
    assert [0.0, 0.0, 7.5] == relu(np.array([-1, 0, 7.5], np.float32)).tolist()


def test_layer_relu6_cuts_on_both_sides() -> None:
    """What is left lies between 0 and 6."""
    assert [0.0, 2.5, 6.0] == relu6(np.array([-1, 2.5, 7.5], np.float32)).tolist()


def test_layer_max_pool_keeps_the_largest_of_four() -> None:
    """Each 2 × 2 pixels become one."""
    x = np.array([[1, 5, 0, 0], [2, 3, 0, -1], [9, 0, -4, -2], [0, 0, -3, -8]], np.float32)[..., None]
    assert [[5.0, 0.0], [9.0, -2.0]] == max_pool(x)[..., 0].tolist()


def test_layer_doubled_interpolates_between_the_centres() -> None:
    """New pixels lie a quarter of a pixel away from the old ones; the border is repeated."""
    x = np.array([[0, 4]], np.float32)[..., None]
    assert [[0.0, 1.0, 3.0, 4.0]] * 2 == doubled(x)[..., 0].tolist()
