"""Chooses and creates the captioners from the settings; imports adapters in functions, as bootstrap does."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Any

from imgcore.config import Config, Secret
from imgcore.errors import Misconfigured, Unavailable
from imgcore.gallery.descriptions import Source
from imgcore.gallery.limits import MODEL_SIDE
from imgcore.pipeline.models import RecordCall, ignore_call
from imgcore.single_flight import SingleFlight

if TYPE_CHECKING:
    from imgcore.captioning.gemini import GeminiCaptioner
    from imgcore.captioning.gemini.batches import GeminiBatches
    from imgcore.captioning.model import ModelCaptioner
    from imgcore.captioning.openai import OpenAICaptioner
    from imgcore.gallery.descriptions import Description
    from imgcore.gallery.pictures import Picture
    from imgcore.pipeline.ports import Captioner

LOCAL = "the local describer"


def create(config: Config, **options: Any) -> tuple[Captioner, Captioner | None]:
    """Return the captioner, and one that describes provisionally while it is away, where it is installed.

    options: those of ModelCaptioner, such as ``sleep``.
    """
    source = model_source(config)
    if source is None:
        return local(), None
    captioner = RenewedCaptioner(source, lambda: model(config, **options))
    try:
        return captioner, local()
    except Misconfigured:  # the archives for AWS do not hold the local describer
        return captioner, None


def describer(config: Config) -> str:
    """Return the name of the captioner for people."""
    from imgcore.gallery.languages import ENGLISH, parse

    if config.captioner == "openai":
        return f"the model {config.openai_model or 'of OPENAI_MODEL'}"
    if model_source(config):
        return f"Gemini ({config.gemini_model})"
    codes = [language.code or "" for language in parse(config.caption_language)]
    return LOCAL if all(code.startswith(ENGLISH) for code in codes) else f"{LOCAL}, in English only"


def breaker_name(config: Config) -> str | None:
    """Return the name of the circuit breaker of the configured model; None for the local describer."""
    source = model_source(config)
    return str(source) if source else None


def model_name(config: Config) -> str | None:
    """Return the name of the configured model; None for the local describer."""
    names = {Source.GEMINI: config.gemini_model, Source.OPENAI: config.openai_model or ""}
    source = model_source(config)
    return names[source] if source else None


def model_source(config: Config) -> Source | None:
    """Return the source of the configured model's descriptions; None for the local describer."""
    if config.captioner == "openai":
        return Source.OPENAI
    has_key = config.gemini_api_key is not None or config.gemini_secret_id is not None
    uses_gemini = config.captioner == "gemini" or (config.captioner == "auto" and has_key)
    return Source.GEMINI if uses_gemini else None


def check(config: Config) -> None:
    """Raise Misconfigured where the configured model lacks a setting; nothing is asked of the model."""
    if model_source(config) is Source.GEMINI:
        _gemini_key(config)
    elif config.captioner == "openai":
        openai(config)


def model(config: Config, **options: Any) -> ModelCaptioner:
    """Return the captioner of the configured model. Misconfigured where a setting is missing."""
    return openai(config, **options) if config.captioner == "openai" else gemini(config, **options)


def gemini(config: Config, **options: Any) -> GeminiCaptioner:
    """Return the Gemini captioner. Misconfigured (``key_missing``) without a key."""
    from imgcore.captioning.gemini import GeminiCaptioner

    key = _gemini_key(config)
    return GeminiCaptioner(
        key,
        model=config.gemini_model,
        fallback_models=config.gemini_fallback_models,
        base_url=config.gemini_base_url,
        language=config.caption_language,
        own_instructions=config.caption_instructions,
        **options,
    )


def gemini_batches(config: Config, **options: float) -> GeminiBatches:
    """Return Gemini's batch interface. Misconfigured (``no_batches``) where another captioner is configured.

    options: those of GeminiBatches.
    """
    if model_source(config) is not Source.GEMINI:
        raise Misconfigured(
            "Only Gemini describes in batches: set GEMINI_API_KEY for this command.", code="no_batches"
        )
    try:
        from imgcore.captioning.gemini.batches import GeminiBatches
    except ModuleNotFoundError as error:  # the archive of the web hosts leaves it out
        raise Misconfigured("Batches need google-genai: install imgcore[gemini].") from error
    return GeminiBatches(_gemini_key(config).reveal().strip(), config.gemini_base_url, **options)


def _gemini_key(config: Config) -> Secret:
    key = config.gemini_api_key
    if key is None and config.gemini_secret_id is not None:
        from imgcore.aws.clients import get_secret

        try:
            key = Secret(get_secret(config.gemini_secret_id).strip())
        except Unavailable as error:
            if error.code == "secret_refused":
                raise Misconfigured(
                    "The secret of GEMINI_SECRET_ID may not be read: the role lacks the permission.",
                    code="key_missing",
                ) from error
            if error.code != "secret_missing":
                raise
    if key is None or not key.reveal():
        raise Misconfigured(
            "No Gemini key is set: set GEMINI_API_KEY, on AWS the secret of GEMINI_SECRET_ID.",
            code="key_missing",
        )
    return key


def openai(config: Config, **options: Any) -> OpenAICaptioner:
    """Return the captioner of an OpenAI-compatible API. Misconfigured where its address or model is not set."""
    from imgcore.captioning.openai import OpenAICaptioner

    if not config.openai_base_url or not config.openai_model:
        example = "http://127.0.0.1:11434/v1 and qwen2.5vl:7b"
        raise Misconfigured(f"Set OPENAI_BASE_URL and OPENAI_MODEL, for example to {example}.")
    return OpenAICaptioner(
        base_url=config.openai_base_url,
        model=config.openai_model,
        api_key=config.openai_api_key,
        language=config.caption_language,
        own_instructions=config.caption_instructions,
        **options,
    )


def local() -> Captioner:
    """Return the local describer. Misconfigured where it is not installed."""
    try:
        from imgcore.captioning.local import LocalDescriber
    except ModuleNotFoundError as error:  # the archives for Gemini leave it out
        raise Misconfigured("The local describer is not installed: install imgcore[local].") from error
    return LocalDescriber()


class RenewedCaptioner:
    """A model's captioner created at first use, and again, with its key fetched anew, after it was refused."""

    side = MODEL_SIDE

    def __init__(self, source: Source, make: Callable[[], ModelCaptioner]) -> None:
        self.source = source
        self._current: SingleFlight[ModelCaptioner] = SingleFlight(lambda _: make())

    def describe(
        self, picture: Picture, *, deadline: float, record: RecordCall = ignore_call, context: str = ""
    ) -> Description:
        """See Captioner.describe."""
        captioner = self.warm()
        try:
            return captioner.describe(picture, deadline=deadline, record=record, context=context)
        except Misconfigured:
            self._current.forget(captioner)
            raise

    def probe(self, record: RecordCall = ignore_call, deadline: float = inf) -> None:
        """See Probe.probe."""
        captioner = self.warm()
        try:
            captioner.probe(record, deadline)
        except Misconfigured:
            self._current.forget(captioner)
            raise

    def warm(self) -> ModelCaptioner:
        """Create the captioner now: import the SDK and fetch the key before the first image arrives."""
        return self._current.result()
