"""Every failure this package raises on purpose; each says itself whether trying again can help."""

from __future__ import annotations


class ImgcoreError(Exception):
    """Something went wrong in a way that is understood.

    code: a short, stable word for programs, such as ``not_an_image``.
    message: one sentence for the person who uploaded the picture.
    permanent: trying again with the same input cannot help.
    retry_after: seconds to wait before trying again, where the other side said so.
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
    """The file itself cannot be accepted: not an image, damaged, too large."""

    code = "rejected"
    permanent = True


class Blocked(ImgcoreError):
    """The model declined to describe the picture."""

    code = "blocked"
    permanent = True


class BadAnswer(ImgcoreError):
    """The model answered, and not with a description, as often as it was asked."""

    code = "bad_answer"
    permanent = True


class RateLimited(ImgcoreError):
    """The model asks everybody to wait ``retry_after`` seconds."""

    code = "rate_limited"


class Misconfigured(ImgcoreError):
    """A setting is missing, malformed or refused (a wrong key, a retired model)."""

    code = "misconfigured"


class Unavailable(ImgcoreError):
    """A service that is needed (database, bucket, queue, model) cannot be reached just now."""

    code = "unavailable"


class NotFound(ImgcoreError):
    """There is no such picture, or no such object."""

    code = "not_found"
    permanent = True


class Invalid(ImgcoreError):
    """What the caller asked for is not well-formed; the message says which part."""

    code = "invalid"
    permanent = True


class Unauthorized(ImgcoreError):
    """Nobody has said who they are, or what they said is wrong."""

    code = "unauthorized"
    permanent = True


class Forbidden(ImgcoreError):
    """It is there, and not theirs to do."""

    code = "forbidden"
    permanent = True


class TooManyTries(ImgcoreError):
    """It was tried too often; ``retry_after`` says when it may be tried again."""

    code = "too_many_tries"


class Conflict(ImgcoreError):
    """What the caller asked for does not fit the present state."""

    code = "conflict"
    permanent = True
