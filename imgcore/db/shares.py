"""Share links and the images that they show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from imgcore.collections.models import ALBUM_IMAGES
from imgcore.collections.share_models import (
    LISTED,
    SHARES,
    NewShare,
    Share,
    ShareFiles,
    ShareKind,
    ShareList,
    ShareStatus,
)
from imgcore.db.connection import Repository, Transaction
from imgcore.db.mapping import Row, in_list, lock_account, micros, moment
from imgcore.db.places import DATE, SHOWN, after, page_of
from imgcore.db.statements import sql
from imgcore.errors import Conflict
from imgcore.gallery.keys import new_public_id
from imgcore.gallery.models import Page, Viewer
from imgcore.gallery.places import Place

_DAY = 86_400.0  # seconds
_SELECT = (
    "SELECT s.*, o.name AS owner, a.public_id AS album, a.name AS album_name, a.ordering AS album_order,"
    " CASE WHEN s.revoked_at IS NOT NULL THEN 'revoked' WHEN s.expires_at <= {now} THEN 'expired'"
    " ELSE 'open' END AS status FROM shares s LEFT JOIN accounts o ON o.id = s.owner_id"
    " LEFT JOIN albums a ON a.id = s.album_id WHERE {condition} LIMIT :limit"
)
_OPEN = "CASE WHEN s.revoked_at IS NULL AND s.expires_at > {now} THEN 1 ELSE 0 END"
# The images of links: those of the list, or of the album as it is now, that the creator may change now
_OF_LIST = "share_images c ON c.share_id = s.id"
_OF_ALBUM = "album_images c ON c.album_id = s.album_id"
_SHOWN = (
    "FROM shares s JOIN {source} JOIN images i ON i.id = c.image_id WHERE s.id IN ({ids}) AND {shown}"
    " AND (s.owner_id IS NULL OR i.owner_id = s.owner_id OR EXISTS (SELECT 1 FROM accounts creator"
    " WHERE creator.id = s.owner_id AND creator.role = 'administrator'))"
)


class ShareRepository(Repository):
    """The links. Tokens are passed as SHA-256 hashes in hex. Each method is one transaction."""

    def listed(self, viewer: Viewer, place: Place | None) -> ShareList:
        """Return 100 links of the viewer's account, or of all accounts: the open ones first, each newest first.

        place: of the last link of the previous list, which the returned ones follow.
        """
        mine = "1 = 1" if viewer.changes_others else "s.owner_id = :viewer_id"
        values = {} if viewer.changes_others else {"viewer_id": viewer.account_id}
        following, at = after(place, _OPEN, "s.id", descending=True)
        condition = sql(
            "{mine} AND {following} ORDER BY {open} DESC, s.id DESC", mine=mine, following=following, open=_OPEN
        )

        def work(tx: Transaction) -> ShareList:
            rows = tx.rows(sql(_SELECT, condition=condition), limit=LISTED + 1, **values, **at)
            shares = _with_counts(tx, rows[:LISTED])
            more = len(rows) > LISTED
            return ShareList(tuple(shares), _place(shares[-1]).text() if more else None)

        return self._database.read_heavy(work)

    def get(self, public_id: str) -> Share | None:
        """Return the link of that public id."""
        return self._share("s.public_id = :public_id", public_id=public_id)

    def find(self, token_hash: str) -> Share | None:
        """Return the link of that token."""
        return self._share("s.token_hash = :token_hash", token_hash=token_hash)

    def create(
        self,
        new: NewShare,
        kind: ShareKind,
        token_hash: str,
        *,
        album_id: int | None,
        image_ids: Sequence[int],
        owner_id: int | None,
    ) -> str:
        """Add a link and return its public id. new: with the hash of its password. Conflict where too many."""
        public_id = new_public_id()

        def work(tx: Transaction) -> None:
            if owner_id is not None:
                lock_account(tx, owner_id)
                count = "SELECT COUNT(*) AS n FROM shares WHERE owner_id = :owner_id"
                if tx.rows(count, owner_id=owner_id)[0]["n"] >= SHARES:
                    raise Conflict(f"An account may have at most {SHARES:,} links.", code="shares")
            share_id = tx.insert(
                "INSERT INTO shares (public_id, token_hash, owner_id, kind, album_id, title, password,"
                " download, files, created_at, expires_at, opened) VALUES (:public_id, :token_hash, :owner_id,"
                " :kind, :album_id, :title, :password, :download, :files, {now}, {later:seconds}, 0)",
                public_id=public_id,
                token_hash=token_hash,
                owner_id=owner_id,
                kind=kind.value,
                album_id=album_id,
                title=new.title,
                password=new.password,
                download=int(new.download),
                files=new.files.value,
                seconds=micros(new.days * _DAY),
            )
            for position, image_id in enumerate(image_ids):
                tx.execute(
                    "{insert_ignore} share_images (share_id, image_id, position)"
                    " VALUES (:share_id, :image_id, :position)",
                    share_id=share_id,
                    image_id=image_id,
                    position=position,
                )

        self._database.run(work)
        return public_id

    def revoke(self, share_id: int) -> None:
        """End a link now."""
        statement = "UPDATE shares SET revoked_at = {now} WHERE id = :share_id AND revoked_at IS NULL"
        self._database.run(lambda tx: tx.execute(statement, share_id=share_id))

    def count_visit(self, share_id: int) -> None:
        """Increase the number of visits and store the time."""
        statement = "UPDATE shares SET opened = opened + 1, last_opened_at = {now} WHERE id = :share_id"
        self._database.run(lambda tx: tx.execute(statement, share_id=share_id))

    def page(self, share: Share, *, place: Place | None, limit: int) -> Page:
        """Return up to ``limit`` of the images that a link shows, after a place."""
        return self._database.read(
            lambda tx: page_of(tx, _shown(tx, share, "i.id, {key}", place=place, limit=limit + 1), limit)
        )

    def public_ids(self, share: Share) -> Sequence[str]:
        """Return the public ids of all images that a link shows, in its order."""
        rows = self._database.read(lambda tx: _shown(tx, share, "i.public_id", limit=ALBUM_IMAGES))
        return [row[0] for row in rows]

    def _share(self, condition: str, **values: Any) -> Share | None:
        statement = sql(_SELECT, condition=condition)
        found = self._database.read(lambda tx: _with_counts(tx, tx.rows(statement, limit=1, **values)))
        return found[0] if found else None


def _with_counts(tx: Transaction, rows: Sequence[Row]) -> list[Share]:
    """Return the links of these rows with the number of their images. An album is counted once a creator."""
    counted = {_shown_by(row): row["id"] for row in rows}  # one link of those that show the same
    lists = [share_id for (album_id, _), share_id in counted.items() if album_id is None]
    albums = [share_id for (album_id, _), share_id in counted.items() if album_id is not None]
    counts = _counts(tx, _OF_LIST, lists) | _counts(tx, _OF_ALBUM, albums)
    return [_share(row, counts.get(counted[_shown_by(row)], 0)) for row in rows]


def _counts(tx: Transaction, source: str, share_ids: Sequence[int]) -> dict[int, int]:
    if not share_ids:
        return {}
    names, values = in_list("share", share_ids)
    count = sql("SELECT s.id, COUNT(*) {shown} GROUP BY s.id", shown=_shown_sql(source, names))
    return dict(tx.tuples(count, **values))


def _shown_by(row: Row) -> tuple[int | None, int | None]:
    """Return what decides which images a link shows."""
    album_id = row["album_id"]
    return (None, row["id"]) if album_id is None else (album_id, row["owner_id"])


def _shown_sql(source: str, ids: str) -> str:
    return sql(_SHOWN, source=source, ids=ids, shown=SHOWN)


def _shown(
    tx: Transaction, share: Share, columns: str, *, place: Place | None = None, limit: int
) -> Sequence[tuple[Any, ...]]:
    key = DATE if share.by_date else "c.position"
    following, at = after(place, key, "i.id")
    query = sql(
        "SELECT {columns} {shown} AND {following} ORDER BY {key}, i.id LIMIT :limit",
        columns=sql(columns, key=key),
        shown=_shown_sql(_OF_LIST if share.album_id is None else _OF_ALBUM, ":share_id"),
        following=following,
        key=key,
    )
    return tx.tuples(query, limit=limit, share_id=share.id, **at)


def _place(share: Share) -> Place:
    return Place.of(int(share.status is ShareStatus.OPEN), share.id)


def _share(row: Row, images: int) -> Share:
    created_at, expires_at = moment(row["created_at"]), moment(row["expires_at"])
    assert created_at is not None
    assert expires_at is not None
    same = ("id", "public_id", "token_hash", "title", "opened", "password", "owner_id", "owner")
    return Share(
        **{name: row[name] for name in (*same, "album_id", "album", "album_name", "album_order")},
        kind=ShareKind(row["kind"]),
        status=ShareStatus(row["status"]),
        download=bool(row["download"]),
        files=ShareFiles(row["files"] or ShareFiles.DISPLAY),
        created_at=created_at,
        expires_at=expires_at,
        revoked_at=moment(row["revoked_at"]),
        last_opened_at=moment(row["last_opened_at"]),
        images=images,
    )
