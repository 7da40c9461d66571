"""The command ``imgcore user``. Access to the database is its only authorisation."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO

from imgcore import bootstrap_accounts
from imgcore.accounts.models import Account, Role, generate_password
from imgcore.accounts.security_log import SecurityEvent
from imgcore.config import Config
from imgcore.errors import Invalid

if TYPE_CHECKING:
    from imgcore.accounts.service import Accounts

MOST_BYTES = 4096  # of a line with a password: more than the accounts accept

Emit = Callable[[dict[str, Any]], None]


def add_to(parser: argparse.ArgumentParser, emit: Emit) -> None:
    """Add the subcommands of ``user`` to ``parser``; each sets ``run``. emit: prints an object."""
    commands = parser.add_subparsers(required=True, metavar="ACTION")

    def command(
        name: str, run: Callable[[Accounts, argparse.Namespace], dict[str, Any]], help_text: str
    ) -> argparse.ArgumentParser:
        found = commands.add_parser(name, help=help_text, description=help_text)
        found.add_argument("name", metavar="NAME")

        def act(parsed: argparse.Namespace) -> int:
            emit(run(bootstrap_accounts.account_service(Config.read()), parsed))
            return 0

        found.set_defaults(run=act)
        return found

    add = command("add", _add, "Create an account; without a terminal its password is generated.")
    add.add_argument("--administrator", action="store_true", help="may view everything and create accounts")
    password = command("password", _password, "Set another password and sign out everywhere.")
    for parser_ in (add, password):
        parser_.add_argument(
            "--password-stdin",
            action="store_true",
            help="take the first line of standard input",
        )
    command("reset-second-factor", _reset_second_factor, "Remove the second factor of an account.")
    command("delete", _delete, "Delete an account with its sessions, keys and images.")

    listed = commands.add_parser("list", help="List the accounts.", description="List the accounts.")

    def run_list(_: argparse.Namespace) -> int:
        for account, images in bootstrap_accounts.account_service(Config.read()).all():
            emit(_shown(account) | {"photographs": images})
        return 0

    listed.set_defaults(run=run_list)


def _add(accounts: Accounts, parsed: argparse.Namespace) -> dict[str, Any]:
    password, generated = _chosen(parsed)
    role = Role.ADMINISTRATOR if parsed.administrator else Role.PERSON
    account = accounts.add(parsed.name, password, role)
    _record(accounts, SecurityEvent.ACCOUNT_CREATED, account, role)
    return _shown(account) | generated


def _password(accounts: Accounts, parsed: argparse.Namespace) -> dict[str, Any]:
    account = accounts.named(parsed.name)
    password, generated = _chosen(parsed)
    accounts.reset_password(account, password)
    _record(accounts, SecurityEvent.PASSWORD_RESET, account)
    return _shown(account) | generated


def _reset_second_factor(accounts: Accounts, parsed: argparse.Namespace) -> dict[str, Any]:
    account = accounts.named(parsed.name)
    accounts.second_factors.reset(account)
    _record(accounts, SecurityEvent.SECOND_FACTOR_RESET, account)
    return _shown(account)


def _delete(accounts: Accounts, parsed: argparse.Namespace) -> dict[str, Any]:
    account = accounts.named(parsed.name)
    images = accounts.delete(account, lambda: _record(accounts, SecurityEvent.ACCOUNT_DELETED, account))
    return {"deleted": account.name, "photographs": images}


def _record(accounts: Accounts, event: SecurityEvent, account: Account, detail: str = "") -> None:
    detail = ", ".join(part for part in (detail, "by imgcore user") if part)
    accounts.log.record(event, address="", subject=account.name, detail=detail)


def _chosen(parsed: argparse.Namespace) -> tuple[str, dict[str, str]]:
    """Return the password, and the field to print where it was generated."""
    if parsed.password_stdin:
        return _first_line(sys.stdin.buffer), {}
    if not sys.stdin.isatty():
        generated = generate_password()
        return generated, {"password": generated}
    password = getpass.getpass(f"Password of {parsed.name}: ")
    if password != getpass.getpass("Once more: "):
        raise Invalid("The two passwords are not the same.", code="password")
    return password, {}


def _first_line(stream: BinaryIO) -> str:
    """Return the first line without its end, read as UTF-8 whatever the locale is."""
    line = stream.readline(MOST_BYTES + 1)
    if len(line) > MOST_BYTES:
        raise Invalid("The first line of standard input is too long for a password.", code="password")
    try:
        return line.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise Invalid("The password on standard input is not UTF-8.", code="password") from None


def _shown(account: Account) -> dict[str, Any]:
    return {"id": account.public_id, "name": account.name, "role": account.role}
