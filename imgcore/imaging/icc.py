"""Write ICC profiles (ICC.1:2022) from chromaticities and a curve, and read the code points of others.

Pillow's colour management takes profiles only, and can make none but sRGB's. Pure.
"""

from __future__ import annotations

import struct

Matrix = list[list[float]]
Curve = tuple[float, ...]  # the exponent alone, or exponent, a, b, c, d of ICC's function type 3

_MAX_TAGS = 100  # of a profile; real ones have up to forty
_D50 = (0.9642, 1.0, 0.8249)
_BRADFORD = [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]


def matrix_profile(chromaticities: tuple[float, ...], curve: Curve) -> bytes:
    """Return an RGB profile. chromaticities: x and y of red, green, blue and white.

    ZeroDivisionError, ValueError or OverflowError for numbers that describe no colour space.
    """
    columns = zip(*rgb_to_d50(chromaticities), strict=True)
    shape = b"para" + struct.pack(">4xHxx", 0 if len(curve) == 1 else 3) + b"".join(map(_fixed, curve))
    tags = {b"wtpt": _colour(_D50)}
    tags |= {name: _colour(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), shape)
    start = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">L", len(tags)), b""
    for name, content in tags.items():
        table += name + struct.pack(">LL", start + len(body), len(content))
        body += content.ljust(-(-len(content) // 4) * 4, b"\0")
    head = (
        struct.pack(">L4sL", start + len(body), b"\0\0\0\0", 0x04300000) + b"mntrRGB XYZ " + bytes(12) + b"acsp"
    )
    head = head.ljust(68, b"\0") + b"".join(map(_fixed, _D50))
    return head.ljust(128, b"\0") + table + body


def without_pipelines(profile: bytes) -> bytes:
    """Return the profile with other names for the tags D2Bx and B2Dx, which browsers do not read either.

    They hold any number of stages (ICC.1:2022, 10.16), each of which littleCMS computes for 36,000 colours.
    """
    changed = bytearray(profile)
    count = min(_MAX_TAGS, int.from_bytes(profile[128:132]))
    for at in range(132, 132 + 12 * count, 12):
        if profile[at : at + 3] in (b"D2B", b"B2D"):
            changed[at : at + 1] = b"x"
    return bytes(changed)


def code_points(profile: bytes) -> tuple[int, int]:
    """Return the primaries and transfer of the tag cicp (ITU-T H.273) for RGB of all levels; else 2 and 2."""
    count = min(_MAX_TAGS, int.from_bytes(profile[128:132]))
    for at in range(132, 132 + 12 * count, 12):
        if profile[at : at + 4] == b"cicp":
            start = int.from_bytes(profile[at + 4 : at + 8])
            points = profile[start + 8 : start + 12]
            return (points[0], points[1]) if points[2:] == b"\0\1" else (2, 2)
    return 2, 2


def rgb_to_d50(chromaticities: tuple[float, ...]) -> Matrix:
    """Return the matrix from linear RGB to XYZ, adapted to the white D50."""
    return multiply(_adaptation(_xyz(*chromaticities[6:8])), rgb_to_xyz(chromaticities))


def rgb_to_xyz(chromaticities: tuple[float, ...]) -> Matrix:
    """Return the matrix from linear RGB to XYZ, under the white of the colour space."""
    primaries = [_xyz(*chromaticities[at : at + 2]) for at in (0, 2, 4)]
    columns = [list(row) for row in zip(*primaries, strict=True)]
    scale = _apply(inverse(columns), _xyz(*chromaticities[6:8]))
    return [[value * factor for value, factor in zip(row, scale, strict=True)] for row in columns]


def multiply(left: Matrix, right: Matrix) -> Matrix:
    """Return the product of two matrices."""
    return [
        [sum(a * b for a, b in zip(row, column, strict=True)) for column in zip(*right, strict=True)]
        for row in left
    ]


def inverse(matrix: Matrix) -> Matrix:
    """Return the inverse of a matrix of three rows. ZeroDivisionError where there is none."""
    (a, b, c), (d, e, f), (g, h, i) = matrix
    cofactors = [
        [e * i - f * h, c * h - b * i, b * f - c * e],
        [f * g - d * i, a * i - c * g, c * d - a * f],
        [d * h - e * g, b * g - a * h, a * e - b * d],
    ]
    determinant = a * cofactors[0][0] + b * cofactors[1][0] + c * cofactors[2][0]
    return [[value / determinant for value in row] for row in cofactors]


def _adaptation(white: tuple[float, ...]) -> Matrix:
    """Return the matrix that adapts colours under ``white`` to D50, after Bradford (ICC.1:2022, E.3)."""
    gains = [to / of for to, of in zip(_apply(_BRADFORD, _D50), _apply(_BRADFORD, white), strict=True)]
    scaled = [[gain * value for value in row] for gain, row in zip(gains, _BRADFORD, strict=True)]
    return multiply(inverse(_BRADFORD), scaled)


def _apply(matrix: Matrix, vector: tuple[float, ...]) -> list[float]:
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def _xyz(x: float, y: float) -> tuple[float, float, float]:
    return x / y, 1.0, (1 - x - y) / y


def _colour(values: tuple[float, ...]) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(map(_fixed, values))


def _fixed(value: float) -> bytes:
    """Return a number as ICC's s15Fixed16Number. ValueError where it is out of range."""
    if not -32_768 < value < 32_768:
        raise ValueError(value)
    return struct.pack(">l", round(value * 65_536))
