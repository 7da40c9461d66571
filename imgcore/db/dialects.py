"""What databases differ in: connecting, a few fragments of SQL, and the meaning of errors.

Each has a module of its own, sqlite.py and mysql.py, so that a process imports the driver of its database only.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import lru_cache
from typing import Any, ClassVar

from imgcore.db.statements import Statement, render

Texts = tuple[tuple[str | None, ...], ...]


class Fault(Enum):
    """What the caller has to do about an error of the database."""

    BUSY = auto()  # another transaction was in the way: roll back, try again
    LOST = auto()  # the connection is broken: discard it
    SLOW = auto()  # the server ended the statement at its time limit: running it again would take as long
    TIMEOUT = auto()  # no answer in time: discard the connection; the statement may still be running
    DUPLICATE = auto()  # a row with this key exists already
    UNAVAILABLE = auto()  # nothing helps but waiting or a person


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The meaning of a driver's error."""

    fault: Fault
    message: str
    code: str = "unavailable"

    @property
    def ends_connection(self) -> bool:
        """Whether the connection is discarded; after an unlisted error it is rolled back and used again."""
        ends = self.fault in (Fault.LOST, Fault.TIMEOUT, Fault.UNAVAILABLE)
        return ends and self.code != "database_error"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a database has answered to a query. Equal ones have the same rows.

    content: what the driver has received. parse: returns its rows.
    """

    content: Hashable
    parse: Callable[[Any], Texts] = field(repr=False)  # which would hold an address of this process

    @property
    def rows(self) -> Texts:
        """The rows, each a tuple of texts and None."""
        return self.parse(self.content)


class Dialect(ABC):
    """One kind of database. Statements are written once, with ``:name`` for values and the fragments below.

    Times are UTC in microseconds: DATETIME(6) in MySQL, and in SQLite the text ``YYYY-MM-DD HH:MM:SS.ffffff``,
    which sorts by time. SQLite's clock has milliseconds (in strftime, julianday and unixepoch alike), so its
    last three digits are zeros. ``{later:name}`` and ``{ago:name}`` are now plus or minus the parameter
    ``name``, in microseconds. ``{then_join}`` joins the tables in the order of the text.
    ``{by_index:name}`` after a table reads it by this index.
    ``{part}SELECT … ORDER BY … LIMIT …)`` is one of the queries that UNION ALL joins.
    """

    name: ClassVar[str]
    begin: ClassVar[str]
    pyformat: ClassVar[bool]  # whether the driver takes %(name)s for a parameter, else :name
    fragments: ClassVar[Mapping[str, str]]

    @abstractmethod
    def connect(self, timeout: float, statement_limit: float | None = None) -> Any:
        """Return a DB-API connection in autocommit mode that waits ``timeout`` seconds for an answer.

        statement_limit: seconds after which the database ends a statement by itself; None without a limit.
        """

    @abstractmethod
    def answer(self, connection: Any, text: str, values: Mapping[str, Any]) -> Answer:
        """Return what the database answers to a rendered query whose columns are texts."""

    @abstractmethod
    def diagnose(self, error: BaseException) -> Diagnosis | None:
        """Return the meaning of ``error``; None for a bug or an error from elsewhere."""

    def render(self, template: str) -> Statement:
        """Return the statement in this database's SQL and its driver's parameter style; cached."""
        return _rendered(type(self), template)


@lru_cache(maxsize=512)
def _rendered(dialect: type[Dialect], template: str) -> Statement:
    return render(template, dialect.fragments, pyformat=dialect.pyformat)


UNMIGRATED = Diagnosis(
    Fault.UNAVAILABLE,
    "The database's tables are missing or out of date. Run `imgcore migrate`.",
    "not_migrated",
)

BUSY = Diagnosis(Fault.BUSY, "The database is too busy just now.")
SLOW = Diagnosis(
    Fault.SLOW, "The database took too long over this. Try again, or ask for less.", "database_slow"
)


def unlisted(code: int) -> Diagnosis:
    """Return the meaning of a code that no table lists: any of the thousands may be an outage of its kind."""
    return Diagnosis(Fault.UNAVAILABLE, f"The database reports error {code}.", "database_error")
