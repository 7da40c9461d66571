"""What visitors of a share link see: its photos, and nothing else of the gallery."""

from __future__ import annotations

import hashlib
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from bottle import HTTPResponse, response

from imgcore.accounts.security_log import SecurityEvent
from imgcore.collections.downloads import Contents, DownloadSize
from imgcore.collections.share_models import Share, ShareFiles
from imgcore.errors import Forbidden, ImgcoreError, NotFound
from web.handlers.downloads import archive_response, downloads_of, file_response
from web.handlers.forms import error_message, redirect, set_error_status
from web.handlers.lists import listed
from web.http.auth import client_address, record_event, requires
from web.http.cookies import is_https, read_cookie
from web.http.csrf import csrf_token, verified_form
from web.http.language import current_language
from web.http.responses import Route
from web.http.templates import TemplateRenderer
from web.limits import LIMITS
from web.share_texts import visitor_photo

if TYPE_CHECKING:
    from imgcore.collections.shares import Shares
    from imgcore.gallery.models import Image
    from imgcore.gallery.service import Gallery

_PROOF_SECONDS = 86_400  # until the password is needed again


class VisitorPages:
    """Handlers of /s/<token>. Nobody needs an account; the token is the permission."""

    def __init__(self, gallery: Gallery, renderer: TemplateRenderer) -> None:
        self._gallery = gallery
        self._renderer = renderer

    def routes(self) -> list[Route]:
        """(method, path, handler)."""
        return [
            ("GET", "/s/<token>", self.photos),
            ("POST", "/s/<token>", self.unlock),
            ("GET", "/s/<token>/all.zip", self.archive),
            ("GET", "/s/<token>/<image_id>", self.photo),
            ("GET", "/s/<token>/<image_id>/download", self.download),
        ]

    @requires(authenticate=False)
    def photos(self, token: str) -> str:
        """Show the photos of a link; its only photo at once; or the form for its password."""
        share = self._shares.open(token)
        if not self._unlocked(share):
            return self._locked()
        shown = listed(lambda cursor: self._shares.page(share, LIMITS.page_size, cursor))
        page, first = shown.page, shown.first
        if first:
            self._shares.count_visit(share)
        photos = [self._shown(image) for image in page.images]
        values = {"share": share, "link_path": f"/s/{token}", "following": page.next, "first": first}
        if len(photos) == 1 and first and page.next is None:
            return self._page("visitor_photo", image=photos[0], previous=None, alone=True, place="", **values)
        return self._page("visitor", tiles=photos, image=photos[0] if photos else None, **values)

    @requires(authenticate=False)
    def unlock(self, token: str) -> str | HTTPResponse:
        """Check the password of a link."""
        fields = verified_form()
        share = self._shares.open(token)
        if share.password is None:
            return redirect(f"/s/{token}")
        try:
            proof = self._shares.unlock(share, fields.get("password", ""), client_address())
        except ImgcoreError as error:
            if isinstance(error, Forbidden):
                record_event(SecurityEvent.SHARE_PASSWORD_FAILED, share.public_id)
            return self._locked(error)
        answer = redirect(f"/s/{token}")
        settings = {"path": f"/s/{token}", "httponly": True, "samesite": "lax", "secure": is_https()}
        answer.set_cookie(_cookie(share), proof, maxage=_PROOF_SECONDS, **settings)
        return answer

    @requires(authenticate=False)
    def photo(self, token: str, image_id: str) -> str:
        """Show one photo of a link."""
        share = self._opened(token)
        image, place, ids = self._shares.image(share, image_id)
        return self._page(
            "visitor_photo",
            share=share,
            image=self._shown(image),
            link_path=f"/s/{token}",
            place=f"{place + 1:,} of {len(ids):,}",
            previous=ids[place - 1] if place else None,
            following=ids[place + 1] if place + 1 < len(ids) else None,
            alone=len(ids) == 1,
        )

    @requires(authenticate=False)
    def download(self, token: str, image_id: str) -> HTTPResponse:
        """Return the file of one photo, or redirect to it, where the link allows that."""
        share = self._opened(token)
        image, _, _ = self._shares.image(share, image_id)
        if not share.download or image.display_key is None:
            raise NotFound("This photo cannot be downloaded.")
        storage, original = self._gallery.storage, f"photo{PurePath(image.image_key).suffix}"
        if share.files is ShareFiles.AS_UPLOADED:
            return _moved(
                storage.original_url(image.image_key, download_as=original, version_id=image.version_id)
            )
        if share.files is ShareFiles.ORIGINALS:
            file = downloads_of(self._gallery).stripped(image)
            if file is not None:
                return file_response(file, original, _NOINDEX)
        name = f"photo{PurePath(image.display_key).suffix}"
        return _moved(storage.url(image.display_key, download_as=name))

    @requires(authenticate=False)
    def archive(self, token: str) -> HTTPResponse:
        """Return an archive of all photos of a link, where the link allows that."""
        share = self._opened(token)
        if not share.download:
            raise NotFound("These photos cannot be downloaded.")
        size = DownloadSize.DISPLAY if share.files is ShareFiles.DISPLAY else DownloadSize.ORIGINAL
        as_uploaded = share.files is ShareFiles.AS_UPLOADED
        contents = Contents(self._shares.public_ids(share), size, metadata=as_uploaded)
        return archive_response(self._gallery, contents, share.name, _NOINDEX)

    @property
    def _shares(self) -> Shares:
        if self._gallery.shares is None:
            raise NotFound("This gallery has no share links.")
        return self._gallery.shares

    def _opened(self, token: str) -> Share:
        share = self._shares.open(token)
        if not self._unlocked(share):
            raise HTTPResponse(status=303, headers={"Location": f"/s/{token}", "Cache-Control": "no-store"})
        return share

    def _unlocked(self, share: Share) -> bool:
        return self._shares.is_unlocked(share, read_cookie(_cookie(share)))

    def _locked(self, error: ImgcoreError | None = None) -> str:
        set_error_status(error)
        return self._page("visitor_locked", token=csrf_token(), trouble=error_message(error))

    def _shown(self, image: Image) -> dict[str, Any]:
        gallery = self._gallery
        return visitor_photo(image, gallery.for_viewer(gallery.viewer, current_language(gallery.languages)))

    def _page(self, view: str, **values: Any) -> str:
        response.set_header("Cache-Control", "no-store")
        for name, value in _NOINDEX.items():
            response.set_header(name, value)
        return self._renderer.render(view, **values)


_NOINDEX = {"X-Robots-Tag": "noindex, nofollow, noarchive"}


def _moved(url: str) -> HTTPResponse:
    return HTTPResponse(status=303, headers={"Location": url, "Cache-Control": "no-store", **_NOINDEX})


def _cookie(share: Share) -> str:
    """Return the name of the cookie with the proof; it does not show the link's id."""
    return f"gallery_share_{hashlib.sha256(share.token_hash.encode()).hexdigest()[:16]}"
