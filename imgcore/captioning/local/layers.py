"""The layers of both nets, in numpy.

Pictures are float32 arrays of height × width × channels; "same" padding is TensorFlow's, which puts
the odd pixel at the bottom and the right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]


def padded(x: Array, kernel: int, stride: int) -> Array:
    """Return ``x`` in a border of zeros, so that the output has ceil(side / stride) pixels a side."""
    height, width, channels = x.shape
    rows, columns = (max((-(-side // stride) - 1) * stride + kernel - side, 0) for side in (height, width))
    out = np.zeros((height + rows, width + columns, channels), np.float32)
    out[rows // 2 : rows // 2 + height, columns // 2 : columns // 2 + width] = x
    return out


@dataclass(frozen=True, slots=True, eq=False)
class Pointwise:
    """A 1 × 1 convolution: one matrix product for all pixels."""

    weights: Array  # input channels × output channels
    bias: Array

    def __call__(self, x: Array) -> Array:
        height, width, channels = x.shape
        out: Array = x.reshape(-1, channels) @ self.weights
        out += self.bias
        return out.reshape(height, width, -1)


@dataclass(frozen=True, slots=True, eq=False)
class Convolution:
    """A full convolution: the windows laid out side by side, then one matrix product."""

    weights: Array  # kernel × kernel × input × output channels
    bias: Array
    stride: int

    def __call__(self, x: Array) -> Array:
        kernel, _, _, channels = self.weights.shape
        x = padded(x, kernel, self.stride)
        windows = np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), axis=(0, 1))
        windows = windows[:: self.stride, :: self.stride].transpose(0, 1, 3, 4, 2)
        height, width = windows.shape[:2]
        out: Array = windows.reshape(height * width, -1) @ self.weights.reshape(-1, channels)
        out += self.bias
        return out.reshape(height, width, channels)


class Depthwise:
    """A convolution of each channel by itself.

    einsum multiplies and adds in one pass over the output, which is several times as fast as a
    multiplication and an addition for each tap. Its inner loop is over what lies side by side in
    memory: one pixel's channels or, where the taps are few and the windows touch, a whole row.
    """

    def __init__(self, weights: Array, bias: Array, stride: int, width: int) -> None:
        """Prepare the weights. ``weights``: kernel × kernel × channels; ``width``: of the input, pixels."""
        self._weights, self._bias, self._stride = weights, bias, stride
        whole_rows = stride == 1 and len(weights) == 3
        self._row_weights = np.tile(weights, (1, 1, width)) if whole_rows else None

    def __call__(self, x: Array) -> Array:
        kernel = len(self._weights)
        x = padded(x, kernel, self._stride)
        rows = self._row_weights
        out = self._by_pixel(x, kernel) if rows is None else self._by_row(x, kernel, rows)
        out += self._bias
        return out

    def _by_pixel(self, x: Array, kernel: int) -> Array:
        windows = np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), axis=(0, 1))
        return _einsum("hwcij,ijc->hwc", windows[:: self._stride, :: self._stride], self._weights)

    def _by_row(self, x: Array, kernel: int, row_weights: Array) -> Array:
        height, width, channels = x.shape[0] - kernel + 1, x.shape[1] - kernel + 1, x.shape[2]
        row, pixel, value = x.strides
        shape = (height, width * channels, kernel, kernel)
        windows = np.lib.stride_tricks.as_strided(x, shape, (row, value, row, pixel), writeable=False)
        return _einsum("hxij,ijx->hx", windows, row_weights).reshape(height, width, channels)


def _einsum(subscripts: str, windows: Array, weights: Array) -> Array:
    out: Array = np.einsum(subscripts, windows, weights)
    return out


def relu(x: Array) -> Array:
    """Set negative values to zero, in place."""
    return np.maximum(x, 0, out=x)


def relu6(x: Array) -> Array:
    """Clip to 0 … 6, in place."""
    clipped: Array = np.clip(x, 0, 6, out=x)
    return clipped


def max_pool(x: Array) -> Array:
    """Return the maximum of every 2 × 2 pixels; both sides must be even."""
    rows = np.maximum(x[0::2], x[1::2])
    return np.maximum(rows[:, 0::2], rows[:, 1::2])


def doubled(x: Array) -> Array:
    """Return ``x`` at twice the size, linearly interpolated between the centres of the pixels."""
    for axis in (0, 1):
        x = np.moveaxis(_doubled_rows(np.moveaxis(x, axis, 0)), 0, axis)
    return x


def _doubled_rows(x: Array) -> Array:
    before, after = np.concatenate([x[:1], x[:-1]]), np.concatenate([x[1:], x[-1:]])
    out = np.empty((2 * len(x), *x.shape[1:]), np.float32)
    out[0::2] = 0.75 * x + 0.25 * before
    out[1::2] = 0.75 * x + 0.25 * after
    return out
