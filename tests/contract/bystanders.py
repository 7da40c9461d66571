"""Bystanders: rows of another account and of other images, which the statements under test must leave alone.

Their states make them candidates for every statement whose WHERE lacks a condition. Their times, long past or
far in the future, keep them out of what the statements select rightly.
"""

from __future__ import annotations

from collections.abc import Iterable

from imgcore.db.connection import Database, Row, Transaction
from imgcore.db.mapping import in_list

PAST, FUTURE = "2000-01-01 00:00:00.000000", "2999-01-01 00:00:00.000000"

# Of each table: which rows are bystanders
_WHERE = {
    "accounts": "public_id LIKE 'bystander%'",
    "sessions": "public_id LIKE 'bystander%'",
    "api_keys": "public_id LIKE 'bystander%'",
    "devices": "token LIKE 'bystander%'",
    "second_factors": "secret LIKE 'bystander%'",
    "recovery_codes": "code LIKE 'bystander%'",
    "pending_sign_ins": "token LIKE 'bystander%'",
    "passkeys": "public_id LIKE 'bystander%'",
    "passkey_challenges": "token LIKE 'bystander%'",
    "security_events": "subject LIKE 'bystander%'",
    "throttles": "name LIKE 'bystander%'",
    "gates": "name LIKE 'bystander%'",
    "images": "public_id LIKE 'bystander%'",
    "image_hashes": "image_id IN (SELECT id FROM images WHERE public_id LIKE 'bystander%')",
    "tasks": "image_id IN (SELECT id FROM images WHERE public_id LIKE 'bystander%')",
    "campaigns": "public_id LIKE 'bystander%'",
    "campaign_items": "image_id IN (SELECT id FROM images WHERE public_id LIKE 'bystander%')",
    "albums": "public_id LIKE 'bystander%'",
    "album_images": "image_id IN (SELECT id FROM images WHERE public_id LIKE 'bystander%')",
    "album_removals": "image_id IN (SELECT id FROM images WHERE public_id LIKE 'bystander%')",
    "album_members": "may = 'add' AND album_id IN (SELECT id FROM albums WHERE public_id LIKE 'bystander%')",
    "shares": "public_id LIKE 'bystander%'",
    "share_images": "image_id IN (SELECT id FROM images WHERE public_id LIKE 'bystander%')",
    "word_versions": "image_id IN (SELECT id FROM images WHERE public_id LIKE 'bystander%')",
    "notices": "name LIKE 'bystander%'",
    "addresses": "arn LIKE 'bystander%'",
    "model_calls": "public_id LIKE 'bystander%'",
}
# Tables without bystanders whose rows may refer to one
_OF_BYSTANDERS = ("batches", "part_uploads", "webhooks", "words")

_ENDED = {"attempts": 1, "finished_at": FUTURE}
_FAILED = {**_ENDED, "error": "bad_answer", "message": "No caption."}
_LEASED = {"attempts": 1, "lease_token": "bystander", "lease_until": FUTURE}
# Of each image: its own columns, then the status and the columns of its thumbnail's and its caption's task
_IMAGES = {
    "done": ({}, ("done", _ENDED), ("done", _ENDED)),
    "pending": ({}, ("pending", {"next_at": FUTURE}), ("pending", {"next_at": FUTURE})),
    "working": ({}, ("processing", _LEASED), ("retry", {"error": "busy", "next_at": FUTURE})),
    "failed": ({}, ("failed", _FAILED), ("blocked", _FAILED)),
    "rejected": ({"upload_status": "rejected"}, ("skipped", _FAILED), ("skipped", _FAILED)),
    "awaiting": ({"upload_status": "awaiting"}, ("pending", {}), ("pending", {})),
    "expired": ({"upload_status": "expired"}, ("pending", {}), ("pending", {})),
    # Due but for the trash
    "deleted": (
        {"deleted_at": FUTURE},
        ("pending", {"next_at": PAST}),
        ("retry", {"error": "c", "next_at": PAST}),
    ),
}


def add_bystanders(tx: Transaction) -> None:
    """Insert one or more rows into every table."""
    owner = _insert(
        tx,
        "accounts",
        public_id="bystander",
        name="bystander",
        role="person",
        password="hash",
        created_at=PAST,
        password_at=PAST,
    )
    owned = {"public_id": "bystander", "account_id": owner, "token": "bystander", "created_at": PAST}
    _insert(tx, "sessions", **owned, seen_at=PAST, expires_at=FUTURE, address="192.0.2.9", agent="Other/1")
    _insert(tx, "api_keys", **owned, label="other", scopes="read", hint="wxyz", used_at=PAST, expires_at=FUTURE)
    _insert(tx, "devices", account_id=owner, token="bystander", seen_at=FUTURE)
    _insert(tx, "second_factors", account_id=owner, secret="bystander", last_step=1, created_at=PAST)
    _insert(tx, "recovery_codes", account_id=owner, code="bystander")
    _insert(tx, "pending_sign_ins", account_id=owner, token="bystander", expires_at=FUTURE)
    passkey = {"credential": "bystander", "credential_id": "aWQ=", "public_key": "a2V5", "sign_count": 1}
    _insert(tx, "passkeys", public_id="bystander", account_id=owner, **passkey, label="other", created_at=PAST)
    _insert(tx, "passkey_challenges", token="bystander", account_id=owner, expires_at=FUTURE)
    event = {"event": "signed_in", "actor": "bystander", "subject": "bystander", "detail": ""}
    _insert(tx, "security_events", at=FUTURE, address="192.0.2.9", **event)
    _insert(tx, "throttles", name="bystander", tries=3, blocked_until=FUTURE, updated_at=FUTURE)
    _insert(tx, "gates", name="bystander", closed_until=PAST, reason="other", message="Other.")
    notice = {"owner_id": owner, "created_at": PAST}
    _insert(tx, "notices", name="bystander-1", batch_id="b1", **notice, lease_token="x", lease_until=FUTURE)
    _insert(tx, "notices", name="bystander-2", batch_id="b2", **notice, told_at=FUTURE, subject="S", body="B")
    _insert(tx, "addresses", account_id=owner, address="other@example.org", arn="bystander", asked_at=PAST)
    spent = {"input_tokens": 7, "output_tokens": 5, "counted_usd": 1e9, "outcome": "described", "batch": 0}
    paid = {"call_id": "bystander", "called_at": PAST, "public_id": "bystander", "owner_id": owner}
    _insert(tx, "model_calls", **paid, model="other", **spent)
    paused = {"status": "paused", "selection": "{}", "rate": 1, "total": 1}
    dates = {"created_at": PAST, "advanced_at": PAST}
    campaign = _insert(tx, "campaigns", public_id="bystander", account_id=owner, **paused, **dates)
    words = {"name": "Other", "description": "", "ordering": "hand", "updated_at": PAST, "created_at": PAST}
    album = _insert(tx, "albums", public_id="bystander", owner_id=owner, **words)
    _insert(tx, "album_members", album_id=album, account_id=owner, may="add")
    link = {"kind": "selection", "title": "Other", "download": 1, "opened": 3, "expires_at": FUTURE}
    share = _insert(
        tx, "shares", public_id="bystander", token_hash="x", owner_id=owner, created_at=PAST, **link
    )
    for name, (columns, *tasks) in _IMAGES.items():
        image_id = _add_image(tx, f"bystander-{name}", {"owner_id": owner, **columns}, tasks)
        _insert(tx, "campaign_items", campaign_id=campaign, image_id=image_id, status="waiting")
        inside = {"album_id": album, "image_id": image_id, "added_by": owner}
        _insert(tx, "album_images", **inside, position=image_id, added_at=PAST)
        taken = {"removed_by": owner, "removed_at": FUTURE}
        _insert(tx, "album_removals", **inside, position=image_id, added_at=PAST, **taken)
        _insert(tx, "share_images", share_id=share, image_id=image_id, position=image_id)


def _add_image(tx: Transaction, name: str, columns: dict[str, object], tasks: list[tuple[str, dict]]) -> int:
    """Add an image that no page lists."""
    values = {
        "public_id": name,
        "image_key": f"raw/{name}.jpg",
        "name": f"{name}.jpg",
        "upload_status": "received",
        "uploaded_at": FUTURE,
        "upload_expires_at": PAST,
        "batch_id": "other",
        "etag": "other",
        "caption": "A bystander.",
        "alt_text": "Bystander.",
        "tags": '["other"]',
        "source": "local",
        "caption_generated_at": PAST,
        "search_text": "a bystander",
    }
    image_id = _insert(tx, "images", **{**values, **columns})
    quarters = {f"band_{number}": 1 for number in range(4)}
    _insert(tx, "image_hashes", image_id=image_id, hash=0x0001_0001_0001_0001, owner=0, **quarters)
    for value in ("A bystander before.", "A bystander."):
        version = {"field": "caption", "value": value, "source": "local", "applied": 1, "created_at": PAST}
        _insert(tx, "word_versions", image_id=image_id, change_id=value[-9:], **version)
    for kind, (status, more) in zip(("thumbnail", "caption"), tasks, strict=True):
        _insert(tx, "tasks", image_id=image_id, kind=kind, status=status, **more)
    return image_id


def _insert(tx: Transaction, table: str, **columns: object) -> int:
    names, values = in_list("value", columns.values())
    return tx.insert(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({names})", **values)


def bystanders_in(database: Database) -> dict[str, list[Row]]:
    """Every column of the bystanders of each table."""
    return database.read(
        lambda tx: {
            table: sorted(tx.rows(f"SELECT * FROM {table} WHERE {which}"), key=repr)
            for table, which in _WHERE.items()
        }
    )


def empty(tx: Transaction, tables: Iterable[str]) -> None:
    """Delete all rows of these tables, and with them those that refer to them."""
    for table in tables:
        tx.execute(f"DELETE FROM {table}")


def empty_but_bystanders(tx: Transaction, tables: Iterable[str]) -> None:
    """Delete all rows but the bystanders: of these tables, and of those that may refer to a bystander."""
    for table in dict.fromkeys((*tables, *_WHERE, *_OF_BYSTANDERS)):
        which = f" WHERE ({_WHERE[table]}) IS NOT TRUE" if table in _WHERE else ""
        tx.execute(f"DELETE FROM {table}{which}")
