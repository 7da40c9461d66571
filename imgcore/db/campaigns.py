"""Campaigns: the statements that select images, take them in turn, and end them."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from imgcore.campaigns.models import Campaign, CampaignStatus, ItemStatus, Sample, Selection
from imgcore.db.connection import Repository, Transaction
from imgcore.db.mapping import HAS_WORDS_OF, Row, in_list, local_time, micros, moment
from imgcore.db.pages import read_versions
from imgcore.db.search_words import facet
from imgcore.db.statements import sql
from imgcore.db.tasks import reset_task
from imgcore.gallery.keys import new_public_id
from imgcore.gallery.models import EVERYBODY, TaskKind, Viewer

_CHUNK = 500  # ids in one statement
_PAGE = 200
_ENDED = "('done', 'failed', 'blocked', 'skipped')"

_CAMPAIGN = (
    "SELECT c.*, a.name AS account FROM campaigns c LEFT JOIN accounts a ON a.id = c.account_id"
    " WHERE {condition} ORDER BY c.id DESC LIMIT :limit"
)
_MATCHING = "FROM images i JOIN tasks t ON t.image_id = i.id AND t.kind = 'caption' WHERE {conditions}"
# Of the queued images of a campaign: those whose caption task has ended since. One that failed and kept the
# words that it had ends as done too; undescribed_at is then no earlier than the end of the task.
_SETTLE = sql(
    "UPDATE campaign_items SET status = (SELECT CASE WHEN t.status = 'done'"
    " AND (i.undescribed_at IS NULL OR i.undescribed_at < t.finished_at) THEN 'done' ELSE 'failed' END"
    " FROM tasks t JOIN images i ON i.id = t.image_id"
    " WHERE t.image_id = campaign_items.image_id AND t.kind = 'caption')"
    " WHERE campaign_id = :campaign_id AND status = 'queued' AND EXISTS (SELECT 1 FROM tasks t"
    " WHERE t.image_id = campaign_items.image_id AND t.kind = 'caption' AND t.status IN {ended})",
    ended=_ENDED,
)
# Of the images ``i``: those whose description no campaign will ask for or has paid for already. The answers of
# a batch are paid for also where its campaign was cancelled after it was sent.
IN_NO_CAMPAIGN = (
    "NOT EXISTS (SELECT 1 FROM campaign_items ci JOIN campaigns c ON c.id = ci.campaign_id"
    " WHERE ci.image_id = i.id AND ci.status = 'waiting' AND (c.status IN ('running', 'paused')"
    " OR EXISTS (SELECT 1 FROM batches j JOIN batch_images b ON b.batch_id = j.id"
    " WHERE j.campaign_id = c.id AND b.image_id = i.id AND j.sent_at IS NOT NULL AND j.closed_at IS NULL)))"
)
_DESCRIBED_SINCE = (
    "SELECT 1 AS one FROM campaigns c JOIN word_versions v ON v.created_at > c.created_at"
    " WHERE c.id = :campaign_id AND v.image_id = :image_id AND v.source IN ('gemini', 'openai') LIMIT 1"
)
# They are not described while they are in the trash, and may be restored after any time.
_SKIP_DELETED = (
    "UPDATE campaign_items SET status = 'skipped' WHERE campaign_id = :campaign_id AND status = 'queued'"
    " AND image_id IN (SELECT id FROM images WHERE deleted_at IS NOT NULL)"
)
_FINISH = (
    "UPDATE campaigns SET status = 'done', finished_at = {now} WHERE id = :campaign_id AND status = 'running'"
    " AND NOT EXISTS (SELECT 1 FROM campaign_items WHERE campaign_id = :campaign_id"
    " AND status IN ('waiting', 'queued'))"
)


class CampaignRepository(Repository):
    """The campaigns. Each method is one transaction unless it says otherwise."""

    def preview(self, selection: Selection, viewer: Viewer, sample: int) -> tuple[int, Sequence[Sample]]:
        """Return how many images match, and the first of them."""
        named = self._named(selection, viewer)

        def work(tx: Transaction) -> tuple[int, list[Sample]]:
            count = 0
            rows: list[Row] = []
            for conditions, values in _conditions(selection, viewer, named):
                matching = sql(_MATCHING, conditions=conditions)
                [row] = tx.rows("SELECT COUNT(*) AS n " + matching, **values)
                count += row["n"]
                if len(rows) < sample:
                    columns = "SELECT i.public_id, i.name, i.caption "
                    rows += tx.rows(
                        columns + matching + " ORDER BY i.id LIMIT :sample", **values, sample=sample
                    )
            return count, [Sample(row["public_id"], row["name"], row["caption"]) for row in rows[:sample]]

        return self._database.read(work)

    def add(
        self, selection: Selection, rate: int, viewer: Viewer, *, batch: bool = False, most: int | None = None
    ) -> Campaign | None:
        """Add a running campaign over the images that match, the first ``most``; None where there are none."""
        public_id = new_public_id()
        shown = {name: value for name, value in asdict(selection).items() if value}
        named = self._named(selection, viewer)

        def work(tx: Transaction) -> bool:
            campaign_id = tx.insert(
                "INSERT INTO campaigns (public_id, account_id, status, selection, rate, batch, total,"
                " created_at, advanced_at) VALUES (:public_id, :account_id, 'running', :selection, :rate,"
                " :batch, 0, {now}, {ago:minute})",
                public_id=public_id,
                account_id=viewer.account_id,
                selection=json.dumps(shown, default=str, ensure_ascii=False)[:2000],
                rate=rate,
                batch=int(batch),
                minute=micros(60),
            )
            total = _add_items(tx, campaign_id, _conditions(selection, viewer, named), most)
            if not total:
                tx.execute("DELETE FROM campaigns WHERE id = :campaign_id", campaign_id=campaign_id)
                return False
            return True

        return self.get(public_id) if self._database.run(work) else None

    def extend(self, campaign_id: int, selection: Selection, viewer: Viewer) -> int | None:
        """Add the images that match to a campaign; return how many, or None where it does not run any more."""
        named = self._named(selection, viewer)

        def work(tx: Transaction) -> int | None:
            running = "SELECT id FROM campaigns WHERE id = :id AND status = 'running' {for_update}"
            if tx.row(running, id=campaign_id) is None:
                return None
            return _add_items(tx, campaign_id, _conditions(selection, viewer, named))

        return self._database.run(work)

    def _named(self, selection: Selection, viewer: Viewer) -> Sequence[int] | None:
        """Return the images of the ids and the search of a selection; None where it has neither.

        They are found before the transaction that adds them, which checks all else that they must be.
        """
        query, ids = selection.query, selection.ids
        found = self._database.read_heavy(lambda tx: _found(tx, query, viewer)) if query else None
        if not ids:
            return found
        among = None if found is None else {*found}
        return self._database.read(lambda tx: _with_ids(tx, ids, among))

    def get(self, public_id: str) -> Campaign | None:
        """Return a campaign with its progress."""
        statement = sql(_CAMPAIGN, condition="c.public_id = :public_id")
        found = self._campaigns(statement, public_id=public_id, limit=1)
        return found[0] if found else None

    def newest(self, limit: int, viewer: Viewer = EVERYBODY) -> Sequence[Campaign]:
        """Return the newest campaigns that the viewer may see, with their progress.

        These are the viewer's own; all of them where the viewer changes the photos of others.
        """
        if viewer.changes_others:
            return self._campaigns(sql(_CAMPAIGN, condition="1 = 1"), limit=limit)
        own = sql(_CAMPAIGN, condition="c.account_id = :viewer_id")  # NULL, that of nobody, equals nothing
        return self._campaigns(own, limit=limit, viewer_id=viewer.account_id)

    def running(self) -> Sequence[Campaign]:
        """Return the campaigns that run."""
        return self._campaigns(sql(_CAMPAIGN, condition="c.status = 'running'"), limit=1000)

    def unsettled(self) -> Sequence[int]:
        """Return the ids of the campaigns that were paused or cancelled while images were queued."""
        query = (
            "SELECT c.id FROM campaigns c WHERE c.status IN ('paused', 'cancelled') AND EXISTS (SELECT 1"
            " FROM campaign_items ci WHERE ci.campaign_id = c.id AND ci.status = 'queued')"
        )
        return [row["id"] for row in self._database.read(lambda tx: tx.rows(query))]

    def set_status(self, campaign_id: int, old: CampaignStatus, new: CampaignStatus) -> bool:
        """Change the status; False where it is not ``old`` any more. The time in a pause is not made up for."""
        statement = (
            "UPDATE campaigns SET status = :new, advanced_at = {now} WHERE id = :campaign_id AND status = :old"
        )
        values = {"campaign_id": campaign_id, "old": old.value, "new": new.value}
        return bool(self._database.run(lambda tx: tx.execute(statement, **values)))

    def take_turn(self, campaign: Campaign, longest: float, ahead: int) -> Sequence[int]:
        """Return the ids of the waiting images whose turn has come by the rate, and use up that time.

        longest: seconds that are made up for at most. ahead: minutes of work that may be queued and unfinished.
        """

        def work(tx: Transaction) -> list[int]:
            row = tx.row(
                "SELECT advanced_at, {now} AS clock FROM campaigns WHERE id = :id AND status = 'running'"
                " {for_update}",
                id=campaign.id,
            )
            since, clock = (moment(row["advanced_at"]), moment(row["clock"])) if row else (None, None)
            if since is None or clock is None:
                return []
            due = int(campaign.rate * min(longest, max(0.0, (clock - since).total_seconds())) / 60)
            counts = _counts(tx, campaign.id)
            room = ahead * campaign.rate - counts.get(ItemStatus.QUEUED, 0)
            if due < 1 or room < 1:
                return []
            tx.execute("UPDATE campaigns SET advanced_at = {now} WHERE id = :id", id=campaign.id)
            waiting = (
                "SELECT image_id FROM campaign_items WHERE campaign_id = :id AND status = 'waiting'"
                " ORDER BY image_id LIMIT :limit"
            )
            rows = tx.rows(waiting, id=campaign.id, limit=min(due, room))
            return [row["image_id"] for row in rows]

        return self._database.run(work)

    def queue(self, campaign_id: int, image_id: int) -> str | None:
        """Make the caption task of a waiting image pending; return the image's key, or None where it is not.

        An image that a model has described since the campaign began is skipped. Nothing changes where the
        campaign does not run any more.
        """
        item = {"campaign_id": campaign_id, "image_id": image_id}
        take = (
            "UPDATE campaign_items SET status = :status WHERE campaign_id = :campaign_id"
            " AND image_id = :image_id AND status = 'waiting'"
            " AND campaign_id IN (SELECT id FROM campaigns WHERE status = 'running')"
        )

        def work(tx: Transaction) -> str | None:
            image = tx.row(
                "SELECT image_key FROM images WHERE id = :image_id AND deleted_at IS NULL"
                " AND upload_status = 'received' {for_update}",
                image_id=image_id,
            )
            wanted = image is not None and not was_described(tx, **item)
            if not tx.execute(take, status="queued" if wanted else "skipped", **item) or not wanted:
                return None
            assert image is not None
            if not reset_task(tx, image_id, TaskKind.CAPTION, ("done", "failed", "blocked")):
                tx.execute(take.replace("'waiting'", "'queued'"), status="skipped", **item)
                return None
            return str(image["image_key"])

        return self._database.run(work)

    def settle(self, campaign_id: int) -> None:
        """Store the end of the queued images whose task has ended, and of the campaign after the last one.

        Those in the trash are skipped.
        """

        def work(tx: Transaction) -> None:
            tx.execute(_SETTLE, campaign_id=campaign_id)
            tx.execute(_SKIP_DELETED, campaign_id=campaign_id)
            tx.execute(_FINISH, campaign_id=campaign_id)

        self._database.run(work)

    def _campaigns(self, statement: str, **values: Any) -> Sequence[Campaign]:
        def work(tx: Transaction) -> list[Campaign]:
            return [_campaign(row, _counts(tx, row["id"])) for row in tx.rows(statement, **values)]

        return self._database.read(work)


def was_described(tx: Transaction, campaign_id: int, image_id: int) -> bool:
    """Return whether a model has described the image since the campaign began: it would be paid for twice."""
    return tx.row(_DESCRIBED_SINCE, campaign_id=campaign_id, image_id=image_id) is not None


def _counts(tx: Transaction, campaign_id: int) -> dict[ItemStatus, int]:
    query = "SELECT status, COUNT(*) AS n FROM campaign_items WHERE campaign_id = :campaign_id GROUP BY status"
    return {ItemStatus(row["status"]): row["n"] for row in tx.rows(query, campaign_id=campaign_id)}


def _campaign(row: Row, counts: dict[ItemStatus, int]) -> Campaign:
    created_at = moment(row["created_at"])
    assert created_at is not None
    return Campaign(
        id=row["id"],
        public_id=row["public_id"],
        status=CampaignStatus(row["status"]),
        rate=row["rate"],
        total=row["total"],
        created_at=created_at,
        selection=row["selection"],
        account_id=row["account_id"],
        account=row["account"],
        finished_at=moment(row["finished_at"]),
        counts=counts,
        batch=bool(row["batch"]),
    )


def _add_items(
    tx: Transaction,
    campaign_id: int,
    matching: Iterable[tuple[str, dict[str, Any]]],
    most: int | None = None,
) -> int:
    """Add the images that match to a campaign, the first ``most``; return how many."""
    added = 0
    for conditions, values in matching:
        statement = sql(
            "{insert_ignore} campaign_items (campaign_id, image_id, status)"
            " SELECT :campaign_id, i.id, 'waiting' {matching} {limit}",
            matching=sql(_MATCHING, conditions=conditions),
            limit="" if most is None else "ORDER BY i.id LIMIT :left",
        )
        left = {} if most is None else {"left": most - added}
        added += tx.execute(statement, campaign_id=campaign_id, **values, **left)
    update = "UPDATE campaigns SET total = total + :added WHERE id = :campaign_id"
    tx.execute(update, added=added, campaign_id=campaign_id)
    return added


def _conditions(
    selection: Selection, viewer: Viewer, named: Sequence[int] | None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the conditions on images and their values; several where many are ``named``."""
    conditions = [
        "i.listed_id IS NOT NULL",
        "i.upload_status = 'received'",
        "t.status IN ('done', 'failed', 'blocked')",
        IN_NO_CAMPAIGN,
    ]
    values: dict[str, Any] = {}
    if not viewer.changes_others:
        conditions.append("i.owner_id = :viewer_id")
        values["viewer_id"] = viewer.account_id
    if selection.source is not None:
        conditions.append(HAS_WORDS_OF)
        values["source"] = selection.source.value
    if selection.model is not None:
        conditions.append("i.model = :model")
        values["model"] = selection.model
    if selection.before is not None:
        conditions.append("i.caption_generated_at < :before")
        values["before"] = local_time(selection.before)
    if selection.tag is not None:
        conditions.append("EXISTS (SELECT 1 FROM words w WHERE w.word = :tag AND w.image_id = i.id)")
        values["tag"] = facet("tag", selection.tag)
    if selection.failed:
        conditions.append("t.status IN ('failed', 'blocked')")
    if selection.missing:
        conditions.append("i.caption IS NULL")
    if named is None:
        yield " AND ".join(conditions), values
        return
    for start in range(0, len(named), _CHUNK):
        names, ids = in_list("image", named[start : start + _CHUNK])
        yield " AND ".join([*conditions, f"i.id IN ({names})"]), {**values, **ids}


def _with_ids(tx: Transaction, public_ids: Iterable[str], among: Container[int] | None = None) -> list[int]:
    """Return the images of public ids in their order. among: without others."""
    wanted = list(dict.fromkeys(public_ids))
    found: dict[str, int] = {}
    for start in range(0, len(wanted), _CHUNK):
        names, values = in_list("public_id", wanted[start : start + _CHUNK])
        statement = sql("SELECT public_id, id FROM images WHERE public_id IN ({names})", names=names)
        found |= {row[0]: row[1] for row in tx.tuples(statement, **values)}
    ids = [found[public_id] for public_id in wanted if public_id in found]
    return ids if among is None else [id_ for id_ in ids if id_ in among]


def _found(tx: Transaction, query: str, viewer: Viewer) -> list[int]:
    """Return the images that a search finds."""
    found: list[int] = []
    cursor = None
    while True:
        page = read_versions(tx, cursor, _PAGE, query, viewer)
        found += [id_ for id_, _ in page.versions]
        if (cursor := page.next) is None:
            return found
