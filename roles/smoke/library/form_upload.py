#!/usr/bin/python
"""Posts a file with a form, byte for byte; ansible.builtin.uri encodes it as text, which S3 does not undo."""

from __future__ import annotations

import secrets
from pathlib import Path
from urllib.error import HTTPError

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.urls import open_url

DOCUMENTATION = r"""
module: form_upload
short_description: Posts a file with a form
description:
  - Sends the fields in their order and the file behind them, as a browser does and S3 asks for.
  - In check mode nothing is sent.
author: The Caption Gallery authors
options:
  url:
    description: Where to.
    type: str
    required: true
  fields:
    description: The form's other fields.
    type: dict
    default: {}
  src:
    description: The file.
    type: path
    required: true
  media_type:
    description: What it is.
    type: str
    required: true
  ca_path:
    description: Certificates that the address is trusted by.
    type: path
"""

EXAMPLES = r"""
- name: Upload a photograph
  form_upload:
    url: https://example.s3.amazonaws.com/
    fields: {key: raw/example.jpg}
    src: example.jpg
    media_type: image/jpeg
"""

RETURN = r"""
status:
  description: What was answered.
  type: int
  returned: success
"""


def body(fields: dict[str, str], name: str, media_type: str, data: bytes, boundary: str) -> bytes:
    """The form, its file last."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
        for field, value in fields.items()
    ]
    head = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: {media_type}'
    return b"".join(
        [*parts, f"--{boundary}\r\n{head}\r\n\r\n".encode(), data, f"\r\n--{boundary}--\r\n".encode()]
    )


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleModule(
        argument_spec={
            "url": {"type": "str", "required": True},
            "fields": {"type": "dict", "default": {}},
            "src": {"type": "path", "required": True},
            "media_type": {"type": "str", "required": True},
            "ca_path": {"type": "path"},
        },
        supports_check_mode=True,
    )
    if module.check_mode:
        module.exit_json(changed=True, status=0)
    asked, file, boundary = module.params, Path(module.params["src"]), secrets.token_hex(16)
    data = body(asked["fields"], file.name, asked["media_type"], file.read_bytes(), boundary)
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    try:
        answer = open_url(
            asked["url"], data=data, headers=headers, method="POST", timeout=60, ca_path=asked["ca_path"]
        )
    except HTTPError as error:
        module.fail_json(msg=f"It was refused with {error.code}: {error.read(2000).decode('utf-8', 'replace')}")
    except OSError as error:
        module.fail_json(msg=f"It could not be sent: {error}")
    module.exit_json(changed=True, status=answer.status)


if __name__ == "__main__":
    main()
