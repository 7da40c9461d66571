"""Texts that a model may answer, for the tests of how they are read."""

from __future__ import annotations

import json

from hypothesis import strategies as st

# Everything that can come out of JSON, lone surrogates included, with the awkward ones often.
AWKWARD = (
    "\0\t\n\r\x1b\x85 \u200b\u200c\u200d\u200e\u202e\u2028\u2066\ufeff\ud800\udfff\ufffe"
    "\U000e0041\U0001f3fd\u0301-,."
)
ANY = st.text(st.characters() | st.sampled_from(AWKWARD) | st.sampled_from("Ab é日👍"), max_size=400)


def description(**changes: object) -> str:
    """A good answer, or one that is wrong in one place."""
    good = {
        "caption": "A cat.",
        "alt_text": "Cat",
        "tags": ["cat", "pet", "fur"],
        "visible_text": "",
        "safety": "ok",
    }
    return json.dumps({**good, **changes})
