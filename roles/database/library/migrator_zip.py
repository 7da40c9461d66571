#!/usr/bin/python
"""Packs the migrator: no module of Ansible makes the same zip of the same files, byte for byte."""

from __future__ import annotations

import importlib.util
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: migrator_zip
short_description: Packs files and pure Python packages for Lambda, reproducibly
description:
  - Writes a zip of the files, of the modules of a package's own folder, and of installed pure Python packages.
  - The same contents make the same bytes. In check mode nothing is written.
author: The Caption Gallery authors
options:
  path:
    description: The zip.
    type: path
    required: true
  files:
    description: Files that lie at the top, by the name that they get there.
    type: dict
    required: true
  source:
    description: A package whose own modules, not those of folders in it, go along.
    type: path
    required: true
  installed:
    description: Names of packages that this interpreter has, pure Python ones.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Pack a function
  migrator_zip:
    path: dist/migrator.zip
    files: {handler.py: files/handler.py}
    source: example
    installed: [pymysql]
"""

RETURN = r"""
size:
  description: Bytes of the zip.
  type: int
  returned: always
"""

EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip can tell


def contents(params: dict) -> Iterator[tuple[str, Path]]:
    """Each name in the zip and the file that it comes from."""
    for name, file in params["files"].items():
        yield name, Path(file)
    source = Path(params["source"])
    for file in source.glob("*.py"):
        yield f"{source.name}/{file.name}", file
    for package in params["installed"]:
        found = importlib.util.find_spec(package)
        if found is None or not found.submodule_search_locations:
            raise FileNotFoundError(f"The package {package} is not installed beside Ansible.")
        top = Path(found.submodule_search_locations[0])
        for file in top.rglob("*.py"):
            yield f"{package}/{file.relative_to(top).as_posix()}", file


def pack(params: dict) -> bytes:
    """The zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, file in sorted(contents(params)):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED, 9)
    return buffer.getvalue()


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "files": {"type": "dict", "required": True},
            "source": {"type": "path", "required": True},
            "installed": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    path = Path(module.params["path"])
    try:
        packed = pack(module.params)
        changed = not path.is_file() or path.read_bytes() != packed
        if changed and not module.check_mode:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(packed)
    except OSError as error:
        module.fail_json(msg=f"{path} cannot be packed: {error}")
    module.exit_json(changed=changed, size=len(packed))


if __name__ == "__main__":
    main()
