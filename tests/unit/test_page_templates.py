"""The templates of pages and the values that all of them share."""

from __future__ import annotations

import re

import pytest

from web.http import templates

SHARED = {"caller", "languages", "language", "here", "base"}
TEMPLATES = sorted(templates.VIEWS.glob("*.tpl"))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_template_assigns_no_name_that_all_pages_share(path) -> None:  # type: ignore[no-untyped-def]
    """An assignment in a page would replace the value for the layout around it."""
    assigned = re.findall(r"^%\s*(\w+)(?:, (\w+))* = ", path.read_text("utf-8"), re.MULTILINE)
    assert set() == SHARED & {name for names in assigned for name in names}
