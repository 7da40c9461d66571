#!/usr/bin/python
"""Send a file in a multipart form, as S3's presigned POST requires.

ansible.builtin.uri with body_format form-multipart (ansible-core 2.19 to 2.21) cannot. It sorts the fields by
name, so "file" comes before "key" and "policy", and S3 ignores every field after the file. It also encodes the
file as base64 or, with multipart_encoding 7or8bit, replaces its line breaks, but S3 stores what it receives.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from urllib.error import HTTPError

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.urls import open_url

DOCUMENTATION = r"""
module: form_upload
short_description: Send a file in a multipart form
description:
  - Sends the fields in the given order and the file after them, unchanged, as a browser does.
  - In check mode nothing is sent.
author: The Caption Gallery authors
options:
  url:
    description: URL to send the form to.
    type: str
    required: true
  fields:
    description: Fields of the form before the file.
    type: dict
    default: {}
  src:
    description: Path of the file.
    type: path
    required: true
  media_type:
    description: Media type of the file.
    type: str
    required: true
  ca_path:
    description: CA certificates to verify the server with.
    type: path
"""

EXAMPLES = r"""
- name: Upload a photo
  form_upload:
    url: https://example.s3.amazonaws.com/
    fields: {key: raw/example.jpg}
    src: example.jpg
    media_type: image/jpeg
"""

RETURN = r"""
status:
  description: Status code of the response.
  type: int
  returned: success
"""


def body(fields: dict[str, str], name: str, media_type: str, data: bytes, boundary: str) -> bytes:
    """Return the body of the form, with the file as the last part."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
        for field, value in fields.items()
    ]
    head = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: {media_type}'
    return b"".join(
        [*parts, f"--{boundary}\r\n{head}\r\n\r\n".encode(), data, f"\r\n--{boundary}--\r\n".encode()]
    )


def main() -> None:
    """Run the module."""
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
    params, file, boundary = module.params, Path(module.params["src"]), secrets.token_hex(16)
    data = body(params["fields"], file.name, params["media_type"], file.read_bytes(), boundary)
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    try:
        response = open_url(
            params["url"], data=data, headers=headers, method="POST", timeout=60, ca_path=params["ca_path"]
        )
    except HTTPError as error:
        module.fail_json(
            msg=f"The server returned status {error.code}: {error.read(2000).decode('utf-8', 'replace')}"
        )
    except OSError as error:
        module.fail_json(msg=f"The form could not be sent: {error}")
    module.exit_json(changed=True, status=response.status)


if __name__ == "__main__":
    main()
