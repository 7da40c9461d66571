"""The cards of the gallery page as HTML, kept by the version of their image."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from web import serializers
from web.http.page_cache import CARDS_BYTES, Cache
from web.http.templates import TemplateRenderer

if TYPE_CHECKING:
    from imgcore.gallery.models import Image, PageVersions
    from imgcore.gallery.service import Gallery


@dataclass(frozen=True, slots=True)
class Card:
    """One card."""

    html: str

    @property
    def size(self) -> int:
        """Bytes, with those of the objects around the text."""
        return 500 + 2 * len(self.html)


class Cards:
    """Renders cards, and reads from the database only the images whose card is not kept."""

    def __init__(self, renderer: TemplateRenderer) -> None:
        self._renderer = renderer
        self._kept: Cache[Card] = Cache(CARDS_BYTES)

    def of_page(self, page: PageVersions, gallery: Gallery) -> Sequence[Card]:
        """Return the cards of a page, without those of images that were removed since."""
        viewer = gallery.viewer
        shared = (gallery.storage.period(), gallery.language, viewer.changes_others, viewer.account_id)
        found = {id_: self._kept.get((id_, version, shared)) for id_, version in page.versions}
        missing = [id_ for id_, card in found.items() if card is None]
        for image in gallery.tiles(missing):
            found[image.id] = self._render(image, gallery, shared)
        return [card for card in found.values() if card is not None]

    def _render(self, image: Image, gallery: Gallery, shared: Hashable) -> Card:
        card = Card(self._renderer.fragment("card", image=serializers.card_json(image, gallery)))
        return self._kept.put((image.id, image.version, shared), card)
