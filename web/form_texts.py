"""Forms that carry the texts that they showed, so that only what a person changed is stored."""

from __future__ import annotations

from collections.abc import Mapping

from imgcore.gallery.edits import same_words

SHOWN = "shown_"  # prefix of the hidden fields with the texts that the form showed


def form_fields(present: Mapping[str, str], sent: Mapping[str, str]) -> dict[str, dict[str, str | None]]:
    """Return for each field of a form its ``text``, and the present one as ``now``.

    sent: the fields of a form that is shown again. Its texts stay where a person changed them; ``other`` is the
    text that somebody else stored meanwhile.
    """
    form = {}
    for field, now in present.items():
        own, shown = sent.get(field, now), sent.get(f"{SHOWN}{field}", now)
        kept = not same_words(own, shown)
        other = now if kept and not same_words(now, shown) and not same_words(now, own) else None
        form[field] = {"text": own if kept else now, "now": now, "other": other}
    return form
