"""A warm interpreter for Ansible's modules: each runs in a fork of a process that has imported AWS's SDK.

A module on AWS spends a second importing and a tenth of one asking. ``warm()`` starts that process and gives
the path of an interpreter, for ``ansible_python_interpreter``, that hands over what it is to run::

    with warm() as interpreter:
        subprocess.run([…, "-e", json.dumps({"ansible_python_interpreter": str(interpreter)})])
"""

from __future__ import annotations

import array
import functools
import gc
import importlib.machinery
import inspect
import json
import os
import random
import runpy
import select
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

SERVICES = (
    *("autoscaling", "cloudfront", "cloudwatch", "ec2", "elbv2", "events", "iam", "lambda", "logs"),
    *("rds", "s3", "secretsmanager", "sns", "sqs", "ssm", "sts", "wafv2"),
)
# What their modules import, beside what these import
AMAZON = "ansible_collections.amazon.aws.plugins.module_utils"
IMPORTED = (
    *("_strptime", "encodings.cp437", "ansible.module_utils.common.network", "ansible.module_utils.urls"),
    "ansible.module_utils._internal._ansiballz._loader",
    *(f"ansible.module_utils._internal._json._profiles._module_legacy_{way}" for way in ("c2m", "m2c")),
    *(f"{AMAZON}.{name}" for name in ("cloudfront_facts", "ec2", "elbv2", "iam", "modules", "rds", "s3")),
    "ansible_collections.community.aws.plugins.module_utils.modules",
)
CONSTRAINTS = Path(__file__).parents[1] / "support/request_constraints.py"
# What stands for the interpreter: its arguments, folder, environment and streams go to the warm process.
CLIENT = """\
import array, json, os, socket, sys
{request}
os._exit(request({address!r}, sys.argv, dict(os.environ), (0, 1, 2)))
"""


def request(address: str, argv: list[str], environ: dict[str, str], streams: tuple[int, int, int]) -> int:
    """Let the warm process at this socket run a program with these streams; return the exit code."""
    link = socket.socket(socket.AF_UNIX)
    link.connect(address)
    asked = json.dumps([argv, os.getcwd(), environ, os.getpgid(0)]).encode()  # noqa: PTH109 - a client without pathlib runs this
    passed = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", streams))
    link.sendmsg([len(asked).to_bytes(4, "big")], [passed])
    link.sendall(asked)
    answer = link.recv(1)
    link.close()
    return answer[0] if answer else 137


@contextmanager
def warm() -> Iterator[Path]:
    """Start it; the interpreter's path. It ends with the block, or with its parent process."""
    from tests.support.programs import write_python_program  # not in the warm process, which has no path to it

    with tempfile.TemporaryDirectory(prefix="warm-") as folder:
        client, address = Path(folder, "python"), str(Path(folder, "socket"))
        source = inspect.getsource(request)
        write_python_program(client, CLIENT.format(address=address, request=source))
        command = [sys.executable, "-P", __file__, address]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
            assert server.stdout is not None
            assert server.stdout.readline() == b"warm\n"
            yield client
            server.communicate()


def serve(address: str) -> None:
    """Fork for each that calls, until standard input ends."""
    preload()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(64)
        print("warm", flush=True)
        while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
            link, _ = listener.accept()
            with link:
                if os.fork() == 0:
                    listener.close()
                    answer(link)
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass


def preload() -> None:
    """Import what modules of AWS import, read the descriptions of the services once, wait for nothing."""
    import boto3
    import botocore.session
    from botocore.client import BaseClient, ClientCreator
    from botocore.exceptions import DataNotFoundError, UnknownServiceError
    from botocore.loaders import JSONFileLoader, Loader

    for name in IMPORTED:
        importlib.import_module(name)
    read = functools.cache(functools.partial(JSONFileLoader.load_file, JSONFileLoader()))
    JSONFileLoader.load_file = lambda self, path: read(path)
    known = functools.cache(functools.partial(Loader.list_available_services, Loader()))
    Loader.list_available_services = lambda self, type_name: known(type_name)  # it lists 400 folders
    create, classes = ClientCreator._create_client_class, {}
    load, models = ClientCreator._load_service_model, {}

    def service_model(self: Any, service_name: str, api_version: str | None = None) -> Any:
        if service_name not in models:
            models[service_name] = load(self, service_name, api_version)
        return models[service_name]

    ClientCreator._load_service_model = service_model

    def client_class(self: Any, service_name: str, service_model: Any) -> Any:
        if service_name not in classes:
            classes[service_name] = create(self, service_name, service_model)
        return classes[service_name]

    ClientCreator._create_client_class = client_class  # EC2's has 800 methods
    session = boto3.session.Session(
        aws_access_key_id="none", aws_secret_access_key="none", region_name="us-east-1"
    )
    for service in SERVICES:
        client = session.client(service)
        client.meta.service_model.shape_for_error_code("")  # it looks at all shapes at the first error
        for kind in ("paginators-1", "waiters-2"):
            with suppress(DataNotFoundError, UnknownServiceError):  # not every service has both
                session._loader.load_service_model(service, kind)
    # A session registers handlers for 10 ms and reads its settings later: a module's first one is ready
    prepared, new_session = [botocore.session.Session()], botocore.session.get_session
    botocore.session.get_session = lambda env_vars=None: (
        prepared.pop() if prepared and env_vars is None else new_session(env_vars)
    )
    check_requests(BaseClient)
    sys.meta_path.append(Payload)
    sleep = time.sleep
    time.sleep = lambda seconds: sleep(min(seconds, 0.05))  # the stand-in is ready as soon as it answers
    gc.freeze()


def check_requests(client: Any) -> None:
    """Let a module fail at a request that AWS would refuse, and note each call in a file.

    AWS_API_CALLS names the file; AWS_API_UNCHECKED the operations whose requests are none for AWS. The failure
    is no ClientError, because some modules ignore those.
    """
    constraints = runpy.run_path(str(CONSTRAINTS))
    constraints["documented"]()  # reads the file
    violations = constraints["violations"]
    call = client._make_api_call

    def checked(self: Any, operation: str, parameters: dict[str, Any]) -> Any:
        model = self.meta.service_model.operation_model(operation)
        unchecked = os.environ.get("AWS_API_UNCHECKED", "").split()
        problems = [] if operation in unchecked else violations(model, parameters)
        with Path(os.environ.get("AWS_API_CALLS", os.devnull)).open("a", encoding="utf-8") as calls:
            line = {"service": model.service_model.service_name, "operation": operation, "problems": problems}
            calls.write(json.dumps(line) + "\n")
        assert not problems, "; ".join(problems)
        return call(self, operation, parameters)

    client._make_api_call = checked


class Payload:
    """Finds what only a module's own zip has, such as the modules of roles, in packages imported already."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: ModuleType | None = None) -> Any:
        """Implement the loader protocol of ``importlib``."""
        folder = "/".join(name.split(".")[:-1])
        zips = [f"{entry}/{folder}" for entry in sys.path if entry.endswith("_payload.zip")]
        return importlib.machinery.PathFinder.find_spec(name, zips)


def answer(link: socket.socket) -> None:
    """Be the interpreter for one caller, then end."""
    head, control, _, _ = link.recvmsg(4, socket.CMSG_SPACE(12))
    asked = b""
    while len(asked) < int.from_bytes(head, "big"):
        asked += link.recv(1 << 16)
    argv, folder, environ, group = json.loads(asked)
    with suppress(OSError):
        os.setpgid(0, group)  # it dies with its caller's group
    for number, stream in enumerate(array.array("i", control[0][2])):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    random.seed()
    code = run(argv)
    with suppress(OSError):
        link.sendall(bytes([code]))
    os._exit(code)


def run(argv: list[str]) -> int:
    """Run the program that is named, or that comes by standard input; its exit code."""
    sys.argv = argv[1:] or [""]
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, closefd=False)  # noqa: SIM115 - until the process ends
        for number, mode in enumerate("rww")
    )
    try:
        source = Path(argv[1]).read_text() if argv[1:] else sys.stdin.read()
        main = sys.modules["__main__"] = ModuleType("__main__")
        exec(compile(source, sys.argv[0] or "<stdin>", "exec"), main.__dict__)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except Exception:  # noqa: BLE001 - as an interpreter does
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    serve(sys.argv[1])
