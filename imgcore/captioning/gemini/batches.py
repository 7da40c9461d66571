"""The batch interface of the Gemini API: answers within a day, at half the price.

https://ai.google.dev/gemini-api/docs/batch-api
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING, Generic

from google import genai
from google.genai import types

from imgcore.campaigns.models import BatchResult
from imgcore.captioning.gemini.client import (
    UPLOAD_SECONDS,
    GeminiClient,
    T,
    answer_of,
    configuration,
    contents_of,
    timeout,
)
from imgcore.captioning.gemini.responses import WHO, Refused, Trouble, Unreadable, judge
from imgcore.errors import BadAnswer, ImgcoreError, Unavailable

if TYPE_CHECKING:
    from imgcore.captioning.model import Request

logger = logging.getLogger(__name__)

SECONDS = 120.0  # for one call, without the upload of images
BATCH_BYTES = 64 * 1024 * 1024  # of a batch with its answers, or one of another application of the project
NEWEST = 10_000  # batches that are looked through for a label at most
CLOCKS = timedelta(minutes=15)  # by which Google's clock and ours may differ
_GONE = BatchResult({}, BadAnswer(f"{WHO} has no such batch any more.", code="batch_failed"))
_KEY = "key"
_PENDING = frozenset({"QUEUED", "PENDING", "RUNNING", "CANCELLING", "PAUSED", "UPDATING", "UNSPECIFIED"})
_NOT_CANCELLED = frozenset({400, 404, 409, 501})  # it has ended meanwhile, or is unknown


class GeminiBatches(GeminiClient):
    """Sends batches of requests, and fetches their answers by key. Each method raises as a captioner does.

    seconds: for each call, without the upload of images.

    BadAnswer, code ``batch_refused``, where Google refuses a request in words of its own. Unavailable also
    where a response cannot be read.
    """

    body_bytes = BATCH_BYTES

    def __init__(self, key: str, base_url: str | None = None, seconds: float = SECONDS) -> None:
        super().__init__(key, base_url)
        self._seconds = seconds

    def submit(
        self,
        label: str,
        model: str,
        requests: Sequence[tuple[str, Request]],
        late: Callable[[str], object] = lambda name: None,
    ) -> str:
        """Create a batch and return its name. label: by which ``find`` finds it. requests: with their keys.

        late: receives the name of a batch that is created after this method has raised. A batch that was
        neither named within UPLOAD_SECONDS and some calls more nor can be found then was not created.
        """
        inlined = [
            types.InlinedRequest(
                contents=[contents_of(request)], config=configuration(request), metadata={_KEY: key}
            )
            for key, request in requests
        ]
        options = types.CreateBatchJobConfig(display_name=label, http_options=timeout(self._seconds))

        def create(client: genai.Client) -> str:
            return client.batches.create(model=model, src=inlined, config=options).name or ""

        name = self._called(create, UPLOAD_SECONDS + self._seconds, lambda name: late(name) if name else None)
        if not name:
            raise Unavailable(f"{WHO} accepted a batch without naming it.")
        return name

    def find(self, label: str, since: datetime) -> str | None:
        """Return the name of the batch with this label; None where there is none. since: when it was sent.

        Google lists the newest batches first, though that is not documented: the search ends before the end of
        the list only where it was seen to descend to batches that are older.
        """
        newest = None
        for job in islice(self._listed(), NEWEST):
            if job.display_name == label:
                return job.name
            created = job.create_time
            if created is not None and newest is not None and created < min(newest, since - CLOCKS):
                return None
            newest = created or newest
        return None

    def _listed(self) -> Iterator[types.BatchJob]:
        options = types.ListBatchJobsConfig(
            page_size=1, http_options=timeout(self._seconds)
        )  # with its answers
        pages = self._called(lambda client: client.batches.list(config=options))
        yield from pages.page
        while pages.config.get("page_token"):
            yield from self._called(lambda client: pages.next_page())

    def result(self, name: str) -> BatchResult | None:
        """Return the answers of a batch; None while it has not ended.

        Of one that failed, was cancelled or expired they are those that Google hands out. It is not documented
        whether these are all that were answered. Of one that was deleted, or belongs to the project of another
        key, there are none.
        """
        options = types.GetBatchJobConfig(http_options=timeout(self._seconds))
        job = self._within(self._seconds, lambda client: client.batches.get(name=name, config=options))
        if isinstance(job, Refused) and job.code == HTTPStatus.NOT_FOUND:
            return _GONE
        if not isinstance(job, types.BatchJob):
            raise _error(job)
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
        options = types.CancelBatchJobConfig(http_options=timeout(self._seconds))

        def ask(client: genai.Client) -> _Done[None]:
            client.batches.cancel(name=name, config=options)
            return _Done(None)

        found = self._within(self._seconds, ask)
        if isinstance(found, Refused) and found.code in _NOT_CANCELLED:
            logger.info("A batch was not cancelled: HTTP %d %s", found.code, found.message)
        elif not isinstance(found, _Done):
            raise _error(found)

    def _called(
        self,
        call: Callable[[genai.Client], T],
        seconds: float | None = None,
        late: Callable[[T], object] = lambda value: None,
    ) -> T:
        found = self._within(
            self._seconds if seconds is None else seconds,
            lambda client: _Done(call(client)),
            lambda done: late(done.value),
        )
        if isinstance(found, _Done):
            return found.value
        raise _error(found)


def _error(trouble: Trouble) -> ImgcoreError:
    """Return the error of a call that concerns a batch, not one photo."""
    failure = judge(trouble, datetime.now(UTC))
    logger.warning("A call about a batch failed: %s", failure.detail)
    if isinstance(trouble, Unreadable):
        return Unavailable(f"{WHO} answered about a batch, but not in a way that can be read.")
    if failure.end.code == "model_refused_image":
        return BadAnswer(f"{WHO} refused a batch of photos. The log has its reason.", code="batch_refused")
    return failure.end


@dataclass(frozen=True, slots=True)
class _Done(Generic[T]):
    """The result of a call; anything else is a failure."""

    value: T
