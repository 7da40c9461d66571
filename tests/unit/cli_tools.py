"""The output of the command line as objects, and photos that are described."""

from __future__ import annotations

import json
from typing import Any

import pytest

from imgcore.gallery.models import Description, NewImage, Source
from tests.support.repositories import Repositories


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def described(repositories: Repositories, name: str, **words: Any) -> str:
    """Insert an image with a caption."""
    from imgcore.gallery.keys import new_public_id, raw_key
    from imgcore.gallery.models import TaskKind
    from imgcore.pipeline.models import ObjectCreated

    public_id = new_public_id()
    new = NewImage(public_id, raw_key(public_id, "image/jpeg"), name, "image/jpeg", 1, 3600.0)
    repositories.images.add(new)
    repositories.images.receive(ObjectCreated("b", new.image_key), new)
    claim = repositories.tasks.claim(new.image_key, TaskKind.CAPTION, lease=60, max_attempts=5)
    assert claim is not None
    known = {"caption": "A cat.", "alt_text": "Cat", "tags": ("cat",), "source": Source.LOCAL} | words
    repositories.tasks.finish_caption(claim, Description(**known))
    return public_id
