"""The batch interface of the Gemini API: answers within a day, at half the price.

https://ai.google.dev/gemini-api/docs/batch-api
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Generic

from google import genai
from google.genai import types

from imgcore.campaigns.models import BatchResult
from imgcore.captioning.gemini.client import GeminiClient, T, answer_of, configuration, contents_of, timeout
from imgcore.captioning.gemini.responses import WHO, Refused, judge
from imgcore.errors import BadAnswer, Unavailable

if TYPE_CHECKING:
    from imgcore.captioning.model import Request

logger = logging.getLogger(__name__)

SECONDS = 120.0  # for one call: a batch of images takes longer to send than one
NEWEST = 500  # batches that are looked through for a label
_KEY = "key"
_PENDING = frozenset({"QUEUED", "PENDING", "RUNNING", "CANCELLING", "PAUSED", "UPDATING", "UNSPECIFIED"})
_NOT_CANCELLED = frozenset({400, 404, 409, 501})  # it has ended meanwhile, or is unknown


class GeminiBatches(GeminiClient):
    """Sends batches of requests, and fetches their answers by key. Each method raises as a captioner does."""

    def submit(self, label: str, model: str, requests: Sequence[tuple[str, Request]]) -> str:
        """Create a batch and return its name. label: by which ``find`` finds it. requests: with their keys."""
        inlined = [
            types.InlinedRequest(
                contents=[contents_of(request)], config=configuration(request), metadata={_KEY: key}
            )
            for key, request in requests
        ]
        options = types.CreateBatchJobConfig(display_name=label, http_options=timeout(SECONDS))
        job = self._called(lambda client: client.batches.create(model=model, src=inlined, config=options))
        if not job.name:
            raise Unavailable(f"{WHO} accepted a batch without naming it.")
        return job.name

    def find(self, label: str) -> str | None:
        """Return the name of the batch with this label; None where there is none."""

        def look(client: genai.Client) -> str | None:
            options = types.ListBatchJobsConfig(page_size=1, http_options=timeout(SECONDS))  # with its answers
            jobs = islice(client.batches.list(config=options), NEWEST)
            return next((job.name for job in jobs if job.display_name == label), None)

        return self._called(look)

    def result(self, name: str) -> BatchResult | None:
        """Return the answers of a batch; None while it has not ended.

        Of one that failed, was cancelled or expired they are those that Google hands out. It is not documented
        whether these are all that were answered.
        """
        options = types.GetBatchJobConfig(http_options=timeout(SECONDS))
        job = self._called(lambda client: client.batches.get(name=name, config=options))
        state = (job.state.value if job.state else "UNSPECIFIED").removeprefix("JOB_STATE_")
        if state in _PENDING:
            return None
        responses = (job.dest.inlined_responses if job.dest else None) or []
        answers = {
            response.metadata[_KEY]: answer_of(response.response)
            for response in responses
            if response.response is not None and response.metadata and _KEY in response.metadata
        }
        if state.endswith("SUCCEEDED"):
            return BatchResult(answers)
        ended = BadAnswer(f"{WHO} ended a batch as {state.lower()}.", code="batch_failed")
        return BatchResult(answers, ended)

    def cancel(self, name: str) -> None:
        """Ask for a batch to be cancelled; ``result`` tells when it has ended. Harmless where it has ended."""
        options = types.CancelBatchJobConfig(http_options=timeout(SECONDS))

        def ask(client: genai.Client) -> _Done[None]:
            client.batches.cancel(name=name, config=options)
            return _Done(None)

        found = self._within(SECONDS, ask)
        if isinstance(found, Refused) and found.code in _NOT_CANCELLED:
            logger.info("A batch was not cancelled: HTTP %d %s", found.code, found.message)
        elif not isinstance(found, _Done):
            raise judge(found, datetime.now(UTC)).end

    def _called(self, call: Callable[[genai.Client], T]) -> T:
        found = self._within(SECONDS, lambda client: _Done(call(client)))
        if isinstance(found, _Done):
            return found.value
        raise judge(found, datetime.now(UTC)).end


@dataclass(frozen=True, slots=True)
class _Done(Generic[T]):
    """The result of a call; anything else is a failure."""

    value: T
