"""The batch interface of the Gemini API: answers within a day, at half the price.

https://ai.google.dev/gemini-api/docs/batch-api
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Generic

from google import genai
from google.genai import types

from imgcore.captioning.gemini.client import GeminiClient, T, answer_of, configuration, contents_of, timeout
from imgcore.captioning.gemini.responses import WHO, judge
from imgcore.errors import BadAnswer, Unavailable

if TYPE_CHECKING:
    from imgcore.captioning.answers import Answer
    from imgcore.captioning.model import Request

SECONDS = 120.0  # for one call: a batch of images takes longer to send than one
NEWEST = 500  # batches that are looked through for a label
_KEY = "key"
_PENDING = frozenset({"QUEUED", "PENDING", "RUNNING", "CANCELLING", "PAUSED", "UPDATING", "UNSPECIFIED"})


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
            options = types.ListBatchJobsConfig(
                page_size=5, http_options=timeout(SECONDS)
            )  # with their answers
            jobs = islice(client.batches.list(config=options), NEWEST)
            return next((job.name for job in jobs if job.display_name == label), None)

        return self._called(look)

    def answers(self, name: str) -> Mapping[str, Answer] | None:
        """Return the answers of a batch by key, without those that failed; None while it is not finished.

        BadAnswer: the batch failed, was cancelled, or expired.
        """
        options = types.GetBatchJobConfig(http_options=timeout(SECONDS))
        job = self._called(lambda client: client.batches.get(name=name, config=options))
        state = (job.state.value if job.state else "UNSPECIFIED").removeprefix("JOB_STATE_")
        if state in _PENDING:
            return None
        if not state.endswith("SUCCEEDED"):
            raise BadAnswer(f"{WHO} ended a batch as {state.lower()}.", code="batch_failed")
        responses = (job.dest.inlined_responses if job.dest else None) or []
        return {
            response.metadata[_KEY]: answer_of(response.response)
            for response in responses
            if response.response is not None and response.metadata and _KEY in response.metadata
        }

    def _called(self, call: Callable[[genai.Client], T]) -> T:
        found = self._within(SECONDS, lambda client: _Done(call(client)))
        if isinstance(found, _Done):
            return found.value
        raise judge(found, datetime.now(UTC)).end


@dataclass(frozen=True, slots=True)
class _Done(Generic[T]):
    """The result of a call; anything else is a failure."""

    value: T
