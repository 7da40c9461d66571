"""GIF89a: blocks of sub-blocks of at most 255 bytes."""

from __future__ import annotations

from imgcore.gallery.models import MAX_PIXELS
from imgcore.imaging.formats.base import MOST_MISSING, Carved, Damaged, check_length, join

_EXTENSION, _IMAGE, _END, _CONTROL = 0x21, 0x2C, 0x3B, 0xF9
MAX_SUB_BLOCKS = 1_000_000  # a file of 100 MiB has 410,000 full ones
MAX_BLOCKS = 4096


def carve(data: bytes) -> Carved:
    """Keep the screen, the palette and the first image with its transparency; a second one is animation."""
    if len(data) < 13:
        raise Damaged("no screen", ends_early=True)
    width, height = int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    position = 13 + _palette(data[10])
    kept = [(0, position)]
    control: tuple[int, int] | None = None
    images, blocks, frame = 0, _SubBlocks(data), (0, 0, 0, 0)
    for _ in range(MAX_BLOCKS):
        kind = data[position] if position < len(data) else _END
        if kind == _EXTENSION:
            end = blocks.skip(position + 2)
            if data[position + 1] == _CONTROL and not images:
                control = (position, end)
        elif kind == _IMAGE and images:
            images += 1
            break
        elif kind == _IMAGE:
            left, top, wide, high = (
                int.from_bytes(data[position + at : position + at + 2], "little") for at in (1, 3, 5, 7)
            )
            flags = data[position + 9 : position + 10] or b"\0"
            end = blocks.skip(position + 11 + _palette(flags[0]), to_the_end=True)
            width, height = max(width, left + wide), max(height, top + high)
            frame = (left, top, left + wide, top + high)
            kept += [control, (position, end)] if control else [(position, end)]
            images = 1
        else:
            break  # the end, or rubbish where a block should be: nothing that shows follows
        position = end
    check_length(sum(end - start for start, end in kept), (width, height))
    if not images:
        raise Damaged("no image", ends_early=position >= len(data))
    picture = _ended(data, kept, blocks.last)
    return Carved(
        format="GIF",
        picture=picture,
        repaired=lambda: (picture[:-2] + _filler(min(width * height, MAX_PIXELS)), True),
        size=(width, height),
        frame=frame if frame != (0, 0, width, height) else None,
        animated=images > 1,
    )


def _ended(data: bytes, kept: list[tuple[int, int]], last: int) -> bytes:
    """Return what is kept with its end marks. ``last``: where the last of the sub-blocks begins."""
    if kept[-1][1] <= len(data):
        return join(data, kept) + b";"
    there = data[last + 1 :]  # a sub-block that is cut off gets the length that it has
    cut = [*kept[:-1], (kept[-1][0], min(last, len(data)))]
    return join(data, cut) + (bytes([len(there)]) + there if there else b"") + b"\0;"


def _filler(pixels: int) -> bytes:
    """Return sub-blocks of the colour 0, which is a valid code at any length, for MOST_MISSING of the pixels.

    A code has up to twelve bits.
    """
    return (b"\xff" + bytes(255)) * (1 + int(pixels * MOST_MISSING * 1.5) // 255) + b"\0;"


class _SubBlocks:
    """Skips rows of sub-blocks, up to the number that a real file can have."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.left = MAX_SUB_BLOCKS
        self.last = 0  # where the last one of a row begins

    def skip(self, position: int, *, to_the_end: bool = False) -> int:
        """Return where the row that starts at ``position`` ends.

        Beyond the file's end if it is cut off, which is Damaged unless ``to_the_end``.
        """
        data, start, left, last = self.data, position, self.left, position
        try:
            while length := data[position]:
                last = position
                position += length + 1
                left -= 1
                if not left:
                    raise Damaged("more sub-blocks than any encoder writes")
        except IndexError:
            if not to_the_end or start >= len(data):
                raise Damaged("a block goes past the end", ends_early=True) from None
            position = max(position, len(data))
        self.left, self.last = left, last
        return max(position, start) + 1


def _palette(flags: int) -> int:
    """Return the bytes of the palette that these flags announce."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0
