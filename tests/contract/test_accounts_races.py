"""What a reset of the password, a demotion or a revocation ends while it is being used, on both databases.

The interruption comes exactly between the verification and what is written after it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pyotp
import pytest

from imgcore.accounts.models import Account, Role
from imgcore.accounts.passkeys import RelyingParty
from imgcore.accounts.second_factor import generate_secret
from imgcore.accounts.service import Accounts, ClientInfo
from imgcore.db.accounts import AccountRepository
from imgcore.db.connection import Database
from imgcore.errors import Forbidden, Unauthorized
from tests.contract.account_tools import start, together
from tests.support.authenticator import Authenticator, add_passkey

OLD, NEW, LATER = "the former password", "the password of a reset", "the password of a thief"
CLIENT = ClientInfo("192.0.2.1", "tests")
PARTY = RelyingParty("localhost", "http://localhost:8000")
ROUNDS = 10
TABLES = (
    "SELECT name, role, password, quota_images FROM accounts ORDER BY id",
    "SELECT account_id, token FROM sessions ORDER BY id",
    "SELECT account_id, token FROM api_keys ORDER BY id",
    "SELECT account_id, credential FROM passkeys ORDER BY id",
    "SELECT account_id, token FROM pending_sign_ins ORDER BY token",
    "SELECT account_id, token FROM devices ORDER BY account_id, token",
    "SELECT account_id, secret FROM second_factors ORDER BY account_id",
    "SELECT account_id, code FROM recovery_codes ORDER BY account_id, code",
)


@dataclass
class PlainHasher:
    """Hashes nothing. verified: is called once, after a password was verified and before the answer."""

    verified: list[Callable[[], object]] = field(default_factory=list)
    is_outdated: bool = False

    def hash(self, password: str) -> str:
        return f"hash of {password}"

    def verify(self, stored: str | None, password: str) -> bool:
        right = stored is not None and stored.startswith(self.hash(password))
        if self.verified:
            self.verified.pop()()
        return right

    def admitted(self) -> AbstractContextManager[None]:
        return nullcontext()

    def outdated(self, stored: str) -> bool:
        return self.is_outdated


class PausingRepository(AccountRepository):
    """starting: is called once, before a session is started."""

    starting: Callable[[], object] | None = None

    def start_session(self, *args: Any, **values: Any) -> bool:
        interruption, self.starting = self.starting, None
        if interruption is not None:
            interruption()
        return super().start_session(*args, **values)


class Scene:
    """Three administrators and a person; ``ada`` and ``zoe`` have a second factor."""

    def __init__(self, database: Database) -> None:
        self.database, self.hasher = database, PlainHasher()
        self.store = PausingRepository(database)
        self.accounts = Accounts(self.store, self.hasher)
        self.secret, self.authenticator = generate_secret(), Authenticator()
        for name, role in (
            ("ada", Role.ADMINISTRATOR),
            ("eve", Role.ADMINISTRATOR),
            ("boss", Role.ADMINISTRATOR),
            ("zoe", Role.PERSON),
        ):
            self.accounts.add(name, OLD, role)
        self.ada, self.eve, self.zoe = (self.accounts.named(name) for name in ("ada", "eve", "zoe"))
        for account in (self.ada, self.zoe):
            self.store.add_second_factor(account, self.secret, -1, [f"code of {account.name}"])

    def code(self) -> str:
        return pyotp.TOTP(self.secret).now()

    def new_passkey(self) -> Callable[[Account], None]:
        challenge = self.accounts.passkeys.start_adding(self.eve, PARTY)
        response = self.authenticator.create(challenge.options, PARTY.origin)
        return lambda me: self.accounts.passkeys.add(me, PARTY, challenge.token, "phone", response)

    def confirmed(self, account: Account, action: Callable[[Account], object]) -> None:
        """Do what the forms do: confirm the password, then act."""
        self.accounts.confirm(account, OLD, CLIENT)
        action(account)

    def rows(self) -> list[list[dict[str, Any]]]:
        return [self.database.read(lambda tx, q=query: tx.rows(q)) for query in TABLES]

    def reset(self, name: str) -> None:
        self.accounts.reset_password(self.accounts.named(name), NEW)


@pytest.fixture
def scene(database: Database, bystanders: None) -> Scene:
    return Scene(database)


QUOTA = {"images": 1, "bytes_": None, "uploads": None}
OWN: dict[str, Callable[[Scene], Callable[[], object]]] = {  # of eve, or with a second factor, of ada
    "sign in": lambda s: lambda: s.accounts.sign_in("eve", OLD, CLIENT),
    "sign in before the code": lambda s: lambda: s.accounts.sign_in("ada", OLD, CLIENT),
    "change the password": lambda s: lambda: s.accounts.change_password(s.eve, OLD, LATER, CLIENT),
    "create a key": lambda s: (
        lambda: s.confirmed(s.eve, lambda me: s.accounts.create_key(me, "x", ["read"], days=365))
    ),
    "add a passkey": lambda s: (lambda add: lambda: s.confirmed(s.eve, add))(s.new_passkey()),
    "turn the second factor on": lambda s: (
        lambda: s.confirmed(s.eve, lambda me: s.accounts.second_factors.enable(me, s.secret, s.code()))
    ),
    "create recovery codes": lambda s: (
        lambda: s.confirmed(s.ada, s.accounts.second_factors.create_recovery_codes)
    ),
    "turn the second factor off": lambda s: (
        lambda: s.confirmed(s.ada, lambda me: s.accounts.second_factors.disable(me, s.code(), address=""))
    ),
    "delete the own account": lambda s: (
        lambda: s.confirmed(s.eve, lambda me: s.accounts.delete(me, lambda: None, by=me))
    ),
}
ADMINISTRATION: dict[str, Callable[[Scene], Callable[[Account], object]]] = {
    "add an account": lambda s: lambda me: s.accounts.add("thief", LATER, Role.ADMINISTRATOR, by=me),
    "reset a password": lambda s: lambda me: s.accounts.reset_password(s.zoe, LATER, by=me),
    "change a role": lambda s: lambda me: s.accounts.set_role(s.zoe, Role.ADMINISTRATOR, by=me),
    "demote an administrator": lambda s: lambda me: s.accounts.set_role(s.ada, Role.PERSON, by=me),
    "reset a second factor": lambda s: lambda me: s.accounts.second_factors.reset(s.zoe, by=me),
    "set a quota": lambda s: lambda me: s.store.set_quota(s.zoe.id, **QUOTA, by=me),
    "delete an account": lambda s: lambda me: s.accounts.delete(s.zoe, lambda: None, by=me),
}


@pytest.mark.parametrize("action", OWN)
def test_what_the_former_password_confirmed_is_refused_after_a_reset(scene: Scene, action: str) -> None:
    """The answer is that to a wrong password, and the reset is all that has changed."""
    act, states = OWN[action](scene), []

    def reset() -> None:
        for name in ("eve", "ada"):
            scene.reset(name)
        states.append(scene.rows())

    scene.hasher.verified.append(reset)
    with pytest.raises((Forbidden, Unauthorized)) as caught:
        act()
    expected = "sign_in" if "sign in" in action else "password"
    assert (expected, states) == (caught.value.code, [scene.rows()])
    assert [NEW] == [password for password in (OLD, LATER, NEW) if signs_in(scene, "eve", password)]


def signs_in(scene: Scene, name: str, password: str) -> bool:
    try:
        return bool(scene.accounts.sign_in(name, password, CLIENT).token)
    except Unauthorized:
        return False


@pytest.mark.parametrize("ended", ["reset", "demoted"])
@pytest.mark.parametrize("action", ADMINISTRATION)
def test_an_administrator_who_was_reset_or_demoted_meanwhile_changes_no_account(
    scene: Scene, action: str, ended: str
) -> None:
    act, states = ADMINISTRATION[action](scene), []

    def end() -> None:
        if ended == "reset":
            scene.reset("eve")
        else:
            scene.accounts.set_role(scene.eve, Role.PERSON)
        states.append(scene.rows())

    scene.hasher.verified.append(end)
    with pytest.raises(Forbidden) as caught:
        scene.confirmed(scene.eve, act)
    assert ("password", states) == (caught.value.code, [scene.rows()])


@pytest.mark.parametrize("action", ADMINISTRATION)
def test_an_administrator_changes_accounts_with_the_present_password(scene: Scene, action: str) -> None:
    before = scene.rows()
    scene.confirmed(scene.eve, ADMINISTRATION[action](scene))
    assert before != scene.rows()


@pytest.mark.parametrize("action", OWN)
def test_what_the_present_password_confirms_is_done(scene: Scene, action: str) -> None:
    before = scene.rows()
    OWN[action](scene)()
    assert before != scene.rows()


def test_a_refused_sign_in_is_logged_as_failed(scene: Scene) -> None:
    scene.hasher.verified.append(lambda: scene.reset("eve"))
    with pytest.raises(Unauthorized):
        scene.accounts.sign_in("eve", OLD, CLIENT)
    assert ["sign_in_failed"] == [entry.event for entry in scene.accounts.log.page(before=None, name="eve")]


def test_hash_of_the_former_password_does_not_replace_that_of_a_reset(scene: Scene) -> None:
    """The parameters of the hash are outdated, so that the sign-in computes another one."""
    scene.hasher.is_outdated = True
    scene.hasher.verified.append(lambda: scene.reset("eve"))
    with pytest.raises(Unauthorized):
        scene.accounts.sign_in("eve", OLD, CLIENT)
    assert [NEW] == [password for password in (OLD, NEW) if signs_in(scene, "eve", password)]


def test_session_of_a_changed_password_does_not_outlive_a_reset(scene: Scene) -> None:
    scene.store.starting = lambda: scene.reset("eve")
    with pytest.raises(Unauthorized):
        scene.accounts.change_password(scene.eve, OLD, LATER, CLIENT)
    assert [] == scene.accounts.sessions(scene.eve)


def test_browser_is_not_remembered_after_a_reset(scene: Scene) -> None:
    found = scene.accounts.sign_in("eve", OLD, CLIENT)
    scene.reset("eve")
    before = scene.rows()
    scene.accounts.remember_device(found.account, CLIENT)
    assert before == scene.rows()


REVOKE: dict[str, Callable[[Scene, Account], object]] = {
    "a reset": lambda s, account: s.reset(account.name),
    "a demotion": lambda s, account: s.accounts.set_role(account, Role.PERSON),
    "signing out everywhere": lambda s, account: s.accounts.end_sessions(account),
}


@pytest.mark.parametrize("revoke", REVOKE)
def test_code_starts_no_session_of_a_sign_in_that_was_ended(scene: Scene, revoke: str) -> None:
    token = scene.accounts.sign_in("ada", OLD, CLIENT).token
    scene.store.starting = lambda: REVOKE[revoke](scene, scene.ada)
    with pytest.raises(Unauthorized) as caught:
        scene.accounts.finish_sign_in(token, scene.code(), CLIENT)
    assert ("sign_in", []) == (caught.value.code, scene.accounts.sessions(scene.ada))


def test_code_starts_one_session(scene: Scene) -> None:
    token = scene.accounts.sign_in("ada", OLD, CLIENT).token
    found = scene.accounts.finish_sign_in(token, scene.code(), CLIENT)
    assert scene.accounts.authenticate_session(found.token) is not None
    with pytest.raises(Unauthorized):
        scene.accounts.finish_sign_in(token, "a code", CLIENT)


def remove_passkey(scene: Scene, account: Account) -> None:
    [passkey] = scene.accounts.passkeys.all(account)
    scene.accounts.passkeys.remove(account, passkey.public_id)


def sign_in_by_passkey(scene: Scene) -> str:
    add_passkey(scene.accounts, scene.eve, PARTY, scene.authenticator)
    challenge = scene.accounts.passkeys.start_sign_in(PARTY, address=CLIENT.address)
    response = scene.authenticator.sign(challenge.options, PARTY.origin)
    return scene.accounts.sign_in_by_passkey(PARTY, challenge.token, response, CLIENT).token


@pytest.mark.parametrize("revoke", [*REVOKE, "removing the passkey"])
def test_passkey_that_was_revoked_meanwhile_starts_no_session(scene: Scene, revoke: str) -> None:
    scene.store.starting = lambda: REVOKE.get(revoke, remove_passkey)(scene, scene.eve)
    with pytest.raises(Unauthorized) as caught:
        sign_in_by_passkey(scene)
    assert ("passkey", []) == (caught.value.code, scene.accounts.sessions(scene.eve))


def test_passkey_that_a_new_password_keeps_starts_a_session(scene: Scene) -> None:
    scene.store.starting = lambda: scene.store.set_password(scene.eve.id, "hash", keep_keys=True)
    assert scene.accounts.authenticate_session(sign_in_by_passkey(scene)) is not None


def test_session_and_reset_at_the_same_moment_leave_no_session(scene: Scene) -> None:
    """Whichever the database takes first, the other one waits for it."""
    for number in range(ROUNDS):
        account = scene.accounts.add(f"person{number}", OLD)
        works: list[object] = [
            partial(start, scene.store, account, account.name),
            partial(scene.store.set_password, account.id, "hash"),
        ]
        assert [] == together(works)
        assert [] == scene.accounts.sessions(account)
