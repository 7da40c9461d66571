"""GeminiCaptioner: requests a description, checks the response, retries or raises."""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from imgcore.captioning.gemini import prompt
from imgcore.captioning.gemini.responses import Answer, assess, judge
from imgcore.captioning.gemini.retry import Attempts, Failure, FailureKind, Policy
from imgcore.captioning.prices import Spending
from imgcore.errors import Misconfigured
from imgcore.gallery.models import MODEL_SIDE, Description, Picture, Source
from imgcore.pipeline.models import RecordCall, ignore_call

if TYPE_CHECKING:
    from imgcore.captioning.gemini.client import GeminiClient

logger = logging.getLogger(__name__)

MAX_OUTPUT_TOKENS = 512
PROBE_SECONDS = 15.0

NOT_INSTALLED = "Gemini needs a package that is not installed: pip install 'imgcore[gemini]'."


class Key(Protocol):
    """A secret that is read only on purpose."""

    def reveal(self) -> str:
        """Return the secret."""
        ...


class GeminiCaptioner:
    """Describes pictures with the first of its models that is still offered. May be shared by threads.

    api_key: of the Gemini API, as AI Studio hands it out.
    model, fallback_models: names such as ``gemini-3.5-flash-lite``, tried in this order.
    base_url: another address than Google's, as for a gateway.
    language: of caption, alt text and tags, by its English name.
    policy: the numbers of the retries. clock, sleep, rng, now: time.monotonic() and the like.

    Misconfigured where the SDK is missing or a setting cannot be right.
    """

    source = Source.GEMINI
    side = MODEL_SIDE

    def __init__(
        self,
        api_key: Key,
        *,
        model: str,
        fallback_models: Sequence[str] = (),
        base_url: str | None = None,
        language: str = "English",
        policy: Policy | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        rng: Callable[[], float] = random.random,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._models = tuple(dict.fromkeys(_checked(name) for name in (model, *fallback_models)))
        self._gone: set[str] = set()
        self._client = _client(api_key, base_url)
        self._instruction = prompt.instruction(language)
        self._policy = policy or Policy()
        self._clock, self._sleep, self._rng, self._now = clock, sleep, rng, now

    def __repr__(self) -> str:
        return f"GeminiCaptioner(model={self.model!r})"

    @property
    def model(self) -> str:
        """Return the model of the next request."""
        return next((name for name in self._models if name not in self._gone), self._models[0])

    def describe(self, picture: Picture, *, deadline: float, record: RecordCall = ignore_call) -> Description:
        """Describe ``picture``, with retries where they can help; return or raise by ``deadline``.

        deadline: on time.monotonic()'s clock. record: receives each answered call.

        Raises, never with the key or Google's own words in the message:
        Blocked if the model declines; BadAnswer if no request brings a description,
        with code ``model_refused_image`` if it cannot read the picture; RateLimited with code
        ``rate_limited`` or, until the day is over, ``quota_exhausted``; Misconfigured with code
        ``key_refused``, ``model_retired``, ``model_unfit`` or ``wrong_address``; Unavailable.
        """
        jpeg = picture.jpeg(MODEL_SIDE)
        attempts = Attempts(self._policy, deadline, clock=self._clock, sleep=self._sleep, rng=self._rng)
        spending = Spending(prompt.PROMPT_VERSION, record)
        tokens = MAX_OUTPUT_TOKENS
        while True:
            model = self.model
            outcome = self._ask(model, jpeg, tokens, attempts.seconds(), spending)
            if isinstance(outcome, Description):
                return outcome
            logger.warning("No description from %s: %s", model, outcome.detail)
            if outcome.kind is FailureKind.MODEL_GONE:
                self._next_model(model, outcome)
                continue
            if outcome.kind is FailureKind.CUT_SHORT:
                tokens = 2 * MAX_OUTPUT_TOKENS
            attempts.again(outcome)

    def probe(self) -> None:
        """Check, without a picture, that the key is accepted and one of the models is offered.

        Misconfigured with code ``key_refused``, ``model_retired`` or ``wrong_address``; otherwise
        RateLimited, Unavailable or BadAnswer, which say nothing about the settings.
        """
        while True:
            model = self.model
            trouble = self._client.find(model, PROBE_SECONDS)
            if trouble is None:
                return
            failure = judge(trouble, self._now())
            logger.warning("Startup check of model %s failed: %s", model, failure.detail)
            if failure.kind is not FailureKind.MODEL_GONE:
                raise failure.end
            self._next_model(model, failure)

    def _ask(
        self, model: str, jpeg: bytes, tokens: int, seconds: float, spending: Spending
    ) -> Description | Failure:
        answer = self._client.describe(model, jpeg, self._instruction, tokens=tokens, seconds=seconds)
        if not isinstance(answer, Answer):
            return judge(answer, self._now())
        version = answer.model or model
        words = assess(answer)
        outcome = words.end.code if isinstance(words, Failure) else "described"
        spending.add(version, answer.input_tokens, answer.output_tokens, outcome)
        if isinstance(words, Failure):
            return words
        return Description(
            caption=words.caption,
            alt_text=words.alt_text,
            tags=words.tags,
            source=self.source,
            visible_text=words.visible_text,
            safety=words.safety,
            model=version,
            prompt_version=prompt.PROMPT_VERSION,
            input_tokens=spending.input_tokens,
            output_tokens=spending.output_tokens,
            price_usd=spending.price_usd,
        )

    def _next_model(self, model: str, failure: Failure) -> None:
        """Switch to the next model; after the last one, start over at the next call and raise."""
        self._gone.add(model)
        if self._gone.issuperset(self._models):
            self._gone.clear()
            raise failure.end
        logger.error("The model %s is no longer available; using %s instead.", model, self.model)


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
