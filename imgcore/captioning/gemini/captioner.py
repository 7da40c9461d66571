"""GeminiCaptioner: descriptions by Google Gemini."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from imgcore.captioning.answers import Answer
from imgcore.captioning.gemini.responses import WHO, judge
from imgcore.captioning.model import Key, ModelCaptioner, Request
from imgcore.captioning.retry import Failure
from imgcore.errors import Misconfigured
from imgcore.gallery.models import Source

if TYPE_CHECKING:
    from imgcore.captioning.gemini.client import GeminiClient

NOT_INSTALLED = "Gemini needs a package that is not installed: pip install 'imgcore[gemini]'."


class GeminiCaptioner(ModelCaptioner):
    """Describes pictures with the first of its models that is offered and has quota. May be shared by threads.

    api_key: of the Gemini API, as AI Studio hands it out.
    model, fallback_models: names such as ``gemini-3.5-flash-lite``, tried in this order.
    base_url: another address than Google's, as for a gateway.
    now: the present time, with a time zone. options: those of ModelCaptioner, such as ``language``.

    Misconfigured where the SDK is missing or a setting cannot be right.
    """

    def __init__(
        self,
        api_key: Key,
        *,
        model: str,
        fallback_models: Sequence[str] = (),
        base_url: str | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        **options: Any,
    ) -> None:
        models = [_checked(name) for name in (model, *fallback_models)]
        client = _client(api_key, base_url)

        def ask(request: Request) -> Answer | Failure:
            answer = client.describe(request)
            return answer if isinstance(answer, Answer) else judge(answer, now())

        super().__init__(Source.GEMINI, WHO, models, ask, **options)


def _checked(name: str) -> str:
    if not re.fullmatch(r"(?:models/)?[A-Za-z0-9][\w.-]*", name, re.ASCII):
        raise Misconfigured(f"{name!r} is not the name of a Gemini model.")
    return name


def _client(api_key: Key, base_url: str | None) -> GeminiClient:
    try:
        from imgcore.captioning.gemini.client import GeminiClient
    except ImportError:
        raise Misconfigured(NOT_INSTALLED) from None
    return GeminiClient(api_key.reveal().strip(), base_url)
