"""An application with all roles, and a valid request for each of its routes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from imgcore.collections.share_models import NewShare
from imgcore.gallery.models import Viewer
from tests.web.client import Answer, Client
from tests.web.peopling import HOME, PASSWORD, Site, site
from web.app import Application

SECRET = "what-nobody-else-may-know.jpg"
BODIES = {
    "/api/v1/uploads": {"name": "a.jpg", "type": "image/jpeg"},
    "/api/v1/uploads/<public_id>/parts": {"first": 1, "sha256": ["ab" * 32]},
    "/api/v1/images/<public_id>": {"caption": "Words"},
    "/api/v1/accounts": {"name": "newcomer", "password": PASSWORD},
    "/api/v1/activity/retry": {"kind": "caption", "reason": "made_up"},
    "/api/v1/jobs/retry": {"kind": "caption", "reason": "made_up"},
    "/api/v1/jobs/pause": {"kind": "caption", "reason": "made_up"},
    "/api/v1/jobs/resume": {"kind": "caption", "reason": "made_up"},
    "/api/v1/bulk": {"action": "trash", "ids": ["<photo>"]},
    "/api/v1/bulk/undo": {"undo": [{"action": "restore", "ids": ["<photo>"]}]},
    "/api/v1/download": {"ids": ["<photo>"]},
    "/api/v1/shares": {"ids": ["<photo>"]},
    "/api/v1/webhooks": {"url": "https://example.org/hook", "events": ["photo.described"]},
    "/api/v1/albums": {"name": "Album"},
    "/api/v1/albums/<public_id>": {"name": "Words"},
    "/api/v1/albums/<public_id>/images": {"ids": ["made-up"]},
    "/api/v1/albums/<public_id>/images/remove": {"ids": ["made-up"]},
    "/api/v1/albums/<public_id>/images/move": {"id": "made-up"},
    "/api/v1/albums/<public_id>/members/<name>": {"may": "view"},
}
FORMS = {
    "/images/<public_id>/edit": {"caption": "Words"},
    "/download": {"ids": "<photo>"},
    "/activity/retry": {"kind": "caption", "reason": "made_up"},
    "/admin/jobs/retry": {"kind": "caption", "reason": "made_up"},
    "/admin/jobs/pause": {"kind": "caption", "reason": "made_up"},
    "/admin/jobs/resume": {"kind": "caption", "reason": "made_up"},
    "/shared": {"ids": "<photo>"},
    "/webhooks": {"url": "https://example.org/hook", "photo.described": "yes"},
    "/albums": {"name": "Album"},
    "/albums/<public_id>/edit": {"name": "Words"},
    "/albums/<public_id>/move": {"photo": "made-up"},
    "/albums/<public_id>/members": {"name": "boss", "may": "view"},
    "/albums/<public_id>/members/remove": {"name": "stranger"},
    "/upload": {"type": "image/jpeg"},
    "/login": {"name": "newcomer", "password": "wrong"},
    "/setup": {"setup_token": "made-up", "name": "intruder", "password": PASSWORD},
    "/account/password": {"old": "wrong", "new": PASSWORD + "!", "again": PASSWORD + "!"},
    "/account/passkeys/options": {"password": PASSWORD},
    "/account/passkeys": {"password": PASSWORD, "label": "phone", "credential": "{}"},
    "/account/second-factor": {"code": "123456", "password": PASSWORD},
    "/account/second-factor/codes": {"password": PASSWORD},
    "/account/second-factor/remove": {"code": "123456", "password": PASSWORD},
    "/account/keys": {"label": "program", "scope_read": "yes", "password": PASSWORD},
    "/account/delete": {"password": "wrong"},
    "/account/notices": {"address": "newcomer@example.org"},
    "/accounts": {"name": "newcomer", "password": PASSWORD},
    "/accounts/<public_id>/password": {"password": PASSWORD},
    "/accounts/<public_id>/second-factor": {"password": PASSWORD},
    "/accounts/<public_id>/role": {"role": "person", "password": PASSWORD},
    "/accounts/<public_id>/quota": {"images": "5", "password": PASSWORD},
    "/accounts/<public_id>/delete": {"password": PASSWORD},
}


class Scene:
    """An application with all roles; each request gets an object of its own."""

    def __init__(self, folder: Path) -> None:
        self.site: Site = site(folder)
        self.app: Application = self.site.app()
        self.count = 0

    def ask(self, role: str, method: str, route: str) -> Answer:
        """The route, as that role, with whatever it wants."""
        self.count += 1
        client = self.client(role)
        path = route.replace("<name:path>", "icon.svg").replace("<month>", f"{datetime.now(UTC):%Y-%m}")
        if "<public_id>" in route:
            target, key_id = self.target(route)
            path = path.replace("<public_id>", target).replace("<key_id>", key_id)
            path = path.replace("<image_id>", key_id).replace("<name>", "boss")
        if "<token>" in route:
            _, token, image = self.share()
            path = path.replace("<token>", token).replace("<image_id>", image)
        if method == "POST" and not route.startswith("/api/"):
            page = "/upload" if role in ("other", "owner", "administrator") else "/login"
            return client.post(path, {"token": client.get(page).token, **self.named(FORMS.get(route, {}))})
        if method in ("POST", "PATCH", "PUT"):
            return client.send(method, path, self.named(BODIES.get(route, {})))
        return client.request(method, path)

    def client(self, role: str) -> Client:
        """Signed in, with a key of that scope, or nobody."""
        if role in ("read", "upload", "edit"):
            return self.site.program(self.app, "owner", role)
        if role == "admin":
            return self.site.program(self.app, "boss", role)
        known = {"anonymous": None, "administrator": "boss"}
        return self.site.browser(self.app, known.get(role, role))

    def target(self, route: str) -> tuple[str, str]:
        """The id of the owner's photo or album, or of a stranger's; and of the key, or the album's photo."""
        if "/albums/" in route:
            return self.album()
        if "/webhooks/" in route:
            return self.webhook(), ""
        if "/shared/" in route or "/shares/" in route:
            return self.share()[0], ""
        if any(f"/{kind}/" in route for kind in ("images", "photo", "uploads")):
            return self.site.upload("owner", SECRET).public_id, ""
        accounts = self.site.accounts
        stranger = accounts.add(f"stranger{self.count}", PASSWORD)
        accounts.start_session(stranger, HOME)
        accounts.create_key(stranger, "theirs", ["read"])
        [session], [key] = accounts.sessions(stranger), accounts.keys(stranger)
        if not route.startswith("/account/"):
            return stranger.public_id, key.public_id
        return session.public_id if "/sessions/" in route else key.public_id, ""

    def webhook(self) -> str:
        """A webhook of the owner's."""
        webhooks = self.site.gallery.webhooks
        owner = replace(webhooks, viewer=Viewer(self.site.people["owner"].id))
        for old in owner.all():
            owner.delete(old.public_id)
        return owner.create("https://example.org/hook", ["photo.failed"]).public_id

    def share(self) -> tuple[str, str, str]:
        """A link of the owner's to a photo that may be downloaded: its id, its token and the photo's id."""
        image = self.site.upload("owner", SECRET)
        self.site.gallery.images.change(image.public_id, display_key=f"display/{image.public_id}/1600.webp")
        owner = Viewer(self.site.people["owner"].id, sees_others=False, changes_others=False)
        new = NewShare(ids=(image.public_id,), download=True)
        share, token, _ = self.site.gallery.shares.for_viewer(owner).create(new)
        return share.public_id, token, image.public_id

    def album(self) -> tuple[str, str]:
        """An album of the owner's with one photo."""
        owner = self.site.people["owner"].id
        albums = self.site.gallery.albums.for_viewer(Viewer(owner, sees_others=False, changes_others=False))
        album, image = albums.create(SECRET), self.site.upload("owner", SECRET)
        albums.add(album.public_id, [image.public_id])
        return album.public_id, image.public_id

    def named(self, fields: dict[str, Any]) -> dict[str, Any]:
        """A name that nobody has had yet, or a photo of the owner's, where the route wants one."""
        text = json.dumps(fields).replace("newcomer", f"newcomer{self.count}")
        if "<photo>" in text:
            text = text.replace("<photo>", self.site.upload("owner").public_id)
        named: dict[str, Any] = json.loads(text)
        return named
