"""Compile a folder for the interpreter that runs this; started by archive.py with the function's Python.

``python bytecode.py FOLDER``: each FOLDER/x.py gets a __pycache__/x.cpython-NNN.pyc that is never checked
against its source (PEP 552), because a zip stores no usable timestamps. The code names the path where AWS
Lambda unpacks it, so that tracebacks there name real files and contain no folder of the builder.
"""

import py_compile
import sys
from pathlib import Path

TASK_ROOT = "/var/task"


def compile_folder(root: Path) -> None:
    """Compile every source below ``root``. py_compile.PyCompileError where one is not for this Python."""
    for source in sorted(root.rglob("*.py")):
        py_compile.compile(
            str(source),
            dfile=f"{TASK_ROOT}/{source.relative_to(root).as_posix()}",
            doraise=True,
            optimize=0,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )


if __name__ == "__main__":
    compile_folder(Path(sys.argv[1]))
