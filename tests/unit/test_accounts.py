"""Accounts where no database plays a part: names, passwords, networks, rates; and the command line."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from imgcore import bootstrap
from imgcore.accounts.models import OPEN, Caller, Scope, Visibility, check_new_password, clean_account_name
from imgcore.accounts.passwords import Argon2Hasher
from imgcore.accounts.service import network
from imgcore.cli import main as cli
from imgcore.config import Config, Secret
from imgcore.db.login_throttle import delay
from imgcore.errors import Invalid, Unavailable
from imgcore.gallery.models import Image, UploadStatus, Viewer
from imgcore.imaging import metadata
from imgcore.imaging.decode import decode
from tests import images as samples
from tests.images import exif
from tests.support.repositories import Repositories
from web.http.rate_limit import RateLimiter

PASSWORD = "a made-up password"


# Names and passwords


@pytest.mark.parametrize("name", ["Ada", "a", "ada.lovelace@example.org", "x" * 63, "0_+-"])
def test_a_name_is_kept_in_small_letters(name: str) -> None:
    """Signing in knows no difference."""
    assert name.lower() == clean_account_name(name)


@pytest.mark.parametrize("name", ["", " ada", "ada lovelace", "x" * 64, "-ada", "größe", "a\n", "a\0", "ａda"])
def test_a_name_that_could_be_taken_for_another_is_refused(name: str) -> None:
    """ASCII alone, without blanks."""
    with pytest.raises(Invalid):
        clean_account_name(name)


@pytest.mark.parametrize(
    "password", ["", "x" * 11, "x" * 257, "aaaaaaaaaaaa", "abababababab", "ada-lovelace", "\ud800" * 12]
)
def test_a_password_that_is_no_good_is_refused(password: str) -> None:
    """Too short, too long, too plain, the name itself, no text."""
    with pytest.raises(Invalid) as caught:
        check_new_password(password, "ada-lovelace")
    assert "password" == caught.value.code


def test_one_password_written_in_two_ways_is_one() -> None:
    """With a letter of its own for ü, or with u and two dots."""
    assert check_new_password("gr\u00fcne Wiese 7", "ada") == check_new_password("gru\u0308ne Wiese 7", "ada")


def test_a_password_is_known_again_and_a_missing_one_is_work_too() -> None:
    """Argon2id with a salt of its own; nobody's hash is computed all the same, and is False."""
    hasher = Argon2Hasher()
    stored = hasher.hash(PASSWORD)
    assert [True, False, False, False] == [
        hasher.verify(stored, PASSWORD),
        hasher.verify(stored, PASSWORD + "!"),
        hasher.verify(None, PASSWORD),
        hasher.verify("no hash", PASSWORD),
    ]
    assert (True, False) == (stored != hasher.hash(PASSWORD), hasher.outdated(stored))
    assert hasher.outdated("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$aaaaaaaaaaaaaaaaaaaaaa")


def test_too_many_at_once_are_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of taking the memory of everybody."""
    monkeypatch.setattr("imgcore.accounts.passwords.TIMEOUT", 0.01)
    hasher = Argon2Hasher()
    with hasher._slot(), hasher._slot(), pytest.raises(Unavailable):
        hasher.hash(PASSWORD)


# Counting


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("", ""),
        ("nonsense", "nonsense"),
    ],
)
def test_an_ipv6_customer_is_one(address: str, expected: str) -> None:
    """Whichever of the many addresses they take."""
    assert expected == network(address)


def test_waits_double_up_to_the_longest() -> None:
    """Nothing while tries are free."""
    assert [0, 0, 15, 30, 60, 100, 100] == [delay(count, 3, 100.0) for count in range(1, 8)]
    assert 100.0 == delay(10**6, 3, 100.0)


def test_a_minute_of_requests_begins_with_the_first() -> None:
    """And anew when it is over; each name for itself."""
    now = [0.0]
    rates = RateLimiter(2, clock=lambda: now[0])
    first = [rates.hit("a") for _ in range(3)]
    assert [(True, 1, 60), (True, 0, 60), (False, 0, 60)] == [(s.allowed, s.remaining, s.reset) for s in first]
    assert rates.hit("b").allowed
    now[0] = 59.5
    assert (False, 1) == ((spent := rates.hit("a")).allowed, spent.reset)
    now[0] = 60.0
    assert rates.hit("a").allowed


def test_a_crowd_does_not_grow_the_table_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has asked more than a minute ago is forgotten; a crowd within a minute is, too."""
    monkeypatch.setattr("web.http.rate_limit.MAX_CALLERS", 10)
    now = [0.0]
    rates = RateLimiter(2, clock=lambda: now[0])
    for number in range(100):
        now[0] += 7
        rates.hit(str(number))
    assert len(rates._counts) <= 10
    for number in range(100):
        rates.hit(str(number))
    assert len(rates._counts) <= 10


# Whose eyes


def image(owner_id: int | None, status: UploadStatus = UploadStatus.RECEIVED) -> Image:
    """A photograph of theirs."""
    from datetime import UTC, datetime

    return Image(1, "x", "raw/x", "x", status, datetime.now(UTC), (), owner_id=owner_id)


def test_a_viewer_without_an_account_owns_nothing() -> None:
    """Not even what belongs to nobody."""
    viewer = Viewer(None, sees_others=True, changes_others=False)
    assert (True, False) == (viewer.sees(image(None)), viewer.changes(image(None)))
    assert not viewer.sees(image(None, UploadStatus.AWAITING))


@pytest.mark.parametrize("visibility", list(Visibility))
def test_nobody_sees_more_than_the_gallery_shows(visibility: Visibility) -> None:
    """And in open mode everybody everything."""
    public = visibility is Visibility.PUBLIC
    assert Viewer(None, sees_others=public, changes_others=False) == Caller().viewer(visibility)
    assert Viewer() == OPEN.viewer(visibility)


# Where it was taken


def test_where_it_was_taken_is_read_if_asked_for() -> None:
    """And not otherwise."""
    data = samples.encode(samples.corners(), exif=exif(gps=(48.0, 11.0)))
    found = [decode(data, max_side=64, with_location=wanted).facts.location for wanted in (False, True)]
    assert [None, (48.0, 11.0)] == found


@pytest.mark.parametrize("asked", ["0", "1"])
def test_the_pipeline_asks_for_it_where_it_is_kept(asked: str) -> None:
    """KEEP_LOCATION."""
    data = samples.encode(samples.corners(), exif=exif(gps=(48.0, 11.0)))
    found = bootstrap._decode(Config.read({"KEEP_LOCATION": asked}))(data, max_side=64)
    assert {"0": None, "1": (48.0, 11.0)}[asked] == found.facts.location


@pytest.mark.parametrize("gps", [(0.0, 0.0), (91.0, 11.0), (48.0, 181.0)])
def test_a_place_that_is_none_is_none(gps: tuple[float, float]) -> None:
    """What a receiver without satellites writes, and what is not on the earth."""
    block = exif(gps=gps).removeprefix(b"Exif\0\0")
    assert metadata.location(block) is None


@pytest.mark.parametrize("cut", [0, 7, 9, 40, 80, 120])
def test_a_place_cut_off_is_none(cut: int) -> None:
    """No error either."""
    assert metadata.location(exif(gps=(48.0, 11.0)).removeprefix(b"Exif\0\0")[:cut]) is None


@pytest.mark.parametrize("part", [b"N\0\0\0", b"\x88\x25", b"\0\x02\0\x05"])
def test_a_place_that_lacks_a_part_is_none(part: bytes) -> None:
    """No letter that is known, no directory of places, no degrees."""
    block = exif(gps=(48.0, 11.0)).removeprefix(b"Exif\0\0")
    assert (1, (48.0, 11.0)) == (block.count(part), metadata.location(block))
    assert metadata.location(block.replace(part, b"\x7f" + part[1:])) is None


# imgcore user …


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repositories: Repositories) -> None:
    """A migrated database that the settings name, and a pipe for standard input."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/gallery.db")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\nrest"))


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[dict[str, Any]], str]:
    """The command's code, its lines and what it said beside them."""
    code = cli.main(["user", *arguments])
    captured = capsys.readouterr()
    return code, [json.loads(line) for line in captured.out.splitlines()], captured.err


def people() -> Any:
    """The accounts that the settings name."""
    return bootstrap.account_service(Config.read())


def test_an_account_is_made_with_a_password_from_a_pipe(
    settings: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its first line, and nothing of it is printed."""
    code, [line], _ = run(capsys, "add", "Ada", "--administrator", "--password-stdin")
    assert (0, "ada", "administrator", False) == (code, line["name"], line["role"], "password" in line)
    stored = people().store.named("ada")[1]
    assert people().hasher.verify(stored, PASSWORD)


def test_a_password_that_nobody_chose_is_printed_once(
    settings: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Made up; the same for a new one."""
    _, [made], _ = run(capsys, "add", "ada")
    _, [again], _ = run(capsys, "password", "ada")
    stored = people().store.named("ada")[1]
    assert [False, True] == [people().hasher.verify(stored, line["password"]) for line in (made, again)]


def test_a_person_at_a_terminal_is_asked_twice(
    settings: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And told where the two differ."""
    said = iter([PASSWORD, "another one", PASSWORD, PASSWORD])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(said))
    code, lines, error = run(capsys, "add", "ada")
    assert (1, [], "imgcore: The two passwords are not the same.\n") == (code, lines, error)
    assert (0, "ada") == ((found := run(capsys, "add", "ada"))[0], found[1][0]["name"])


def test_accounts_are_listed_and_deleted(settings: None, capsys: pytest.CaptureFixture[str]) -> None:
    """By name; an unknown one is said."""
    for name in ("zoe", "ada"):
        run(capsys, "add", name)
    assert ["ada", "zoe"] == [line["name"] for line in run(capsys, "list")[1]]
    assert (0, [{"deleted": "ada", "photographs": 0}]) == run(capsys, "delete", "ADA")[:2]
    assert (1, "imgcore: There is no account of that name.\n") == run(capsys, "delete", "ada")[::2]


def test_the_accounts_of_a_gallery_are_those_of_its_settings(tmp_path: Path) -> None:
    """None in open mode."""
    url = f"sqlite:///{tmp_path}/x.db"
    assert bootstrap.accounts(Config.read({"DATABASE_URL": url})) is None
    assert bootstrap.accounts(Config.read({"DATABASE_URL": url, "ACCOUNTS": "on"})) is not None
    assert Secret(url) == Config.read({"DATABASE_URL": url}).database_url
    assert Scope.ADMIN in OPEN.scopes
