"""``imgcore user …``: accounts from a shell, where whoever has the database is an administrator anyway."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from imgcore import bootstrap
from imgcore.accounts.models import Account, Role
from imgcore.accounts.service import generate_password
from imgcore.config import Config
from imgcore.errors import Invalid

if TYPE_CHECKING:
    from imgcore.accounts.service import Accounts

Emit = Callable[[dict[str, Any]], None]


def add_to(parser: argparse.ArgumentParser, emit: Emit) -> None:
    """The commands below ``user``; each sets ``run``. emit: takes an object for standard output."""
    commands = parser.add_subparsers(required=True, metavar="ACTION")

    def command(
        name: str, run: Callable[[Accounts, argparse.Namespace], dict[str, Any]], help_text: str
    ) -> argparse.ArgumentParser:
        found = commands.add_parser(name, help=help_text, description=help_text)
        found.add_argument("name", metavar="NAME")

        def act(parsed: argparse.Namespace) -> int:
            emit(run(bootstrap.account_service(Config.read()), parsed))
            return 0

        found.set_defaults(run=act)
        return found

    add = command("add", _add, "Make an account; the password is asked for, or made up in a pipe.")
    add.add_argument("--administrator", action="store_true", help="who sees everything and makes accounts")
    password = command("password", _password, "Set another password and sign out everywhere.")
    for parser_ in (add, password):
        parser_.add_argument("--password-stdin", action="store_true", help="its first line, instead of asking")
    command("delete", _delete, "Delete an account, its sessions and keys, and its photographs.")

    listed = commands.add_parser("list", help="Say who there is.", description="Say who there is.")

    def run_list(_: argparse.Namespace) -> int:
        for account, photographs in bootstrap.account_service(Config.read()).all():
            emit(_shown(account) | {"photographs": photographs})
        return 0

    listed.set_defaults(run=run_list)


def _add(accounts: Accounts, parsed: argparse.Namespace) -> dict[str, Any]:
    password, made_up = _chosen(parsed)
    role = Role.ADMINISTRATOR if parsed.administrator else Role.PERSON
    return _shown(accounts.add(parsed.name, password, role)) | made_up


def _password(accounts: Accounts, parsed: argparse.Namespace) -> dict[str, Any]:
    account = accounts.named(parsed.name)
    password, made_up = _chosen(parsed)
    accounts.reset_password(account, password)
    return _shown(account) | made_up


def _delete(accounts: Accounts, parsed: argparse.Namespace) -> dict[str, Any]:
    account = accounts.named(parsed.name)
    return {"deleted": account.name, "photographs": accounts.delete(account)}


def _chosen(parsed: argparse.Namespace) -> tuple[str, dict[str, str]]:
    """The password, and it again to be printed where nobody has chosen it."""
    if parsed.password_stdin:
        return sys.stdin.readline().rstrip("\r\n"), {}
    if not sys.stdin.isatty():
        made_up = generate_password()
        return made_up, {"password": made_up}
    password = getpass.getpass(f"Password of {parsed.name}: ")
    if password != getpass.getpass("Once more: "):
        raise Invalid("The two are not the same.", code="password")
    return password, {}


def _shown(account: Account) -> dict[str, Any]:
    return {"id": account.public_id, "name": account.name, "role": account.role}
