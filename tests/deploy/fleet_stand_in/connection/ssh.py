"""A builder that is not there: in the place of Ansible's SSH it notes each module that it is sent.

The file that BUILDER names says what it does: ``log`` (where it notes), ``release`` (what its web process
says of itself), and ``fails`` or ``lost``: the number of the module from which on all fail, or nobody
answers. It runs none of them.
"""

from __future__ import annotations

import ast
import json
import os
import re
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = """
name: ssh
short_description: A builder that is not there
description: Notes what it is sent.
author: The Caption Gallery authors
extends_documentation_fragment: [connection_pipelining]
"""


class Connection(ConnectionBase):
    """One task's way to the builder."""

    transport = "ssh"
    has_pipelining = True

    def _connect(self) -> Connection:
        self._connected = True
        return self

    def exec_command(
        self, cmd: str, in_data: bytes | None = None, sudoable: bool = True
    ) -> tuple[int, bytes, bytes]:
        """Note the module; its answer."""
        script = json.loads(Path(os.environ["BUILDER"]).read_text())
        log = Path(script["log"])
        noted = log.read_text().splitlines() if log.exists() else []
        if len(noted) >= script.get("lost", float("inf")):
            raise AnsibleConnectionFailure("Connection timed out")
        if not in_data:  # a folder for files that never come
            folder = re.search(r"ansible-tmp-[\w.-]+", cmd)
            return 0, f"{folder[0]}=/nowhere/{folder[0]}\n".encode() if folder else b"", b""
        module, arguments = sent(in_data)
        log.write_text("\n".join([*noted, json.dumps([module, arguments])]))
        answer = {"changed": True, "rc": 0, "stdout": "", "stderr": "", "ping": "pong"}
        if module == "uri":
            answer = {"changed": False, "status": 200, "x_release": script["release"]}
        if len(noted) >= script.get("fails", float("inf")):
            answer = {"failed": True, "rc": 1, "msg": f"{module} fails by script"}
        return answer.get("rc", 0), json.dumps(answer).encode(), b""

    def put_file(self, in_path: str, out_path: str) -> None:
        """Raise an error: only modules are transferred."""
        raise AnsibleConnectionFailure(f"{in_path} was to become {out_path}")

    def fetch_file(self, in_path: str, out_path: str) -> None:
        """Raise an error: nothing is fetched."""
        raise AnsibleConnectionFailure(f"{in_path} was to become {out_path}")

    def reset(self) -> None:
        """There is nothing to begin anew."""

    def close(self) -> None:
        """There is nothing to end."""
        self._connected = False


def sent(in_data: bytes) -> tuple[str, dict[str, Any]]:
    """Return the name and the arguments of a module that was sent through the pipe."""
    text = in_data.decode(errors="replace")
    name = re.search(r"^module_fqn='[\w.]*?(\w+)',$", text, re.MULTILINE)
    params = re.search(r"^params=(.*),$", text, re.MULTILINE)
    if name is None or params is None:
        raise AnsibleConnectionFailure("Only modules that come down the pipe are understood here")
    arguments = json.loads(ast.literal_eval(params[1]))["ANSIBLE_MODULE_ARGS"]
    return name[1], {key: value for key, value in arguments.items() if not key.startswith("_ansible")}
