"""Attacks on accounts, credentials and requests: each returns whether it succeeded, and what was seen."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from urllib.parse import parse_qs, urlsplit

from tests import images
from tests.drills.audit_client import PASSWORD, QUOTA_UPLOADS, Audited, Client

SETUP_REQUESTS = 20
CHEAP_SECONDS = 0.02  # of a processor for a refused request; a password hash takes more
SOCKETS = 1200
COMMON_PASSWORD = "password1234"
ORIGINAL_SECONDS = 600  # for which a link to an original may be valid


def setup_hashes(gallery: Audited) -> tuple[bool, str]:
    """2. Send set-up forms with a wrong token: each must be refused before a hash is computed."""
    fields = {"setup_token": "wrong", "name": "eve", "password": PASSWORD}
    stranger = Client(gallery.port)
    stranger.post("/login", "/setup", **fields)
    begin = gallery.cpu
    statuses = {stranger.post("/login", "/setup", **fields).status for _ in range(SETUP_REQUESTS)}
    pages = gallery.cpu
    for _ in range(SETUP_REQUESTS):
        stranger.request("GET", "/login")
    each = (pages - begin - (gallery.cpu - pages)) / SETUP_REQUESTS
    return each > CHEAP_SECONDS, f"{each * 1000:.0f} ms of a processor each, status {_listed(statuses)}"


def key_outlives_password(gallery: Audited) -> tuple[bool, str]:
    """3. Use a key after its owner has changed the password."""
    stolen, new = gallery.key, f"{PASSWORD} again"
    gallery.owner.post("/account", "/account/password", old=gallery.password, new=new, again=new)
    gallery.password = new
    status = gallery.api("GET", "/images", key=stolen).status
    gallery.key = gallery.new_key("read", "upload", "edit", password=new)
    return status == 200, f"the key is answered with {status}"


def key_without_password(gallery: Audited) -> tuple[bool, str]:
    """3. Create a key in a session without the password."""
    made = gallery.new_key("read")
    return bool(made), "a key is shown" if made else "no key is created"


def key_creates_administrator(gallery: Audited) -> tuple[bool, str]:
    """3. Create another administrator with a key."""
    key = gallery.new_key("read", "admin", password=gallery.password)
    made = {"name": "mallory", "password": "six loud magpies singing", "role": "administrator"}
    status = gallery.api("POST", "/accounts", made, key).status
    return status == 201, f"status {status}"


def origin_that_is_no_address(gallery: Audited) -> tuple[bool, str]:
    """4. Send an Origin that no URL parser accepts."""
    headers = {"Origin": "http://[", "Content-Type": "application/x-www-form-urlencoded"}
    answers = [
        Client(gallery.port).request("POST", path, b"", headers) for path in ("/login", "/api/v1/uploads")
    ]
    statuses = {answer.status for answer in answers}
    return bool(statuses & {0, 500}), f"status {_listed(statuses)}"


def endless_forms(gallery: Audited) -> tuple[bool, str]:
    """8. Open more upload forms than an account may."""
    name, key = _second_account(gallery)
    opened = 0
    for number in range(QUOTA_UPLOADS + 10):
        try:
            gallery.form(f"{number}.jpg", 1000, key)
        except RuntimeError as error:
            return False, f"{opened} forms for {name}, then {str(error)[:45]}"
        opened += 1
    return True, f"{opened} forms for {name}"


def _second_account(gallery: Audited) -> tuple[str, str]:
    """Create an ordinary account; return its name and an API key of it."""
    made = gallery.owner.post("/accounts", "/accounts", name="ada", password=gallery.password).secret
    password = made or gallery.password
    ada = Client(gallery.port)
    ada.sign_in("ada", password)
    fields = {"label": "audit", "scope_read": "yes", "scope_upload": "yes", "password": password}
    return "ada", ada.post("/account", "/account/keys", **fields).secret


def unseen_guesses(gallery: Audited) -> tuple[bool, str]:
    """9. Guess a password: does an administrator see it?"""
    Client(gallery.port, "127.0.0.3").sign_in("boss", "a guess of a stranger")
    answer = gallery.owner.request("GET", "/security-log")
    shown = answer.status == 200 and "127.0.0.3" in answer.text
    return not shown, f"/security-log {answer.status}, {'shows' if shown else 'does not show'} the address"


def common_password(gallery: Audited) -> tuple[bool, str]:
    """10. Choose a common password."""
    change = {"old": gallery.password, "new": COMMON_PASSWORD, "again": COMMON_PASSWORD}
    status = gallery.owner.post("/account", "/account/password", **change).status
    if status == 303:
        gallery.password = COMMON_PASSWORD
        gallery.key = gallery.new_key("read", "upload", "edit", password=COMMON_PASSWORD)
    return status == 303, f"{COMMON_PASSWORD}: status {status}"


def no_second_factor(gallery: Audited) -> tuple[bool, str]:
    """10. Sign in with the password alone, because no second factor can be turned on."""
    status = gallery.owner.request("GET", "/account/second-factor").status
    return status == 404, f"/account/second-factor {status}"


def lockout(gallery: Audited) -> tuple[bool, str]:
    """11. Guess often at one address; then the owner signs in at another one."""
    stranger = Client(gallery.port, "127.0.0.2")
    guesses = {stranger.sign_in("boss", f"guess number {number}").status for number in range(12)}
    status = Client(gallery.port, "127.0.0.4").sign_in("boss", gallery.password).status
    return status != 303, f"guesses {_listed(guesses)}, then the owner {status}"


def address_of_another(gallery: Audited) -> tuple[bool, str]:
    """12. Ask whether an e-mail address is another account's."""
    gallery.owner.post("/account", "/account/notices", address="boss@example.org")
    ada = Client(gallery.port)
    made = gallery.owner.post("/accounts", "/accounts", name="eve", password=gallery.password).secret
    ada.sign_in("eve", made or gallery.password)
    free = ada.post("/account", "/account/notices", address="free@example.org").status
    taken = ada.post("/account", "/account/notices", address="boss@example.org").status
    return free != taken, f"free {free}, another's {taken}"


def malformed_length(gallery: Audited) -> tuple[bool, str]:
    """12. Send a Content-Length of 5,000 digits."""
    with socket.create_connection(("127.0.0.1", gallery.port), 10) as connection:
        length = b"9" * 5000
        connection.sendall(
            b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + length + b"\r\n\r\n"
        )
        try:
            answer = connection.recv(100)
        except OSError:
            answer = b""
    found = re.match(rb"HTTP/1.1 (\d+)", answer)
    return found is None, f"status {found[1].decode()}" if found else "no answer"


def idle_sockets(gallery: Audited) -> tuple[bool, str]:
    """12. Open idle connections; then somebody else opens a page."""
    with ExitStack() as stack:
        for _ in range(SOCKETS):
            idle = socket.socket()
            stack.enter_context(idle)
            idle.setblocking(False)
            idle.connect_ex(("127.0.0.1", gallery.port))
        time.sleep(1)
        begin = time.monotonic()
        answer = Client(gallery.port).request("GET", "/login")
    took = time.monotonic() - begin
    return answer.status != 200, f"{answer.status or answer.reason} after {took:.1f} s"


def long_links(gallery: Audited) -> tuple[bool, str]:
    """12. Keep the link to an original."""
    public_id = gallery.upload("link.jpg", images.jpeg(320, 240))
    query = parse_qs(urlsplit(gallery.image(public_id)["original_url"]).query)
    seconds = int(query["X-Amz-Expires"][0])
    return seconds > ORIGINAL_SECONDS, f"valid for {seconds} s"


def _listed(statuses: set[int]) -> str:
    return ", ".join(map(str, sorted(statuses)))


ATTACKS: dict[str, Callable[[Audited], tuple[bool, str]]] = {
    "2. Set-up forms with a wrong token": setup_hashes,
    "3. A key after the password was changed": key_outlives_password,
    "3. A new key without the password": key_without_password,
    "3. An administrator made with a key": key_creates_administrator,
    "4. `Origin: http://[`": origin_that_is_no_address,
    "8. Upload forms without end": endless_forms,
    "9. Guesses that nobody sees": unseen_guesses,
    "10. A common password": common_password,
    "10. A password without a second factor": no_second_factor,
    "11. A stranger locks the owner out": lockout,
    "12. Whose e-mail address is it?": address_of_another,
    "12. A malformed Content-Length": malformed_length,
    "12. 1,200 idle connections": idle_sockets,
    "12. A link to an original lives long": long_links,
}
