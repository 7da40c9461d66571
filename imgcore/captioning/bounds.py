"""The most tokens that a request can use, which stands in the ledger until its answer is known. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from imgcore.captioning import prompt
from imgcore.captioning.retry import Option
from imgcore.gallery.descriptions import Source

if TYPE_CHECKING:
    from imgcore.captioning.model import Request

# Tokens of one image. https://ai.google.dev/gemini-api/docs/media-resolution: 560 at medium resolution, which
# is requested; models that refuse the option choose by themselves, older ones 258 for each of up to 12 tiles.
# Models of one's own: one for each patch of 14 by 14 pixels of 1536 by 1536, rounded up.
GEMINI_IMAGE, GEMINI_IMAGE_UNSET, OTHER_IMAGE = 1120, 3200, 12_321
TURNS = 64  # tokens that a chat template adds around the texts
OTHER_THINKING = 4096  # what the OpenAI client adds to max_tokens after an answer that was cut off


def most_tokens(request: Request, source: Source) -> tuple[int, int]:
    """Return upper bounds of the input and output tokens of a request.

    A token of a text stands for at least one byte of it. Of the output, thinking included, the request's limit
    is the bound. source: of the model's descriptions.
    """
    texts = (
        request.instruction,
        prompt.PARTS,
        prompt.in_words(**request.fields),
        json.dumps(prompt.schema(**request.fields)),
    )
    written = sum(len(text.encode()) for text in texts)
    thinking = 0 if source is Source.GEMINI else OTHER_THINKING
    return TURNS + written + (1 + len(request.parts)) * _image(request, source), request.tokens + thinking


def _image(request: Request, source: Source) -> int:
    if source is not Source.GEMINI:
        return OTHER_IMAGE
    return GEMINI_IMAGE_UNSET if Option.MEDIA_RESOLUTION in request.omit else GEMINI_IMAGE
