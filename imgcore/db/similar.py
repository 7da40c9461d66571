"""Similar photos: those whose perceptual hashes differ in few bits.

A hash is stored with its four quarters. Two hashes that differ in at most DISTANCE = 7 bits have a quarter
that differs in at most one bit, by the pigeonhole principle, so 4 × 17 look-ups in indexes find every one,
however many photos there are ("multi-index hashing", Norouzi et al. 2012). Of a quarter that very many photos
of the owner have, as of screenshots of one program, the newest are compared, and the newest similar ones found.
The photos of others and those in the trash are left out before that second limit, or they would take the places
of the photos that are looked for.
"""

from __future__ import annotations

from imgcore.db.connection import Row, Transaction
from imgcore.db.statements import sql
from imgcore.gallery.models import Viewer

DISTANCE = 7  # bits of 64, at most
MOST_OF_A_BAND = 300  # similar photos by one quarter
_MOST_COMPARED = 5000  # photos compared for one value of a quarter

_BANDS, _BITS = 4, 16
_SIGN = 2**63  # the databases' integers are signed

# owner: its owner's id, 0 where nobody owns it
_STORE = (
    "INSERT INTO image_hashes (image_id, hash, owner, band_0, band_1, band_2, band_3)"
    " SELECT id, :hash, COALESCE(owner_id, 0), :band_0, :band_1, :band_2, :band_3 FROM images"
    " WHERE id = :image_id"
)
# A photo in the trash has similar ones too: an action on all that are like it goes on when it has been deleted
_HASH = (
    "SELECT i.id, h.owner, h.hash FROM images i LEFT JOIN image_hashes h ON h.image_id = i.id"
    " WHERE i.public_id = :public_id AND (:changes = 1 OR i.owner_id = :viewer_id"
    " OR (:sees = 1 AND i.listed_id IS NOT NULL))"
)
_OF_BAND = (
    "SELECT * FROM (SELECT h.image_id AS id, h.hash AS hash FROM image_hashes h"
    " WHERE h.{band} = :value_{n} AND h.owner = :owner ORDER BY h.image_id DESC LIMIT :compared) w{n}"
)
# The indexes hold the hashes, so the database compares them before it looks a photo up. The inner query looks
# each up by its key: as a join, MySQL may begin with all listed images. SQLite lacks a ^ b: (a | b) - (a & b).
_NEAR = (
    "SELECT id, hash FROM ({bands}) w_near WHERE BIT_COUNT((hash | :hash) - (hash & :hash)) <= :distance"
    " AND (SELECT i.listed_id FROM images i WHERE i.id = w_near.id) IS NOT NULL ORDER BY id DESC LIMIT :limit"
)


def store_hash(tx: Transaction, image_id: int, value: int) -> None:
    """Store the hash of an image, in place of an earlier one. The caller must have locked its row."""
    bands = {f"band_{number}": band for number, band in enumerate(_bands(value))}
    tx.execute("DELETE FROM image_hashes WHERE image_id = :image_id", image_id=image_id)
    tx.execute(_STORE, image_id=image_id, hash=value - 2 * _SIGN if value >= _SIGN else value, **bands)


def similar(tx: Transaction, public_id: str, viewer: Viewer) -> tuple[int, ...]:
    """Return the ids of the listed images of the same owner like this one, and its own, newest first.

    Empty where the viewer sees no such image, and has none in the trash.
    """
    rights = {"changes": int(viewer.changes_others), "sees": int(viewer.sees_others)}
    image = tx.row(_HASH, public_id=public_id, viewer_id=viewer.account_id, **rights)
    if image is None:
        return ()
    found = {image["id"]}
    # Of a hash that is unknown, of a plain picture, or of an earlier release, nothing is similar
    if image["hash"] and image["owner"] is not None:
        for number, band in enumerate(_bands(image["hash"])):
            found |= _near(tx, f"band_{number}", band, image)
    return tuple(sorted(found, reverse=True))


def _near(tx: Transaction, column: str, band: int, image: Row) -> set[int]:
    """Return the images of the same owner with a quarter within one bit of ``band`` and a hash close to it."""
    bands = [band, *(band ^ (1 << bit) for bit in range(_BITS))]
    branches = [sql(_OF_BAND, band=column, n=str(number)) for number in range(len(bands))]
    values = {f"value_{number}": each for number, each in enumerate(bands)}
    statement = sql(_NEAR, bands=" UNION ALL ".join(branches))
    rows = tx.tuples(
        statement,
        hash=image["hash"],
        distance=DISTANCE,
        limit=MOST_OF_A_BAND,
        compared=_MOST_COMPARED,
        owner=image["owner"],
        **values,
    )
    return {id_ for id_, other in rows if alike(image["hash"], other)}


def alike(value: int, other: int) -> bool:
    """Return whether two hashes differ in few bits: up to DISTANCE, of simple pictures in fewer.

    Of those, few frequencies are strong enough to set a bit: a quarter of the bits that either has may differ.
    """
    differing, either = ((bits % (2 * _SIGN)).bit_count() for bits in (value ^ other, value | other))
    return differing <= min(DISTANCE, max(1, either // 4))


def _bands(value: int) -> list[int]:
    return [value >> (_BITS * number) & (2**_BITS - 1) for number in range(_BANDS)]
