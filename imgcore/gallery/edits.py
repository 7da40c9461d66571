"""Words that people write, checked and as they are stored. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from imgcore.errors import Invalid
from imgcore.gallery.models import Edit
from imgcore.text import is_showable, without_overrides

CAPTION_LENGTH = 1000  # characters
ALT_TEXT_LENGTH = 500  # characters
TAG_LENGTH = 50  # characters
TAGS = 20
HINT_LENGTH = 500  # characters
CHANGED = (
    "Others changed {} after this page was loaded, so nothing is saved yet."
    " Compare your text with the present one, then save again."
)


def checked_edit(edit: Edit) -> Edit:
    """Return the words as they are stored. Invalid: caption, alt_text, tags."""
    caption = checked_text(edit.caption, "caption", CAPTION_LENGTH)
    alt_text = checked_text(edit.alt_text, "alt_text", ALT_TEXT_LENGTH)
    return Edit(caption, alt_text, None if edit.tags is None else clean_tags(edit.tags))


def changed_words(sent: Edit, shown: Edit) -> Edit:
    """Return the words of a form that differ from those that it showed, and those that it did not show."""
    return Edit(
        caption=None if same_words(sent.caption, shown.caption) else sent.caption,
        alt_text=None if same_words(sent.alt_text, shown.alt_text) else sent.alt_text,
        tags=None if same_words(sent.tags, shown.tags) else sent.tags,
    )


def same_words(one: str | Sequence[str] | None, other: str | Sequence[str] | None) -> bool:
    """Return whether two texts, or two lists of tags, are stored alike; False for None."""
    if one is None or other is None:
        return False
    if isinstance(one, str) or isinstance(other, str):
        return isinstance(one, str) and isinstance(other, str) and _plain(one) == _plain(other)
    return _plain_tags(one) == _plain_tags(other)


def clean_tags(given: Sequence[str]) -> list[str]:
    """Return tags as they are stored: in lower case, without doubles and empty ones. Invalid (``tags``)."""
    for tag in given:
        _check_showable(tag, "tags")
    tags = _plain_tags(given)
    if len(tags) > TAGS or any(len(tag) > TAG_LENGTH for tag in tags):
        said = f"At most {TAGS} tags of at most {TAG_LENGTH} characters each are accepted."
        raise Invalid(said, code="tags")
    return tags


def _plain(text: str) -> str:
    return without_overrides(text).strip()


def _plain_tags(given: Sequence[str]) -> list[str]:
    tags = [" ".join(without_overrides(tag).split()).lower() for tag in given]
    return list(dict.fromkeys(tag for tag in tags if tag))


def checked_text(text: str | None, name: str, length: int) -> str | None:
    """Return a text without direction overrides and blanks around it; None for None. Invalid (``name``)."""
    if text is None:
        return None
    _check_showable(text, name)
    text = _plain(text)
    if len(text) > length:
        raise Invalid(f"{name} may have at most {length} characters.", code=name)
    return text


def _check_showable(text: str, name: str) -> None:
    """Raise Invalid (``name``) for control characters, also for those that Python strips as blanks."""
    if not is_showable(text):
        raise Invalid(f"{name} contains characters that cannot be shown.", code=name)
