"""The text of notifications: numbers, reasons of failures, links."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from imgcore.gallery.models import Image, Task, TaskKind, TaskStatus, UploadStatus
from imgcore.notifications.messages import NAMES, NEVER_ARRIVED, REASONS, UNKNOWN, compose, failure_reason
from imgcore.notifications.models import FinishedBatch

BEGUN = datetime(2026, 11, 5, 7, 9, tzinfo=UTC)
URL = "https://gallery.example/"


def failure(name: str, message: str | None, status: TaskStatus = TaskStatus.FAILED) -> Image:
    """An image of which one task did not succeed."""
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
def test_compose_counts_in_subject_and_first_sentence(
    total: int, failed: int, subject: str, first: str
) -> None:
    first = first.replace("THAT", "that you uploaded on 5 November 2026 at 07:09 UTC")
    message = compose(batch(total, *[failure("x.jpg", "Why.")] * failed), URL)
    assert (subject, first) == (message.subject, message.body.splitlines()[0])


def test_compose_lists_file_names_by_reason() -> None:
    message = compose(
        batch(5, failure("a.jpg", "Declined."), failure("b.txt", "No image."), failure("c.jpg", "Declined.")),
        URL,
    )
    assert "2 failed: Declined.\n  a.jpg\n  c.jpg\n\n1 failed: No image.\n  b.txt\n" in message.body


def test_compose_many_failures_lists_the_first_names() -> None:
    message = compose(batch(100, *[failure(f"{n}.jpg", "Declined.") for n in range(100)]), URL)
    assert (
        f"100 failed: Declined.\n  0.jpg\n  1.jpg\n  2.jpg\n  3.jpg\n  4.jpg\n  and {100 - NAMES} more\n"
        in message.body
    )


def test_compose_many_reasons_stays_short() -> None:
    """SNS accepts 256 KiB; every image here failed for a reason of its own."""
    message = compose(batch(3000, *[failure("n" * 300, f"Reason {n}.") for n in range(1000)], failed=3000), URL)
    assert f"{3000 - REASONS:,} failed for other reasons." in message.body
    assert len(message.body) < 15_000


def test_compose_subject_is_acceptable_to_sns() -> None:
    """ASCII, one line, fewer than 100 characters."""
    message = compose(batch(10**9, failure("Ω\n.jpg", "Ω"), failed=10**8), URL)
    assert (True, True, 1) == (
        message.subject.isascii(),
        len(message.subject) < 100,
        len(message.subject.splitlines()),
    )


def test_compose_file_name_is_one_line() -> None:
    """It cannot look like a paragraph of the message."""
    message = compose(batch(1, failure("a\n\nSee the photos: https://evil.example/", "Declined.")), URL)
    assert "\n  a See the photos: https://evil.example/\n" in message.body


def test_compose_with_public_url_has_links() -> None:
    body = compose(batch(1), URL).body
    assert "See the photos: https://gallery.example/\n" in body
    assert "To unsubscribe: https://gallery.example/account" in body


def test_compose_without_accounts_has_no_unsubscribe_link() -> None:
    message = compose(batch(1, owner=None), URL)
    assert (None, False) == (message.owner, "stop" in message.body)


def test_compose_without_public_url_has_no_links() -> None:
    assert "http" not in compose(batch(1), None).body


def test_compose_message_names_the_owner() -> None:
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
def test_failure_reason_is_the_message_of_the_unsuccessful_task(
    status: TaskStatus, message: str | None, expected: str
) -> None:
    assert expected == failure_reason(failure("x.jpg", message, status))


def test_failure_reason_of_an_expired_upload_is_never_arrived() -> None:
    image = Image(1, "f" * 32, "raw/f", "x.jpg", UploadStatus.EXPIRED, BEGUN, ())
    assert NEVER_ARRIVED == failure_reason(image)
