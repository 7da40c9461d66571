"""Descriptions of images: who wrote which field, whose words replace whose, their versions. Pure data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Source(StrEnum):
    """The origin of a description."""

    HUMAN = "human"
    GEMINI = "gemini"
    OPENAI = "openai"  # any model with an OpenAI-compatible API
    EMBEDDED = "embedded"  # the file's own IPTC or XMP caption
    LOCAL = "local"

    @property
    def is_model(self) -> bool:
        """True for a model whose answers are read, not computed here."""
        return self in (Source.GEMINI, Source.OPENAI)

    def rank(self, field: WordField) -> int:
        """Return the rank in a field: words replace only those of the same or a lower rank.

        A caption that the photographer wrote into the file outranks a model's. For alt text and tags it only
        replaces what the local describer says, because it was not written for them.
        """
        ranks = _CAPTION_RANKS if field is WordField.CAPTION else _OTHER_RANKS
        return ranks.index(Source.GEMINI if self.is_model else self)


class WordField(StrEnum):
    """The fields of a description that people may also write."""

    CAPTION = "caption"
    ALT_TEXT = "alt_text"
    TAGS = "tags"


_CAPTION_RANKS = (Source.LOCAL, Source.GEMINI, Source.EMBEDDED, Source.HUMAN)
_OTHER_RANKS = (Source.LOCAL, Source.EMBEDDED, Source.GEMINI, Source.HUMAN)


class Safety(StrEnum):
    """The model's safety rating; a Description without one was not rated."""

    OK = "ok"
    SENSITIVE = "sensitive"
    UNSAFE = "unsafe"


@dataclass(frozen=True, slots=True)
class Translation:
    """The words of a description in one further language. language: its code."""

    language: str
    caption: str
    alt_text: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Description:
    """A description of an image: texts, source, model and price. language: the code of its texts, if known."""

    caption: str
    alt_text: str
    tags: tuple[str, ...]
    source: Source
    visible_text: str = ""
    safety: Safety | None = None
    model: str | None = None  # as named in the answer, not in the request
    prompt_version: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    price_usd: float | None = None
    language: str | None = None
    translations: tuple[Translation, ...] = ()


@dataclass(frozen=True, slots=True)
class WordVersion:
    """One version of a field's words. Times are UTC; tokens and price are those of the whole answer.

    applied: False where words of a higher rank stayed. current: it is what the gallery shows. account: the name
    of the account of the person who wrote it.
    """

    id: int
    field: WordField
    value: str | tuple[str, ...]
    source: Source
    created_at: datetime
    applied: bool
    current: bool
    account: str | None = None
    model: str | None = None
    prompt_version: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    price_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """Texts written by a person; a field that is None is left unchanged. language: their code, if known."""

    caption: str | None = None
    alt_text: str | None = None
    tags: Sequence[str] | None = field(default=None)
    language: str | None = None
