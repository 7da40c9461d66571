"""Calls of a captioning model through its circuit breaker, within the caps on spending."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imgcore.errors import BadAnswer, Blocked, ImgcoreError, Misconfigured, RateLimited, Unavailable
from imgcore.gallery.models import Description, Picture, Source
from imgcore.pipeline.models import RecordCall
from imgcore.pipeline.ports import Captioner, Probe

if TYPE_CHECKING:
    from imgcore.db.circuit_breaker import CircuitBreakers
    from imgcore.spending.service import Spending

logger = logging.getLogger(__name__)

PROBE_SECONDS = 30.0  # how long one caller has to show that the service works again
PROBE_RESERVE_SECONDS = 25.0  # a probe is not begun with less time than this
MISCONFIGURED_SECONDS = 300.0  # how often refused settings are tried again
RATE_LIMIT_SECONDS = 60.0  # where the model does not name a time

RATE_LIMITED = "The captioning model is at its rate limit. The photo will be described automatically."
UNANSWERED = "The captioning model does not answer for this photo, though it answers for others."
REFUSED = "The captioning model refuses this photo, though it answers for others."


class CaptionWaits(Exception):
    """The model is away, limited, refuses the settings or is at a cap: it is not the image's failure.

    error: why. wait: seconds until a retry.
    """

    def __init__(self, error: ImgcoreError, wait: float) -> None:
        super().__init__(error.message)
        self.error, self.wait = error, wait


class LedgerUnavailable(Unavailable):
    """A call could not be recorded: the database is away, which says nothing about the model."""


@dataclass(frozen=True, slots=True)
class ModelGuard:
    """Calls a captioner. The local describer is called as it is.

    record: see Captioner.describe; for calls about the image. record_probe: for probes, which are about none.
    """

    captioner: Captioner
    breakers: CircuitBreakers
    spending: Spending | None
    record: RecordCall
    record_probe: RecordCall

    @property
    def _name(self) -> str:
        return str(self.captioner.source)

    def check(self, deadline: float, owner_id: int | None = None) -> None:
        """Return where the model may be called. CaptionWaits: an open breaker, a cap or a quota.

        owner_id: of the image, whose quota of spending is checked.

        After the pause of an open breaker one caller probes the model with a small image, so that no photo of a
        person is what decides whether the model works.
        """
        if self.captioner.source is Source.LOCAL:
            return
        if (limit := self._reached_limit(owner_id)) is not None:
            raise CaptionWaits(limit, limit.retry_after or 0.0)
        breaker = self.breakers.acquire(self._name, probe=PROBE_SECONDS)
        if not breaker.closed:
            error = RateLimited(breaker.message or RATE_LIMITED, code=breaker.reason)
            raise CaptionWaits(error, breaker.wait)
        if breaker.probing:
            if (problem := self._problem(deadline)) is not None:
                raise self._opened(problem, probing=True)
            self.breakers.close(self._name)

    def _reached_limit(self, owner_id: int | None) -> RateLimited | None:
        if self.spending is None:
            return None
        cap = self.spending.reached_cap()
        return cap if cap is not None or owner_id is None else self.spending.reached_quota(owner_id)

    def describe(self, picture: Picture, deadline: float, context: str = "") -> Description:
        """Describe ``picture``. CaptionWaits: the model cannot do it now, and the breaker is open."""
        try:
            return self.captioner.describe(picture, deadline=deadline, record=self.record, context=context)
        except RateLimited as error:
            if self.captioner.source is Source.LOCAL:
                raise
            raise self._opened(error, probing=False) from None
        except (Unavailable, Misconfigured) as error:
            if self.captioner.source is Source.LOCAL or isinstance(error, LedgerUnavailable):
                raise
            raise self._failed(error, deadline) from None

    def _failed(self, error: Unavailable | Misconfigured, deadline: float) -> Exception:
        """Return CaptionWaits where a probe fails too; where only this image gets no answer, another error.

        Otherwise an image that makes a model crash, or that exceeds its context, would stop the captions of all
        others.
        """
        if not self.breakers.state(self._name).closed:
            return self._opened(error, probing=False)
        if not isinstance(self.captioner, Probe) or time.monotonic() > deadline - PROBE_RESERVE_SECONDS:
            return self._opened(error, probing=False)
        if (problem := self._problem(deadline)) is not None:
            return self._opened(problem, probing=False)
        if isinstance(error, Unavailable):
            return ImgcoreError(UNANSWERED, code="unanswered")
        _log_misconfigured(error)
        return ImgcoreError(f"{REFUSED} {error.message}", code="model_refused_image")

    def _problem(self, deadline: float) -> ImgcoreError | None:
        """Return what a probe meets; None where the model answers, or cannot be probed."""
        if not isinstance(self.captioner, Probe):
            return None
        if time.monotonic() > deadline - PROBE_RESERVE_SECONDS:
            return Unavailable("There was no time left to check the captioning model.")
        try:
            self.captioner.probe(self.record_probe, deadline)
        except (BadAnswer, Blocked):
            return None
        except LedgerUnavailable:
            raise
        except ImgcoreError as error:
            return error
        return None

    def _opened(self, error: ImgcoreError, *, probing: bool) -> CaptionWaits:
        """Open the breaker and return what its caller raises."""
        reason = {"reason": error.code, "message": error.message}
        if isinstance(error, Misconfigured):
            _log_misconfigured(error)
            wait = MISCONFIGURED_SECONDS
        elif isinstance(error, RateLimited):
            wait = error.retry_after or RATE_LIMIT_SECONDS
        else:
            wait = self.breakers.back_off(self._name, probing=probing, **reason)
            return CaptionWaits(error, max(wait, error.retry_after or 0.0))
        self.breakers.open(self._name, wait=wait, **reason)
        return CaptionWaits(error, wait)


def _log_misconfigured(error: Misconfigured) -> None:
    """Log what the operator has to correct; an alarm counts the lines that begin like this."""
    logger.error("The captioner is misconfigured: %s (%s)", error.message, error.code)
