"""Values in pages, as HTML."""

from __future__ import annotations

from bottle import html_escape
from hypothesis import given
from hypothesis import strategies as st

from web.http.templates import _Template

values = st.one_of(st.text(), st.text(alphabet="&<>\"'a;#"), st.integers(), st.none(), st.binary().map(str))


@given(values)
def test_value_is_escaped_as_bottle_does(value: object) -> None:
    shown = "" if value is None else str(value)
    assert html_escape(shown) == _Template("{{value}}").render(value=value)
