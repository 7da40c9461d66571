"""Filters and the words of a search as one query of the table ``words``."""

from __future__ import annotations

from dataclasses import replace

from imgcore.db.connection import Transaction
from imgcore.db.search_query import Query, Term, days_term, parse
from imgcore.db.search_words import facet
from imgcore.db.similar import similar
from imgcore.db.word_index import owner_word
from imgcore.gallery.filters import Filters
from imgcore.gallery.models import Viewer


def query_of(tx: Transaction, text: str | None, filters: Filters, viewer: Viewer) -> Query:
    """Return the query for both. It names the owner where the viewer sees their own photos only."""
    query = parse(text) if text else Query()
    if text and not query:
        return query  # nothing but signs: it finds nothing, whatever the filters
    values = {
        "placed": filters.month,
        "tag": filters.tag,
        "camera": filters.camera,
        "source": filters.source,
        "type": filters.media_type,
        "orientation": filters.orientation,
    }
    terms = [Term(frozenset({facet(name, value)})) for name, value in values.items() if value is not None]
    for name, days in (("taken", filters.taken), ("uploaded", filters.uploaded)):
        terms += [days_term(name, days)] if days else []
    if filters.owner is not None:
        terms.append(_owner(tx, filters.owner))
    album = None if filters.album is None else _album(tx, filters.album, viewer)
    ids = None if filters.similar is None else similar(tx, filters.similar, viewer)
    required = (*query.required, *terms)
    query = replace(query, required=required, status=filters.status, album=album, ids=ids)
    if query and not (viewer.changes_others or viewer.sees_others):
        own = Term(frozenset({owner_word(viewer.account_id)}))
        query = replace(query, required=(*query.required, own))
    return query


def _album(tx: Transaction, public_id: str, viewer: Viewer) -> int:
    """Return the number of an album that the viewer may see; else one that no album has."""
    row = tx.row(
        "SELECT a.id FROM albums a LEFT JOIN album_members m ON m.album_id = a.id AND m.account_id = :viewer_id"
        " WHERE a.public_id = :public_id AND (:all = 1 OR a.owner_id = :viewer_id OR m.account_id IS NOT NULL)",
        public_id=public_id,
        viewer_id=viewer.account_id,
        all=int(viewer.changes_others),
    )
    return int(row["id"]) if row else 0


def _owner(tx: Transaction, name: str) -> Term:
    """Return the term for the photos of an account; without such an account, one that finds nothing."""
    row = tx.row("SELECT id FROM accounts WHERE name = :name", name=name)
    return Term(frozenset({owner_word(row["id"])} if row else ()))
