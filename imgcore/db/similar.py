"""Similar photos: those whose perceptual hashes differ in few bits.

A hash is stored with its four quarters. Two hashes that differ in at most DISTANCE = 7 bits have a quarter
that differs in at most one bit, by the pigeonhole principle, so 4 × 17 look-ups in indexes find every one,
however many photos there are ("multi-index hashing", Norouzi et al. 2012). Of a quarter that very many photos
have, as of screenshots of one program, the newest are compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from imgcore.db.connection import Transaction
from imgcore.db.mapping import in_list
from imgcore.db.statements import sql
from imgcore.gallery.models import Viewer

DISTANCE = 7  # bits of 64
MOST_OF_A_BAND = 300  # photos compared for one value of a quarter

_BANDS, _BITS = 4, 16
_AT_ONCE = 1000  # images whose owner is compared by one statement
_SIGN = 2**63  # the databases' integers are signed

_STORE = (
    "INSERT INTO image_hashes (image_id, hash, band_0, band_1, band_2, band_3)"
    " VALUES (:image_id, :hash, :band_0, :band_1, :band_2, :band_3)"
)
_HASH = (
    "SELECT i.id, i.owner_id, h.hash FROM images i LEFT JOIN image_hashes h ON h.image_id = i.id"
    " WHERE i.public_id = :public_id AND i.listed_id IS NOT NULL"
    " AND (:everybodys = 1 OR i.owner_id = :viewer_id)"
)
_OF_BAND = (
    "SELECT * FROM (SELECT image_id AS id, hash FROM image_hashes WHERE {band} = :value_{n}"
    " ORDER BY image_id DESC LIMIT :limit) w{n}"
)


def store_hash(tx: Transaction, image_id: int, value: int) -> None:
    """Store the hash of an image, in place of an earlier one. The caller must have locked its row."""
    bands = {f"band_{number}": band for number, band in enumerate(_bands(value))}
    tx.execute("DELETE FROM image_hashes WHERE image_id = :image_id", image_id=image_id)
    tx.execute(_STORE, image_id=image_id, hash=value - 2 * _SIGN if value >= _SIGN else value, **bands)


def similar(tx: Transaction, public_id: str, viewer: Viewer) -> tuple[int, ...]:
    """Return the ids of the images of the same owner like this one, itself among them, newest first.

    Empty where the viewer sees no such image.
    """
    everybodys = int(viewer.changes_others or viewer.sees_others)
    image = tx.row(_HASH, public_id=public_id, viewer_id=viewer.account_id, everybodys=everybodys)
    if image is None:
        return ()
    found = {image["id"]}
    if image["hash"]:  # neither unknown nor plain
        for number, band in enumerate(_bands(image["hash"])):
            found |= _near(tx, f"band_{number}", band, image["hash"])
    return tuple(sorted(_owned(tx, sorted(found), image["owner_id"]), reverse=True))


def _owned(tx: Transaction, ids: Sequence[int], owner_id: int | None) -> Iterator[int]:
    """Yield those of the images that the account owns; None for those of nobody."""
    owner = "owner_id IS NULL" if owner_id is None else "owner_id = :owner_id"
    value = {} if owner_id is None else {"owner_id": owner_id}
    for first in range(0, len(ids), _AT_ONCE):
        names, values = in_list("id", ids[first : first + _AT_ONCE])
        statement = sql("SELECT id FROM images WHERE id IN ({names}) AND {owner}", names=names, owner=owner)
        yield from (row[0] for row in tx.tuples(statement, **values, **value))


def _near(tx: Transaction, column: str, band: int, value: int) -> set[int]:
    """Return the images with a quarter within one bit of ``band`` whose hash is close to ``value``."""
    bands = [band, *(band ^ (1 << bit) for bit in range(_BITS))]
    branches = [sql(_OF_BAND, band=column, n=str(number)) for number in range(len(bands))]
    values = {f"value_{number}": each for number, each in enumerate(bands)}
    rows = tx.tuples(" UNION ALL ".join(branches), limit=MOST_OF_A_BAND, **values)
    return {id_ for id_, other in rows if ((other ^ value) % (2 * _SIGN)).bit_count() <= DISTANCE}


def _bands(value: int) -> list[int]:
    return [value >> (_BITS * number) & (2**_BITS - 1) for number in range(_BANDS)]
