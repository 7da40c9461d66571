"""Words that people write: which characters are refused."""

from __future__ import annotations

import pytest

from imgcore.errors import Invalid
from imgcore.gallery.edits import checked_edit
from imgcore.gallery.models import Edit


@pytest.mark.parametrize("character", ["\0", "\x0b", "\f", "\r", "\x1c", "\x1e", "\x7f"])
@pytest.mark.parametrize("text", ["{}cat", "a {} cat", "cat{}"])
@pytest.mark.parametrize("field", ["caption", "alt_text", "tags"])
def test_checked_edit_control_character_anywhere_is_refused(field: str, text: str, character: str) -> None:
    """Python's strip() and split() would remove some of them."""
    words = text.format(character)
    edit = Edit(tags=[words]) if field == "tags" else Edit(**{field: words})
    with pytest.raises(Invalid, match="cannot be shown") as caught:
        checked_edit(edit)
    assert field == caught.value.code


def test_checked_edit_blanks_around_words_are_removed() -> None:
    edit = checked_edit(Edit(" A cat.\n", "\tCat ", [" Big  CAT\n"]))
    assert ("A cat.", "Cat", ["big cat"]) == (edit.caption, edit.alt_text, list(edit.tags or ()))
