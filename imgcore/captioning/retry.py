"""The retry policy: which failures are retried, how long to wait, when to leave it to a later run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from imgcore.backoff import at_least, full_jitter
from imgcore.errors import BadAnswer, ImgcoreError


class FailureKind(Enum):
    """The reason why a request brought no description; each has its own number of tries."""

    TRANSIENT = auto()  # overloaded, rate-limited, unreachable
    UNUSABLE = auto()  # an answer, and not a description
    CUT_SHORT = auto()  # the answer ran into its token limit
    RECITATION = auto()  # the model stopped itself for quoting
    DECLINED = auto()  # the words are a refusal, or say nothing
    EMPTY = auto()  # an answer without content
    OPTION_REFUSED = auto()  # the model does not know a part of the request
    MODEL_GONE = auto()  # this model cannot be asked; another might
    MODEL_EXHAUSTED = auto()  # this model's quota is used up for a while; another's might not be
    FINAL = auto()  # asking again cannot help


class Option(Enum):
    """A part of the request that some models refuse; without it they describe all the same."""

    THINKING = auto()
    MEDIA_RESOLUTION = auto()
    SCHEMA = auto()


@dataclass(frozen=True, slots=True)
class Failure:
    """One request without a description.

    end: what is raised where nothing is left to try.
    detail: for the log, never for the uploader.
    hint: seconds that the other side asks to wait. option: the part of the request that was refused.
    answered: the model did answer, so it works; only the answer is of no use.
    unbilled: the request was never sent, or the service refused it, so that it costs nothing.
    """

    kind: FailureKind
    end: ImgcoreError
    detail: str
    hint: float | None = None
    option: Option | None = None
    answered: bool = False
    unbilled: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """The limits of the retries; times in seconds.

    attempts: requests in all.
    tries: requests for each kind of failure, where that is fewer.
    longest_wait: of those that are ours to choose; what the other side asks for is not bounded by it.
    timeout: of one request, from its start to the last byte of its answer.
    floor: a request is not begun with less time than this; Google refuses shorter server deadlines.
    reserve: a wait is not begun unless this much time is left after it.
    """

    attempts: int = 4
    unusable: int = 3
    cut_short: int = 3  # with the limit doubled, then without the text in the photo
    once_more: int = 2
    longest_wait: float = 20.0
    timeout: float = 45.0
    floor: float = 10.0
    reserve: float = 15.0

    def tries(self, kind: FailureKind) -> int:
        """Return how many requests may fail this way before the error is raised."""
        match kind:
            case FailureKind.TRANSIENT:
                return self.attempts
            case FailureKind.UNUSABLE:
                return self.unusable
            case FailureKind.CUT_SHORT:
                return self.cut_short
            case FailureKind.RECITATION | FailureKind.EMPTY | FailureKind.DECLINED:
                return self.once_more
            case _:
                return 1

    def wait(self, attempt: int, hint: float | None, chance: float) -> float:
        """Return the seconds to wait before request ``attempt + 1``.

        attempt: counts from 1. chance: a random number in [0, 1).
        hint: seconds that the service asked to wait; None: full jitter, doubled from 1 s to ``longest_wait``.
        """
        if hint is not None:
            return at_least(hint, chance)
        return full_jitter(attempt, chance, first=1.0, longest=self.longest_wait)


class Attempts:
    """The requests for one image: counts them, waits between them, ends them.

    busy: the sentence for people where the service has no time for the image now.
    """

    def __init__(
        self,
        policy: Policy,
        deadline: float,
        busy: str,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        rng: Callable[[], float],
    ) -> None:
        self._policy, self._deadline, self._busy = policy, deadline, busy
        self._clock, self._sleep, self._rng = clock, sleep, rng
        self._met: Counter[FailureKind] = Counter()
        self._last: ImgcoreError | None = None

    def seconds(self) -> float:
        """Return how long the next request may take. Raise where too little time is left for one."""
        left = self._deadline - self._clock()
        if left < self._policy.floor:
            raise self._out_of_time()
        return min(left, self._policy.timeout)

    def again(self, failure: Failure) -> None:
        """Return when the next request is due; raise where there is none.

        What was cut short by the clock, or by other failures, is not given up for good.
        """
        self._met[failure.kind] += 1
        self._last = failure.end
        if self._met[failure.kind] >= self._policy.tries(failure.kind):
            raise failure.end
        made = self._met.total()
        wait = self._policy.wait(made, failure.hint, self._rng())
        if made >= self._policy.attempts or self._clock() + wait > self._deadline - self._policy.reserve:
            raise self._out_of_time()
        self._sleep(wait)

    def _out_of_time(self) -> ImgcoreError:
        """Return the last error; where that would be for good, one that is not."""
        if self._last is None or self._last.permanent:
            return BadAnswer(self._busy, code="out_of_time", permanent=False)
        return self._last
