"""Rules of accounts that need no database, and ``imgcore user``."""

from __future__ import annotations

import io
import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NoReturn

import pyotp
import pytest

from imgcore import bootstrap, bootstrap_accounts
from imgcore.accounts.common_passwords import check as common_passwords
from imgcore.accounts.models import (
    OPEN,
    SHORTEST_PASSWORD,
    Caller,
    Scope,
    Visibility,
    check_new_password,
    clean_account_name,
)
from imgcore.accounts.passwords import Argon2Hasher
from imgcore.accounts.second_factor import generate_secret
from imgcore.accounts.tokens import network
from imgcore.cli import main as cli
from imgcore.config import Config, Secret
from imgcore.db.login_throttle import delay
from imgcore.errors import Invalid, Unavailable
from imgcore.gallery.models import Image, UploadStatus, Viewer
from imgcore.imaging import exif_tags
from imgcore.imaging.decode import decode
from tests import images as samples
from tests.images import exif
from tests.support.repositories import Repositories

PASSWORD = "a made-up password"


# Names and passwords


@pytest.mark.parametrize("name", ["Ada", "a", "ada.lovelace@example.org", "x" * 63, "0_+-"])
def test_clean_account_name_is_lower_case(name: str) -> None:
    assert name.lower() == clean_account_name(name)


@pytest.mark.parametrize("name", ["", " ada", "ada lovelace", "x" * 64, "-ada", "größe", "a\n", "a\0", "ａda"])
def test_clean_account_name_ambiguous_name_is_invalid(name: str) -> None:
    """ASCII only, without spaces."""
    with pytest.raises(Invalid):
        clean_account_name(name)


@pytest.mark.parametrize(
    "password", ["", "x" * 11, "x" * 257, "aaaaaaaaaaaa", "abababababab", "ada-lovelace", "\ud800" * 12]
)
def test_check_new_password_weak_password_is_invalid(password: str) -> None:
    """Too short, too long, too simple, the name itself, not text."""
    with pytest.raises(Invalid) as caught:
        check_new_password(password, "ada-lovelace")
    assert "password" == caught.value.code


@pytest.mark.parametrize("password", ["123qweasdzxc", "1Q2W3E4R5T6Y", "Mailcreated5240", "unbelievable"])
def test_check_new_password_common_password_is_invalid(password: str) -> None:
    with pytest.raises(Invalid, match="most common ones"):
        check_new_password(password, "ada")


@pytest.mark.parametrize(
    "password", ["four quiet herons fishing", "123qweasdzxc!", "x123qweasdzxc", "a\n123qweasdzxc\n"]
)
def test_check_new_password_that_contains_a_common_one_is_accepted(password: str) -> None:
    """Whole lines of the list are compared, not parts."""
    assert password == check_new_password(password, "ada")


def test_common_passwords_are_what_the_length_does_not_refuse() -> None:
    """Both rules together refuse the whole source: its shorter passwords are left out of the file."""
    listed = common_passwords._list().decode().splitlines()[1:]
    assert (True, len(listed)) == (len(listed) > 40_000, len(set(listed)))
    assert SHORTEST_PASSWORD == common_passwords.SHORTEST == min(map(len, listed))
    assert listed == [line.lower() for line in listed]


def test_list_of_common_passwords_states_its_licence() -> None:
    """The Mozilla Public License 2.0, 3.1: recipients learn the licence and where to get a copy."""
    notice = Path(common_passwords.__file__).with_name("NOTICE.txt").read_text()
    said = ("Source: ", "Mozilla Public License, v. 2.0", "https://mozilla.org/MPL/2.0/", "Made by: ")
    assert [] == [part for part in said if part not in notice]
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert '"imgcore/accounts/common_passwords/NOTICE*"' in project
    assert 'license = "MIT AND MPL-2.0' in project


def test_check_new_password_normalises_unicode() -> None:
    assert check_new_password("gr\u00fcne Wiese 7", "ada") == check_new_password("gru\u0308ne Wiese 7", "ada")


def test_hasher_verifies_and_does_the_same_work_without_a_hash() -> None:
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


def test_hasher_admits_few_sign_ins_of_unknown_browsers_at_once() -> None:
    """Known browsers and open sessions do not ask for admission; each that leaves makes room."""
    hasher = Argon2Hasher()
    with ExitStack() as admitted:
        for _ in range(4):
            admitted.enter_context(hasher.admitted())
        with pytest.raises(Unavailable) as caught, hasher.admitted():
            pass
        assert ("busy", False) == (caught.value.code, hasher.verify(None, PASSWORD))
    with hasher.admitted():
        pass


def test_hasher_too_many_at_once_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imgcore.accounts.passwords.TIMEOUT", 0.01)
    hasher = Argon2Hasher()
    with hasher._slot(), hasher._slot(), pytest.raises(Unavailable):
        hasher.hash(PASSWORD)


# Counting


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::FFFF:c000:207", "192.0.2.7"),
        ("::192.0.2.7", "::/64"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("", ""),
        ("nonsense", "nonsense"),
        ("no:address", "no:address"),
    ],
)
def test_network_of_ipv6_addresses_is_the_64(address: str, expected: str) -> None:
    assert expected == network(address)


def test_login_delay_doubles_up_to_the_longest() -> None:
    assert [0, 0, 15, 30, 60, 100, 100] == [delay(count, 3, 100.0) for count in range(1, 8)]
    assert 100.0 == delay(10**6, 3, 100.0)


# Whose eyes


def image(owner_id: int | None, status: UploadStatus = UploadStatus.RECEIVED) -> Image:
    """An image of that owner."""
    from datetime import UTC, datetime

    return Image(1, "x", "raw/x", "x", status, datetime.now(UTC), (), owner_id=owner_id)


def test_viewer_without_account_owns_nothing() -> None:
    """Images without an owner are not theirs either."""
    viewer = Viewer(None, sees_others=True, changes_others=False)
    assert (True, False) == (viewer.sees(image(None)), viewer.changes(image(None)))
    assert not viewer.sees(image(None, UploadStatus.AWAITING))


@pytest.mark.parametrize("visibility", list(Visibility))
def test_viewer_sees_what_the_visibility_permits(visibility: Visibility) -> None:
    """Everybody sees everything in open mode."""
    public = visibility is Visibility.PUBLIC
    assert Viewer(None, sees_others=public, changes_others=False) == Caller().viewer(visibility)
    assert Viewer() == OPEN.viewer(visibility)


# Where it was taken


def test_decode_reads_the_location_on_request() -> None:
    data = samples.encode(samples.corners(), exif=exif(gps=(48.0, 11.0)))
    found = [decode(data, max_side=64, with_location=wanted).facts.location for wanted in (False, True)]
    assert [None, (48.0, 11.0)] == found


@pytest.mark.parametrize("asked", ["0", "1"])
def test_bootstrap_decodes_with_location_if_it_is_kept(asked: str) -> None:
    """KEEP_LOCATION=1."""
    data = samples.encode(samples.corners(), exif=exif(gps=(48.0, 11.0)))
    found = bootstrap._decode(Config.read({"KEEP_LOCATION": asked}))(data, max_side=64)
    assert {"0": None, "1": (48.0, 11.0)}[asked] == found.facts.location


@pytest.mark.parametrize("gps", [(0.0, 0.0), (91.0, 11.0), (48.0, 181.0)])
def test_location_impossible_values_are_none(gps: tuple[float, float]) -> None:
    """Values of a receiver without satellites, and outside the range."""
    block = exif(gps=gps).removeprefix(b"Exif\0\0")
    assert exif_tags.location(block) is None


@pytest.mark.parametrize("cut", [0, 7, 9, 40, 80, 120])
def test_location_truncated_block_is_none(cut: int) -> None:
    assert exif_tags.location(exif(gps=(48.0, 11.0)).removeprefix(b"Exif\0\0")[:cut]) is None


@pytest.mark.parametrize("part", [b"N\0\0\0", b"\x88\x25", b"\0\x02\0\x05"])
def test_location_incomplete_block_is_none(part: bytes) -> None:
    """An unknown letter, no GPS directory, no degrees."""
    block = exif(gps=(48.0, 11.0)).removeprefix(b"Exif\0\0")
    assert (1, (48.0, 11.0)) == (block.count(part), exif_tags.location(block))
    assert exif_tags.location(block.replace(part, b"\x7f" + part[1:])) is None


# imgcore user …


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repositories: Repositories) -> None:
    """A migrated database in the settings, and a pipe for standard input."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/gallery.db")
    piped(monkeypatch, f"{PASSWORD}\nrest".encode())


def piped(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """Let standard input be a pipe with these bytes."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data), "utf-8"))


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[dict[str, Any]], str]:
    """Return the exit code, the output lines and standard error of the command."""
    code = cli.main(["user", *arguments])
    captured = capsys.readouterr()
    return code, [json.loads(line) for line in captured.out.splitlines()], captured.err


def people() -> Any:
    """The accounts of the database in the settings."""
    return bootstrap_accounts.account_service(Config.read())


def test_user_add_takes_the_password_from_a_pipe(settings: None, capsys: pytest.CaptureFixture[str]) -> None:
    """It is not printed."""
    code, [line], _ = run(capsys, "add", "Ada", "--administrator", "--password-stdin")
    assert (0, "ada", "administrator", False) == (code, line["name"], line["role"], "password" in line)
    stored = people().store.named("ada")[1]
    assert people().hasher.verify(stored, PASSWORD)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"caf\xe9 au lait 12345\n", "is not UTF-8"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"x" * 1_000_000, "is too long for a password"),
    ],
)
def test_user_password_from_a_pipe_of_other_bytes_is_refused_in_a_sentence(
    settings: None,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    data: bytes,
    message: str,
) -> None:
    run(capsys, "add", "ada", "--password-stdin")
    piped(monkeypatch, data)
    code, lines, said = run(capsys, "password", "ada", "--password-stdin")
    assert (1, [], 1) == (code, lines, len(said.splitlines()))
    assert message in said
    assert people().hasher.verify(people().store.named("ada")[1], PASSWORD)


def test_user_password_from_a_pipe_is_utf_8(
    settings: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The encoding does not depend on the locale; a line ends in either way."""
    piped(monkeypatch, "Häuser am Fjörd 7\r\n".encode())
    run(capsys, "add", "ada", "--password-stdin")
    assert people().hasher.verify(people().store.named("ada")[1], "Häuser am Fjörd 7")


def test_user_add_prints_a_generated_password(settings: None, capsys: pytest.CaptureFixture[str]) -> None:
    _, [made], _ = run(capsys, "add", "ada")
    _, [again], _ = run(capsys, "password", "ada")
    stored = people().store.named("ada")[1]
    assert [False, True] == [people().hasher.verify(stored, line["password"]) for line in (made, again)]


def test_user_reset_second_factor(settings: None, capsys: pytest.CaptureFixture[str]) -> None:
    """It is in the security log; another account keeps its own."""
    for name in ("ada", "zoe"):
        run(capsys, "add", name)
        account, secret = people().named(name), generate_secret()
        people().second_factors.enable(account, secret, pyotp.TOTP(secret).now())
    assert (0, "ada") == ((found := run(capsys, "reset-second-factor", "ADA"))[0], found[1][0]["name"])
    assert [False, True] == [people().second_factors.get(people().named(n)) is not None for n in ("ada", "zoe")]
    entry = people().log.page(name="ada")[0]
    assert ("second_factor_reset", "by imgcore user") == (entry.event, entry.detail)
    again = run(capsys, "reset-second-factor", "ada")
    assert (1, "imgcore: This account has no second factor.\n") == again[::2]


def test_user_add_prompts_twice_on_a_terminal(
    settings: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = iter([PASSWORD, "another one", PASSWORD, PASSWORD])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(said))
    code, lines, error = run(capsys, "add", "ada")
    assert (1, [], "imgcore: The two passwords are not the same.\n") == (code, lines, error)
    assert (0, "ada") == ((found := run(capsys, "add", "ada"))[0], found[1][0]["name"])


def test_user_list_and_delete(settings: None, capsys: pytest.CaptureFixture[str]) -> None:
    """Sorted by name; an unknown name is reported."""
    for name in ("zoe", "ada"):
        run(capsys, "add", name)
    assert ["ada", "zoe"] == [line["name"] for line in run(capsys, "list")[1]]
    assert (0, [{"deleted": "ada", "photographs": 0}]) == run(capsys, "delete", "ADA")[:2]
    assert (1, "imgcore: There is no account of that name.\n") == run(capsys, "delete", "ada")[::2]


def test_user_delete_that_fails_on_its_way_has_its_entry_and_goes_on(
    settings: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: object, **kwargs: object) -> NoReturn:
        raise Unavailable("The database cannot be reached just now.")

    run(capsys, "add", "ada")
    with monkeypatch.context() as patch:
        patch.setattr("imgcore.db.accounts.change_in_slices", away)
        assert run(capsys, "delete", "ada")[0] != 0
    entry = people().log.page(name="ada")[0]
    assert ("account_deleted", "by imgcore user") == (entry.event, entry.detail)
    assert 0 == run(capsys, "delete", "ada")[0]


def test_bootstrap_accounts_follow_the_settings(tmp_path: Path) -> None:
    """None in open mode."""
    url = f"sqlite:///{tmp_path}/x.db"
    assert bootstrap_accounts.accounts(Config.read({"DATABASE_URL": url})) is None
    assert bootstrap_accounts.accounts(Config.read({"DATABASE_URL": url, "ACCOUNTS": "on"})) is not None
    assert Secret(url) == Config.read({"DATABASE_URL": url}).database_url
    assert Scope.ADMIN in OPEN.scopes
