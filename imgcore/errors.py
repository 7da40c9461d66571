"""The errors that imgcore raises. Each carries a code, a message for people and whether a retry can help."""

from __future__ import annotations


class ImgcoreError(Exception):
    """The base class of all errors of imgcore.

    code: a short, stable word for programs, such as ``not_an_image``.
    message: a sentence for people.
    permanent: a retry with the same input fails again.
    retry_after: seconds to wait before a retry, where the service named them.
    """

    code = "internal"
    permanent = False

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        permanent: bool | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code if code is not None else self.code
        self.permanent = permanent if permanent is not None else self.permanent
        self.retry_after = retry_after


class Rejected(ImgcoreError):
    """The file is not acceptable: not an image, damaged, too large."""

    code = "rejected"
    permanent = True


class Blocked(ImgcoreError):
    """The model refused to describe the image."""

    code = "blocked"
    permanent = True


class BadAnswer(ImgcoreError):
    """None of the model's answers held a usable description."""

    code = "bad_answer"
    permanent = True


class RateLimited(ImgcoreError):
    """The model's rate limit or quota is used up for ``retry_after`` seconds."""

    code = "rate_limited"


class Misconfigured(ImgcoreError):
    """A setting is missing, malformed or refused by a service (a wrong key, a retired model)."""

    code = "misconfigured"


class Unavailable(ImgcoreError):
    """A service (database, bucket, queue, model) cannot be reached just now."""

    code = "unavailable"


class Busy(Unavailable):
    """Others use all places of something just now; ``retry_after`` is the time until one may be free.

    It is a refusal of this request, not a failure: it may not count as one where failures roll a release back.
    """

    code = "busy"


class NotFound(ImgcoreError):
    """The image, object or account does not exist."""

    code = "not_found"
    permanent = True


class Invalid(ImgcoreError):
    """The request is malformed; the code names the field."""

    code = "invalid"
    permanent = True


class Unauthorized(ImgcoreError):
    """The request is not authenticated: credentials are missing or wrong."""

    code = "unauthorized"
    permanent = True


class Forbidden(ImgcoreError):
    """Authenticated, but not permitted."""

    code = "forbidden"
    permanent = True


class TooManyTries(ImgcoreError):
    """The limit of attempts is reached; ``retry_after`` is the time until the next one is accepted."""

    code = "too_many_tries"


class Gone(ImgcoreError):
    """What the request refers to has expired, for good."""

    code = "gone"
    permanent = True


class Conflict(ImgcoreError):
    """The request conflicts with the current state."""

    code = "conflict"
    permanent = True


class AlreadyPresent(Conflict):
    """The owner has uploaded the same file before, as the image ``public_id``."""

    code = "already_present"

    def __init__(self, public_id: str) -> None:
        super().__init__("You have uploaded this photo before.")
        self.public_id = public_id


def too_many_searches() -> Busy:
    """Return the error of a search for which there is no place."""
    return Busy("Too many searches are running just now. Try again in a moment.", retry_after=2)
