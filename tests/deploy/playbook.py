"""``ansible-playbook``, with what it packs and compiles kept for the next run: ``playbook.py FOLDER …``.

Ansible packs every module anew in each run, which is half of the time that it takes. A folder is good for one
version of Ansible and one state of the roles. It also forks for each task, which is half of the rest, and
compiles a template anew whenever a task uses it.
"""

from __future__ import annotations

import atexit
import marshal
import os
import re
import runpy
import shlex
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")


def main() -> None:
    """Be ``ansible-playbook``."""
    from ansible import constants
    from ansible.cli import playbook

    if "AWS_SLOW_SEED" in os.environ:  # the emulator counts calls, not seconds
        sleep = time.sleep
        time.sleep = lambda seconds: sleep(min(seconds, 0.05))
    constants.DEFAULT_INTERNAL_POLL_INTERVAL = 0.001  # for a result that another thread reads from a pipe
    kept, interpreter = Path(sys.argv.pop(1)), Path(sys.argv.pop(1))
    run_modules_directly(interpreter)
    run_tasks_without_forks()
    kept.mkdir(parents=True, exist_ok=True)
    keep_compiled_templates(kept / "templates")
    Path(constants.DEFAULT_LOCAL_TMP, "ansiballz_cache").symlink_to(kept)
    playbook.main()


def run_modules_directly(interpreter: Path) -> None:
    """Let Ansible's workers call the warm process themselves, without a shell and a client for each module."""
    from ansible.plugins.connection.local import Connection

    request: Callable[..., int] = runpy.run_path(str(Path(__file__).with_name("warm.py")))["request"]
    execute, address = Connection.exec_command, str(interpreter.with_name("socket"))

    def directly(self: Any, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> Any:
        environ = environment(cmd, interpreter)
        if environ is None or not in_data or self.become:
            return execute(self, cmd, in_data=in_data, sudoable=sudoable)
        with (
            tempfile.TemporaryFile() as given,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
        ):
            given.write(in_data)
            given.flush()
            given.seek(0)
            streams = (given.fileno(), out.fileno(), err.fileno())
            code = request(address, [str(interpreter)], {**os.environ, **environ}, streams)
            out.seek(0)
            err.seek(0)
            return code, out.read(), err.read()

    Connection.exec_command = directly


def run_tasks_without_forks() -> None:
    """Run each task in this process: a fork for each costs more than most tasks."""
    from ansible._internal._task import TaskContext
    from ansible.executor.process import worker
    from ansible.executor.task_executor import TaskExecutor
    from ansible.executor.task_result import _RawTaskResult

    def start(self: Any) -> None:
        worker.current_worker = self
        original, variables = self._task, dict(self._task_vars)
        task = original.copy(exclude_parent=True, exclude_tasks=True)  # running it replaces its templates
        task._parent = original._parent
        further = (self._loader, self._shared_loader_obj, self._final_q, self._variable_manager)
        with TaskContext(task):
            result = TaskExecutor(self._host, task, variables, self._play_context.copy(), *further).run()
        fields = task.dump_attrs()
        self._final_q.send_task_result(
            _RawTaskResult(host=self._host, task=task, return_data=result, task_fields=fields)
        )

    worker.WorkerProcess.start = start
    worker.WorkerProcess.is_alive = lambda self: False


def keep_compiled_templates(file: Path) -> None:
    """Compile each template and each expression once, for this run and the next ones."""
    from ansible._internal._templating import _jinja_bits as bits
    from jinja2.environment import Environment, TemplateExpression

    codes: dict[tuple[Any, ...], Any] = marshal.loads(file.read_bytes()) if file.exists() else {}
    known, expressions = len(codes), []
    compiled, expression = Environment.compile, Environment.compile_expression

    def key(self: Any, source: str) -> tuple[Any, ...]:
        context = bits._TemplateCompileContext.current(optional=True)
        options = [getattr(self, name) for name in bits._TEMPLATE_OVERRIDE_FIELD_NAMES]
        return str.__str__(source), context is not None and context.escape_backslashes, *options

    def compile_once(self: Any, source: Any, *names: Any, **how: Any) -> Any:
        if names or how or not (expressions or isinstance(source, str)):
            return compiled(self, source, *names, **how)
        name = expressions[-1] if expressions else key(self, source)
        if name not in codes:
            codes[name] = compiled(self, source)
        return codes[name]

    def compile_expression_once(self: Any, source: str, undefined_to_none: bool = True) -> Any:
        name = ("expression", *key(self, source))
        if name in codes:
            template = self.template_class.from_code(self, codes[name], self.make_globals(None), None)
            return TemplateExpression(template, undefined_to_none)
        expressions.append(name)
        try:
            return expression(self, source, undefined_to_none)
        finally:
            expressions.pop()

    def store() -> None:
        if len(codes) > known:
            new = file.with_name(f"templates.{os.getpid()}")
            new.write_bytes(marshal.dumps(codes))
            new.replace(file)

    Environment.compile, Environment.compile_expression = compile_once, compile_expression_once
    atexit.register(store)


def environment(command: str, interpreter: Path) -> dict[str, str] | None:
    """Return the variables that a command sets for this interpreter; None for any other command.

    Ansible's is ``/bin/sh -c 'NAME=value … INTERPRETER && sleep 0'``.
    """
    words = shlex.split(command)
    if words[:2] != ["/bin/sh", "-c"] or len(words) != 3:
        return None
    words = shlex.split(words[2])
    count = next((at for at, word in enumerate(words) if not ASSIGNMENT.match(word)), len(words))
    if words[count:] != [str(interpreter), "&&", "sleep", "0"]:
        return None
    pairs = (word.partition("=") for word in words[:count])
    return {name: value for name, _, value in pairs}


if __name__ == "__main__":
    main()
