"""The words of a notice: how many are done, how many failed and why, where to look."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from imgcore.gallery.models import Image, Task, TaskKind, TaskStatus, UploadStatus
from imgcore.notifications.messages import NAMES, NEVER_ARRIVED, REASONS, UNKNOWN, compose, failure_reason
from imgcore.notifications.models import FinishedBatch

BEGUN = datetime(2026, 11, 5, 7, 9, tzinfo=UTC)
URL = "https://gallery.example/"


def failure(name: str, message: str | None, status: TaskStatus = TaskStatus.FAILED) -> Image:
    """A photograph of which one task did not end well."""
    tasks = (
        Task(TaskKind.THUMBNAIL, TaskStatus.DONE, message="It was slow."),
        Task(TaskKind.CAPTION, status, error="code", message=message),
    )
    return Image(1, "f" * 32, "raw/f", name, UploadStatus.RECEIVED, BEGUN, tasks)


def batch(
    total: int, *failures: Image, failed: int | None = None, owner: str | None = "a" * 32
) -> FinishedBatch:
    count = len(failures) if failed is None else failed
    return FinishedBatch(7, "token", 1, owner, "anna" if owner else None, BEGUN, total, count, failures)


@pytest.mark.parametrize(
    ("total", "failed", "subject", "first"),
    [
        (1, 0, "1 photo is ready", "The photo THAT is done."),
        (1, 1, "1 photo failed", "The photo THAT failed."),
        (2, 0, "2 photos are ready", "Of the 2 photos THAT, all are done."),
        (2, 2, "2 photos failed", "Of the 2 photos THAT, all failed."),
        (3, 2, "1 photo is ready, 2 failed", "Of the 3 photos THAT, 1 is done and 2 failed."),
        (1500, 1, "1,499 photos are ready, 1 failed",
         "Of the 1,500 photos THAT, 1,499 are done and 1 failed."),
    ],
)  # fmt: skip
def test_it_counts(total: int, failed: int, subject: str, first: str) -> None:
    """In the subject and in the first sentence."""
    first = first.replace("THAT", "that you uploaded on 5 November 2026 at 07:09 UTC")
    message = compose(batch(total, *[failure("x.jpg", "Why.")] * failed), URL)
    assert (subject, first) == (message.subject, message.body.splitlines()[0])


def test_it_says_why_with_names() -> None:
    """A paragraph for each reason, in the order of the photographs."""
    message = compose(
        batch(5, failure("a.jpg", "Declined."), failure("b.txt", "No image."), failure("c.jpg", "Declined.")),
        URL,
    )
    assert "2 failed: Declined.\n  a.jpg\n  c.jpg\n\n1 failed: No image.\n  b.txt\n" in message.body


def test_it_names_a_few_of_many() -> None:
    """A hundred names are no news."""
    message = compose(batch(100, *[failure(f"{n}.jpg", "Declined.") for n in range(100)]), URL)
    assert (
        f"100 failed: Declined.\n  0.jpg\n  1.jpg\n  2.jpg\n  3.jpg\n  4.jpg\n  and {100 - NAMES} more\n"
        in message.body
    )


def test_it_stays_short_whatever_there_is() -> None:
    """SNS takes 256 KiB; every photograph here failed for a reason of its own."""
    message = compose(batch(3000, *[failure("n" * 300, f"Reason {n}.") for n in range(1000)], failed=3000), URL)
    assert f"{3000 - REASONS:,} failed for other reasons." in message.body
    assert len(message.body) < 15_000


def test_the_subject_is_as_sns_wants_it() -> None:
    """ASCII, one line, less than a hundred characters, whatever the names are."""
    message = compose(batch(10**9, failure("Ω\n.jpg", "Ω"), failed=10**8), URL)
    assert (True, True, 1) == (
        message.subject.isascii(),
        len(message.subject) < 100,
        len(message.subject.splitlines()),
    )


def test_a_name_is_one_line() -> None:
    """It cannot pretend to be a paragraph of the message."""
    message = compose(batch(1, failure("a\n\nSee the photos: https://evil.example/", "Declined.")), URL)
    assert "\n  a See the photos: https://evil.example/\n" in message.body


def test_it_leads_to_the_gallery() -> None:
    """And to where it can be stopped."""
    body = compose(batch(1), URL).body
    assert "See the photos: https://gallery.example/\n" in body
    assert "To unsubscribe: https://gallery.example/account" in body


def test_without_accounts_nobody_has_asked_for_it() -> None:
    """Nothing to stop, then."""
    message = compose(batch(1, owner=None), URL)
    assert (None, False) == (message.owner, "stop" in message.body)


def test_without_an_address_of_the_gallery_there_is_no_link() -> None:
    """Rather than a wrong one."""
    assert "http" not in compose(batch(1), None).body


def test_it_is_for_the_owner_of_the_batch() -> None:
    """The account's id goes along."""
    message = compose(batch(1), URL)
    assert (7, "a" * 32, "anna") == (message.number, message.owner, message.owner_name)


@pytest.mark.parametrize(
    ("status", "message", "expected"),
    [
        (TaskStatus.FAILED, "Too bad.", "Too bad."),
        (TaskStatus.BLOCKED, "Declined.", "Declined."),
        (TaskStatus.SKIPPED, "No image.", "No image."),
        (TaskStatus.FAILED, None, UNKNOWN),
    ],
)
def test_a_reason_is_what_the_task_says(status: TaskStatus, message: str | None, expected: str) -> None:
    """Of the task that did not end well; what a task that is done says is of no interest."""
    assert expected == failure_reason(failure("x.jpg", message, status))


def test_what_never_came_says_so() -> None:
    """Its tasks know nothing of it."""
    image = Image(1, "f" * 32, "raw/f", "x.jpg", UploadStatus.EXPIRED, BEGUN, ())
    assert NEVER_ARRIVED == failure_reason(image)
