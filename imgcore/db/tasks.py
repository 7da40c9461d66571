"""Claims and results of tasks: who may work on a task, and whose result is stored.

Every transaction here locks the image's row first, so that claims, results, edits, deletions and overwritten
uploads of one image come one after the other. The fence is the lease token: a result is stored only while the
task still holds the token of its claim.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from imgcore.db.connection import Repository, Transaction
from imgcore.db.mapping import (
    ALT_TEXT,
    CAPTION,
    MESSAGE,
    NAME,
    VISIBLE_TEXT,
    WORD,
    Row,
    details_column,
    in_list,
    local_time,
    micros,
    storable_tags,
)
from imgcore.db.pauses import not_paused
from imgcore.db.similar import store_hash
from imgcore.db.statements import sql
from imgcore.db.webhook_events import add_deliveries
from imgcore.db.word_index import update_search_text
from imgcore.db.words import Author, Languages, write_words
from imgcore.gallery.models import Description, PhotoFacts, Renditions, TaskKind, TaskStatus, WordField
from imgcore.pipeline.models import Claim
from imgcore.text import storable
from imgcore.webhooks.events import WebhookEvent

CRASHED = "crashed"
CRASHED_MESSAGE = "This photo could not be processed: every attempt ended before it was done."

_LEASE_EXPIRED = "(status = 'processing' AND lease_until <= {now})"
_CLAIMABLE = sql(
    "(status = 'pending' OR (status = 'retry' AND next_at <= {now}) OR {lease_expired})",
    lease_expired=_LEASE_EXPIRED,
)
_NO_LEASE = "lease_token = NULL, lease_until = NULL, dispatched_at = NULL"
_FENCE = "image_id = :image_id AND kind = :kind AND lease_token = :token"

_CLAIM = sql(
    "UPDATE tasks SET status = 'processing', attempts = attempts + 1, lease_token = :token,"
    " lease_until = {later:lease}, next_at = NULL, dispatched_at = NULL, error = NULL, message = NULL,"
    " started_at = {now} WHERE image_id = :image_id AND kind = :kind AND attempts < :max_attempts"
    " AND {claimable} AND {not_paused}",
    claimable=_CLAIMABLE,
    not_paused=not_paused("tasks"),
)
_PARK = sql(
    "UPDATE tasks SET status = 'retry', attempts = attempts - :refund, next_at = {later:delay},"
    " error = :error, message = :message, {no_lease} WHERE {fence}",
    no_lease=_NO_LEASE,
    fence=_FENCE,
)
_END = sql(
    "UPDATE tasks SET status = :status, error = :error, message = :message, next_at = NULL,"
    " finished_at = {now}, {no_lease} WHERE {fence}",
    no_lease=_NO_LEASE,
    fence=_FENCE,
)
_DONE_AFTER_ALL = (
    "UPDATE tasks SET status = 'done', error = NULL, message = NULL WHERE image_id = :image_id"
    " AND kind = 'caption' AND status IN ('failed', 'blocked')"
)
_SKIP_OPEN = sql(
    "UPDATE tasks SET status = 'skipped', error = :error, message = :message, finished_at = {now}, {no_lease}"
    " WHERE image_id = :image_id AND status IN ('pending', 'processing', 'retry')",
    no_lease=_NO_LEASE,
)
_STORE_THUMBNAIL = (
    "UPDATE images SET format = :format, width = :width, height = :height, size = :size, sha256 = :sha256,"
    " taken_at = :taken_at, camera = :camera, latitude = :latitude, longitude = :longitude,"
    " details = :details,"
    " thumbnail_key = :thumbnail_key, thumbnail_2x_key = :thumbnail_2x_key,"
    " grid_key = :grid_key, display_key = :display_key,"
    " display_width = :display_width, display_height = :display_height, placeholder = :placeholder,"
    " thumbnail_generated_at = {now} WHERE id = :image_id"
)


class TaskRepository(Repository):
    """Tasks as the workers claim and end them. Each method is one transaction."""

    def claim(self, image_key: str, kind: TaskKind, *, lease: float, max_attempts: int) -> Claim | None:
        """Claim a task for ``lease`` seconds, with a new token and one attempt more.

        None where it is not claimable: neither pending, nor a retry that is due, nor processing with an
        expired lease, or paused. A task that crashed ``max_attempts`` times is failed instead (code
        ``crashed``).
        """
        return self._database.run(lambda tx: _claim(tx, image_key, kind, lease, max_attempts))

    def finish_thumbnail(self, claim: Claim, facts: PhotoFacts, renditions: Renditions) -> bool:
        """Store the renditions and end the task as done; False where another worker has claimed it since."""
        latitude, longitude = facts.location or (None, None)

        def store(tx: Transaction, image: Row) -> None:
            tx.execute(
                _STORE_THUMBNAIL,
                image_id=image["id"],
                format=facts.format,
                width=facts.width,
                height=facts.height,
                size=facts.size,
                sha256=facts.sha256,
                taken_at=local_time(facts.taken_at),
                camera=storable(facts.camera, NAME) if facts.camera else None,
                latitude=latitude,
                longitude=longitude,
                details=details_column(facts.details),
                thumbnail_key=renditions.thumbnail.key,
                thumbnail_2x_key=renditions.thumbnail_2x.key,
                grid_key=renditions.grid.key if renditions.grid else None,
                display_key=renditions.display.key,
                display_width=renditions.display.width,
                display_height=renditions.display.height,
                placeholder=renditions.placeholder,
            )
            if renditions.perceptual_hash is not None:
                store_hash(tx, image["id"], renditions.perceptual_hash)
            update_search_text(tx, image["id"])

        return self._commit(claim, TaskStatus.DONE, store=store)

    def finish_caption(self, claim: Claim, description: Description, own: Description | None = None) -> bool:
        """Store the description and end the task as done; False where another worker has claimed it since.

        Words of a source of higher rank stay as they are. own: the file's own; its caption is stored before.
        """

        return self._commit(claim, TaskStatus.DONE, store=lambda tx, image: _store(tx, image, description, own))

    def park(
        self,
        claim: Claim,
        *,
        code: str,
        message: str,
        delay: float,
        refund: bool,
        provisional: Description | None = None,
        own: Description | None = None,
    ) -> bool:
        """Plan a retry in ``delay`` seconds; False where another worker has claimed the task since.

        refund: whether the attempt does not count. code, message: why, for programs and for people.
        provisional: a description until then. own: the file's own.
        """

        def work(tx: Transaction) -> bool:
            image = lock_image(tx, claim.image_id)
            parked = image is not None and tx.execute(
                _PARK,
                refund=int(refund),
                delay=micros(delay),
                error=storable(code, WORD),
                message=storable(message, MESSAGE),
                **_fence(claim),
            )
            if image is not None and parked and provisional is not None:
                _store(tx, image, provisional, own)
                if image["source"] is None:  # else each retry would tell of the same words
                    tell_webhooks(tx, image, claim.kind, TaskStatus.DONE)
            return bool(parked)

        return self._database.run(work)

    def fail(self, claim: Claim, status: TaskStatus, *, code: str, message: str) -> bool:
        """End the task as failed or blocked; False where another worker has claimed it since.

        The caption task of a described image ends as done: the image keeps the words that it has.
        """
        return self._commit(claim, status, code, message, store=_keep_words)

    def reject(self, claim: Claim, *, code: str, message: str) -> bool:
        """Mark the upload as rejected and skip its open tasks; False where another worker claimed it since."""
        reason = {"error": storable(code, WORD), "message": storable(message, MESSAGE)}

        def reject_upload(tx: Transaction, image: Row) -> None:
            statement = "UPDATE images SET upload_status = 'rejected' WHERE id = :image_id"
            tx.execute(statement, image_id=image["id"])
            tx.execute(_SKIP_OPEN, image_id=image["id"], **reason)

        return self._commit(claim, TaskStatus.SKIPPED, code, message, store=reject_upload)

    def _commit(
        self,
        claim: Claim,
        status: TaskStatus,
        code: str | None = None,
        message: str | None = None,
        store: Callable[[Transaction, Row], Any] | None = None,
    ) -> bool:
        """End the claimed task and store its result: both, or neither where another worker claimed it since."""
        ended = {
            "status": status.value,
            "error": storable(code, WORD) if code else None,
            "message": storable(message, MESSAGE) if message else None,
        }

        def work(tx: Transaction) -> bool:
            image = lock_image(tx, claim.image_id)
            if image is None or not tx.execute(_END, **ended, **_fence(claim)):
                return False
            if store is not None:
                store(tx, image)
            tell_webhooks(tx, image, claim.kind, status)
            return True

        return self._database.run(work)


def tell_webhooks(tx: Transaction, image: Row, kind: TaskKind, ended: TaskStatus) -> None:
    """Add the deliveries of the event that a photo was described, or that one of its tasks failed.

    image: with id and owner_id. A task that is done after all, because the photo keeps its words, did not fail.
    """
    described = kind is TaskKind.CAPTION and ended is TaskStatus.DONE
    failed = ended in (TaskStatus.FAILED, TaskStatus.BLOCKED, TaskStatus.SKIPPED)
    if described or (failed and _status(tx, image["id"], kind) is ended):
        event = WebhookEvent.PHOTO_DESCRIBED if described else WebhookEvent.PHOTO_FAILED
        add_deliveries(tx, event, owner_id=image["owner_id"], image_id=image["id"])


def _status(tx: Transaction, image_id: int, kind: TaskKind) -> TaskStatus:
    statement = "SELECT status FROM tasks WHERE image_id = :image_id AND kind = :kind"
    [row] = tx.rows(statement, image_id=image_id, kind=kind.value)
    return TaskStatus(row["status"])


def _claim(tx: Transaction, image_key: str, kind: TaskKind, lease: float, max_attempts: int) -> Claim | None:
    image = tx.row(
        "SELECT id, public_id, version_id FROM images"
        " WHERE image_key = :image_key AND upload_status = 'received' AND deleted_at IS NULL {for_update}",
        image_key=image_key,
    )
    if image is None:
        return None
    token = secrets.token_hex(16)
    task = {"image_id": image["id"], "kind": kind.value}
    if not tx.execute(_CLAIM, token=token, lease=micros(lease), max_attempts=max_attempts, **task):
        fail_crashed_task(tx, image["id"], kind, max_attempts, _CLAIMABLE)
        return None
    [row] = tx.rows("SELECT attempts FROM tasks WHERE image_id = :image_id AND kind = :kind", **task)
    return Claim(
        image["id"],
        image["public_id"],
        image_key,
        kind,
        token,
        row["attempts"],
        version_id=image["version_id"],
    )


def fail_crashed_task(
    tx: Transaction, image_id: int, kind: TaskKind, max_attempts: int, condition: str = _LEASE_EXPIRED
) -> bool:
    """Fail a task that has no attempt left. The caller must have locked the image's row."""
    statement = sql(
        "UPDATE tasks SET status = 'failed', error = :error, message = :message, next_at = NULL,"
        " finished_at = {now}, {no_lease}"
        " WHERE image_id = :image_id AND kind = :kind AND attempts >= :max_attempts AND {condition}",
        no_lease=_NO_LEASE,
        condition=condition,
    )
    reason = {"error": CRASHED, "message": CRASHED_MESSAGE}
    values = {"image_id": image_id, "kind": kind.value, "max_attempts": max_attempts, **reason}
    if not tx.execute(statement, **values):
        return False
    query = "SELECT id, owner_id, source FROM images WHERE id = :image_id"
    if (image := tx.row(query, image_id=image_id)) is not None:
        _keep_words(tx, image)
        tell_webhooks(tx, image, kind, TaskStatus.FAILED)
    return True


def reset_task(tx: Transaction, image_id: int, kind: TaskKind, states: Sequence[str]) -> bool:
    """Make a task in one of these states pending, as if new. The caller must have locked the image's row."""
    names, values = in_list("state", states)
    statement = sql(
        "UPDATE tasks SET status = 'pending', attempts = 0, next_at = {now}, error = NULL, message = NULL,"
        " started_at = NULL, finished_at = NULL, {no_lease}"
        " WHERE image_id = :image_id AND kind = :kind AND status IN ({names})",
        no_lease=_NO_LEASE,
        names=names,
    )
    return bool(tx.execute(statement, image_id=image_id, kind=kind.value, **values))


def _keep_words(tx: Transaction, image: Row) -> None:
    """End a failed caption task as done where the image has words. The caller must have locked the image."""
    if image["source"] is not None and tx.execute(_DONE_AFTER_ALL, image_id=image["id"]):
        tx.execute("UPDATE images SET undescribed_at = {now} WHERE id = :image_id", image_id=image["id"])


def _fence(claim: Claim) -> dict[str, Any]:
    return {"image_id": claim.image_id, "kind": claim.kind.value, "token": claim.token}


def lock_image(tx: Transaction, image_id: int) -> Row | None:
    """Return the locked row of an image, as results need it; None where it is deleted."""
    return tx.row(
        "SELECT id, owner_id, source, safety, input_tokens FROM images"
        " WHERE id = :image_id AND deleted_at IS NULL {for_update}",
        image_id=image_id,
    )


def _store(tx: Transaction, image: Row, description: Description, own: Description | None) -> None:
    if own is not None:
        caption = {WordField.CAPTION: storable(own.caption, CAPTION)}
        write_words(tx, image["id"], caption, Author.of(own))
    _describe(tx, image, description)


def _describe(tx: Transaction, image: Row, description: Description) -> None:
    given = {
        WordField.CAPTION: storable(description.caption, CAPTION),
        WordField.ALT_TEXT: storable(description.alt_text, ALT_TEXT),
        WordField.TAGS: storable_tags(description.tags),
    }
    write_words(tx, image["id"], given, Author.of(description), _languages(description))
    # Only a model reads the text in a picture and rates its safety: stored under a person's words too, and not
    # replaced by another describer.
    if description.source.is_model or (image["safety"] is None and image["input_tokens"] is None):
        _store_model_facts(tx, image["id"], description)
        update_search_text(tx, image["id"])


def store_description(tx: Transaction, image: Row, description: Description) -> bool:
    """Store a description that came without a task; False where the caption task is in progress or planned.

    image: its locked row, as lock_image returns it.
    """
    in_progress = tx.row(
        "SELECT 1 AS one FROM tasks WHERE image_id = :image_id AND kind = 'caption'"
        " AND status IN ('pending', 'processing', 'retry')",
        image_id=image["id"],
    )
    if in_progress is not None:
        return False
    _describe(tx, image, description)
    tx.execute(_DONE_AFTER_ALL, image_id=image["id"])
    tell_webhooks(tx, image, TaskKind.CAPTION, TaskStatus.DONE)
    return True


def _languages(description: Description) -> Mapping[WordField, Languages]:
    """Return the languages of each field, as imgcore.db.words stores them; none where its own is unknown."""
    if description.language is None:
        return {}
    own: Languages = {description.language: None}
    others = description.translations
    return {
        WordField.CAPTION: {**own, **{one.language: storable(one.caption, CAPTION) for one in others}},
        WordField.ALT_TEXT: {**own, **{one.language: storable(one.alt_text, ALT_TEXT) for one in others}},
        WordField.TAGS: {**own, **{one.language: json.loads(storable_tags(one.tags)) for one in others}},
    }


def _store_model_facts(tx: Transaction, image_id: int, description: Description) -> None:
    tx.execute(
        "UPDATE images SET visible_text = :visible_text, safety = :safety, model = :model,"
        " prompt_version = :prompt_version, input_tokens = :input_tokens, output_tokens = :output_tokens,"
        " price_usd = :price_usd WHERE id = :image_id",
        image_id=image_id,
        visible_text=storable(description.visible_text, VISIBLE_TEXT),
        safety=description.safety.value if description.safety else None,
        model=storable(description.model, NAME) if description.model else None,
        prompt_version=storable(description.prompt_version, WORD) if description.prompt_version else None,
        input_tokens=description.input_tokens,
        output_tokens=description.output_tokens,
        price_usd=description.price_usd,
    )
