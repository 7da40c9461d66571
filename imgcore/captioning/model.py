"""ModelCaptioner: requests a description of a model, checks the answer, retries or raises."""

from __future__ import annotations

import base64
import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from imgcore.captioning import prompt
from imgcore.captioning.answers import Answer, assess, busy
from imgcore.captioning.bounds import most_tokens
from imgcore.captioning.prices import BATCH_SHARE, Spending
from imgcore.captioning.reading import Words
from imgcore.captioning.retry import Attempts, Failure, FailureKind, Option, Policy
from imgcore.errors import ImgcoreError, Unavailable
from imgcore.gallery import languages
from imgcore.gallery.models import MODEL_SIDE, Description, Picture, Source
from imgcore.pipeline.models import PromptUsed, RecordCall, ignore_call

logger = logging.getLogger(__name__)

MAX_OUTPUT_TOKENS = 512
TRANSLATION_TOKENS = 256  # more for each further language
THINKING_TOKENS = 4096  # more where the model cannot be set to think little: its thoughts count
PROBE_SECONDS = 15.0
CALL_ID_HEADER = "X-Client-Request-Id"  # of a request: the id of its row in the ledger
# Refusals that may be due to the number or the size of the images of a long picture, sent in parts.
_OF_PARTS = frozenset({"context_too_small", "model_refused_image", "model_unfit"})
EXHAUSTED_SECONDS = 3600.0  # a model without quota is tried again after this: it may have been raised

# A grey JPEG of 32 by 32 pixels: some models refuse smaller ones.
PROBE_JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxO"
    "UlNSMj5aYVpQYEpRUk//wAALCAAgACABAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAP/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAI"
    "AQEAAD8AAAAAAP/Z"
)


class Key(Protocol):
    """A secret that is read only on purpose."""

    def reveal(self) -> str:
        """Return the secret."""
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a model. omit: options that this model refuses. seconds: for all of the answer.

    parts: JPEGs of the parts of a long picture, to be sent after the whole. translations: codes of languages.
    late: receives an answer that arrives after ``seconds``, when nobody waits for it any more. call_id: sent
    with the request, so that the ledger can be compared with the service's log.
    """

    model: str
    jpeg: bytes
    instruction: str
    tokens: int
    seconds: float
    visible_text: bool = True
    omit: frozenset[Option] = frozenset()
    parts: Sequence[bytes] = ()
    translations: tuple[str, ...] = ()
    late: Callable[[Answer], None] | None = field(default=None, compare=False)
    call_id: str | None = field(default=None, compare=False)

    @property
    def fields(self) -> dict[str, Any]:
        """Return what the schema depends on, as arguments of prompt.schema and prompt.in_words."""
        return {"visible_text": self.visible_text, "translations": self.translations}


Ask = Callable[[Request], Answer | Failure]


class ModelCaptioner:
    """Describes pictures with the first of its models that is offered and has quota. May be shared by threads.

    models: names, tried in this order. ask: sends one request. who: the service, in messages for people.
    language: of caption, alt text and tags: a name or codes, see languages.parse; of several, one answer holds
    all. own_instructions: the operator's addition to the prompt. policy: the numbers of the retries.
    clock, sleep, rng: time.monotonic() and the like.
    """

    side = MODEL_SIDE

    def __init__(
        self,
        source: Source,
        who: str,
        models: Sequence[str],
        ask: Ask,
        *,
        language: str = "English",
        own_instructions: str | None = None,
        policy: Policy | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        rng: Callable[[], float] = random.random,
    ) -> None:
        self.source, self._who, self._ask = source, who, ask
        self._models = tuple(dict.fromkeys(models))
        self._unusable: dict[str, tuple[float, Failure]] = {}  # until when, and why
        self._omit: dict[str, frozenset[Option]] = {}
        self._setting = language
        self._language, *self._others = languages.parse(language)
        self._translations = tuple(str(other.code) for other in self._others)
        self._own_instructions = own_instructions
        self._prompt_version = prompt.version(own_instructions, self._translations)
        self._policy = policy or Policy()
        self._clock, self._sleep, self._rng = clock, sleep, rng

    def __repr__(self) -> str:
        return f"{type(self).__name__}(model={self.model!r})"

    @property
    def model(self) -> str:
        """Return the model of the next request."""
        now = self._clock()
        usable = (name for name in self._models if self._unusable.get(name, (now,))[0] <= now)
        return next(usable, self._models[0])

    def describe(
        self, picture: Picture, *, deadline: float, record: RecordCall = ignore_call, context: str = ""
    ) -> Description:
        """Describe ``picture``, with retries where they can help; return or raise by ``deadline``.

        deadline: on the clock, time.monotonic(). record: see Captioner.describe.
        context: lines of what is known about the photo.

        Raises, never with the key or the service's own words in the message: Blocked if the model declines;
        BadAnswer if no request brings a description, with code ``model_refused_image`` if it cannot read the
        picture; RateLimited; Misconfigured with a code that names what has to be corrected; Unavailable.
        """
        jpeg, *parts = picture.jpegs(MODEL_SIDE)
        attempts = Attempts(
            self._policy, deadline, busy(self._who), clock=self._clock, sleep=self._sleep, rng=self._rng
        )
        spending, limit, visible_text = Spending(self._prompt_version, record), MAX_OUTPUT_TOKENS, True
        cut = 0
        while True:
            request = self._request(jpeg, limit, attempts.seconds(), visible_text=visible_text, context=context)
            request = replace(request, parts=parts)
            found = self._answer(request, spending, attempts.seconds)
            if not isinstance(found, Failure):
                return self._description(*found, spending)
            if parts and found.end.code in _OF_PARTS and found.kind is not FailureKind.OPTION_REFUSED:
                logger.warning("The model %s refuses a picture in parts; it is sent whole.", request.model)
                parts = []
                continue
            if self._changed(request, found):
                continue
            if found.kind is FailureKind.CUT_SHORT:
                cut += 1
                limit = 2 * MAX_OUTPUT_TOKENS
            visible_text = visible_text and cut < 2 and found.kind is not FailureKind.RECITATION
            attempts.again(found)

    def request_for(self, picture: Picture, context: str = "") -> Request:
        """Return the request that ``describe`` would send first, for a batch."""
        jpeg, *parts = picture.jpegs(MODEL_SIDE)
        return replace(self._request(jpeg, MAX_OUTPUT_TOKENS, PROBE_SECONDS, context=context), parts=parts)

    @property
    def prompt_used(self) -> PromptUsed:
        """Return what the next request is made with."""
        return PromptUsed(self.model, self._setting, self._prompt_version)

    def description_in(self, answer: Answer, record: RecordCall, used: PromptUsed | None = None) -> Description:
        """Return the description in the answer to such a request. Raises as ``describe`` does.

        used: what the request was made with; the settings may have changed since.
        """
        used = used or self.prompt_used
        own, *others = languages.parse(used.language)
        spending = Spending(used.prompt_version, record, share=BATCH_SHARE)
        request = self._request(PROBE_JPEG, MAX_OUTPUT_TOKENS, PROBE_SECONDS)
        translations = tuple(str(other.code) for other in others)
        request = replace(request, model=used.model, translations=translations)
        found = self._assessed(request, answer, spending)
        if isinstance(found, Failure):
            raise found.end
        description = self._description(*found, spending)
        return replace(description, prompt_version=used.prompt_version, language=own.code)

    def probe(self, record: RecordCall = ignore_call, deadline: float = float("inf")) -> None:
        """Check with one small image that the key is accepted and one of the models describes, by ``deadline``.

        Asking for the model's name would not do: it succeeds for a model that refuses to generate. Raises as
        ``describe`` does, but any answer will do. deadline: on the clock.
        """
        spending = Spending(self._prompt_version, record)

        def seconds() -> float:
            left = deadline - self._clock()
            if left < self._policy.floor:
                raise Unavailable(busy(self._who))
            return min(left, PROBE_SECONDS)

        while True:
            request = self._request(PROBE_JPEG, MAX_OUTPUT_TOKENS, PROBE_SECONDS)
            found = self._answer(request, spending, seconds)
            if not isinstance(found, Failure) or found.answered:
                return
            if not self._changed(request, found):
                raise found.end

    def _request(
        self, jpeg: bytes, limit: int, seconds: float, *, visible_text: bool = True, context: str = ""
    ) -> Request:
        model = self.model
        omit = self._omit.get(model, frozenset())
        return Request(
            model=model,
            jpeg=jpeg,
            instruction=prompt.instruction(
                self._language.name,
                visible_text=visible_text,
                translations=self._others,
                own_instructions=self._own_instructions,
                context=context,
            ),
            tokens=limit
            + TRANSLATION_TOKENS * len(self._others)
            + (THINKING_TOKENS if Option.THINKING in omit else 0),
            seconds=seconds,
            visible_text=visible_text,
            omit=omit,
            translations=self._translations,
        )

    def _answer(
        self, request: Request, spending: Spending, seconds: Callable[[], float]
    ) -> tuple[Words, str] | Failure:
        """Record a call and make it. seconds: returns how long it may take, raises where there is no time."""
        call_id = spending.begin(request.model, *most_tokens(request, self.source))

        def late(answer: Answer) -> None:  # it is billed, though it is of no use
            used = (answer.input_tokens, answer.output_tokens)
            spending.add(answer.model or request.model, *used, "late", call_id)

        try:  # recording may have waited for the database; a client raises only what keeps it from sending
            request = replace(request, seconds=seconds(), late=late, call_id=call_id)
            answer = self._ask(request)
        except ImgcoreError:
            spending.end(call_id, request.model, "not_sent", billed=False)
            raise
        if isinstance(answer, Failure):
            logger.warning("No description from %s: %s", request.model, answer.detail)
            spending.end(call_id, request.model, answer.end.code, billed=not answer.unbilled)
            return answer
        return self._assessed(request, answer, spending, call_id)

    def _assessed(
        self, request: Request, answer: Answer, spending: Spending, call_id: str | None = None
    ) -> tuple[Words, str] | Failure:
        words = assess(answer, self._who, request.translations)
        version = answer.model or request.model
        outcome = words.end.code if isinstance(words, Failure) else "described"
        spending.add(version, answer.input_tokens, answer.output_tokens, outcome, call_id)
        if isinstance(words, Failure):
            logger.warning("No description from %s: %s", request.model, words.detail)
            return words
        return words, version

    def _changed(self, request: Request, failure: Failure) -> bool:
        """Return whether the next request is another one: without a refused option, or to another model."""
        model = request.model
        if failure.kind is FailureKind.OPTION_REFUSED and failure.option not in (None, *request.omit):
            assert failure.option is not None
            logger.warning("The model %s refuses the option %s; it is left out.", model, failure.option.name)
            self._omit[model] = request.omit | {failure.option}
            return True
        if failure.kind in (FailureKind.MODEL_GONE, FailureKind.OPTION_REFUSED):
            return self._next_model(model, failure, float("inf"))
        if failure.kind is FailureKind.MODEL_EXHAUSTED:
            wait = min(failure.end.retry_after or 0.0, EXHAUSTED_SECONDS)
            return self._next_model(model, failure, self._clock() + wait)
        return False

    def _next_model(self, model: str, failure: Failure, until: float) -> bool:
        """Switch to the next model until that time; after the last one, start over at the next call and raise.

        A quota that is used up is what people read if any model has one left to wait for.
        """
        self._unusable[model] = until, failure
        now = self._clock()
        if any(self._unusable.get(name, (now,))[0] <= now for name in self._models):
            if failure.kind is FailureKind.MODEL_EXHAUSTED:
                logger.warning("The model %s has no quota left today; using %s.", model, self.model)
            else:  # an alarm counts the lines that begin like this
                logger.error("The captioner is misconfigured: %s (%s)", failure.end.code, model)
            return True
        failures = [found for _, found in self._unusable.values()]
        self._unusable.clear()
        waiting = [found.end for found in failures if found.kind is FailureKind.MODEL_EXHAUSTED]
        raise min(waiting, key=lambda end: end.retry_after or 0.0, default=failures[0].end)

    def _description(self, words: Words, version: str, spending: Spending) -> Description:
        return Description(
            caption=words.caption,
            alt_text=words.alt_text,
            tags=words.tags,
            source=self.source,
            visible_text=words.visible_text,
            safety=words.safety,
            model=version,
            prompt_version=self._prompt_version,
            input_tokens=spending.input_tokens,
            output_tokens=spending.output_tokens,
            price_usd=spending.price_usd,
            language=self._language.code,
            translations=words.translations,
        )
