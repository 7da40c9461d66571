"""The limits and intervals that server and browser share, from static/limits.json.

The server puts the file's text into every page; static/js/core/limits.js reads it there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).parent / "static" / "limits.json"


@dataclass(frozen=True, slots=True)
class SharedLimits:
    """Lengths are in characters, sides in pixels, names that end in ``_ms`` are milliseconds."""

    page_size: int  # images of one gallery page
    max_ids: int  # images that one request may name
    search_length: int
    caption_length: int
    alt_text_length: int
    tag_length: int
    max_tags: int
    thumbnail_sides: list[int]
    display_side: int
    trash_days: int  # until a deleted image is removed for good
    min_password_length: int
    max_password_length: int
    account_name_length: int
    first_poll_ms: int
    slowest_poll_ms: int
    late_after_ms: int  # until a card says that processing takes longer than usual
    parallel_uploads: int
    upload_retries_ms: list[int]
    longest_upload_retry_ms: int
    upload_stall_ms: int  # without progress until an upload counts as interrupted
    part_bytes: int  # of a file that is sent in parts

    @property
    def tags_length(self) -> int:
        """The length of all tags in one input, with ", " between them."""
        return self.max_tags * (self.tag_length + 2)


TEXT = json.dumps(json.loads(FILE.read_text("utf-8")), separators=(",", ":"))
LIMITS = SharedLimits(**json.loads(TEXT))
