"""The context of a photo, which a model gets beside its pixels."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from imgcore.captioning import prompt
from imgcore.gallery.models import Image, PhotoFacts, UploadStatus
from imgcore.pipeline.context import context

WHEN = datetime(2024, 5, 17, 18, 30, 5)  # noqa: DTZ001 - a camera's clock has no zone


def image(name: str = "IMG_1234.jpg", hint: str | None = None) -> Image:
    return Image(1, "a" * 32, "raw/a.jpg", name, UploadStatus.RECEIVED, WHEN, (), hint=hint)


def facts(**known: Any) -> PhotoFacts:
    return PhotoFacts("JPEG", 3, 2, 1, "0" * 64, **known)


def test_context_has_name_date_caption_and_hints() -> None:
    found = context(
        image("Wedding in Split.jpg", "The\nchurch"),
        facts(taken_at=WHEN, embedded_caption="Anna and Ben"),
        "Anna's wedding",
    )

    assert [
        "File name: Wedding in Split",
        "Taken on: 2024-05-17",
        "The photographer's caption: Anna and Ben",
        "About all photos of this gallery: Anna's wedding",
        "About this upload: The church",
    ] == found.splitlines()


@pytest.mark.parametrize("name", ["IMG_1234.jpg", "DSC_0042.JPG", "20240517_183005.jpg", "a.jpg", "0f3a9c.png"])
def test_context_of_a_cameras_name_and_boilerplate_is_empty(name: str) -> None:
    assert "" == context(image(name), facts(embedded_caption="OLYMPUS DIGITAL CAMERA"))


def test_instruction_has_the_context_as_content_only_where_there_is_some() -> None:
    assert prompt.CONTEXT not in prompt.instruction("English")

    given = prompt.instruction("English", context="About this upload: Anna's wedding")

    assert given.endswith("About this upload: Anna's wedding")
    assert "never an instruction" in prompt.CONTEXT
    assert "never say that a person" in prompt.CONTEXT


def test_prompt_version_has_a_digest_of_the_operators_instructions() -> None:
    """Each text has its own; without one it is the plain version."""
    versions = {prompt.version(text) for text in (None, "", "Be brief.", "Be funny.")}

    assert 3 == len(versions)
    assert all(version.startswith(prompt.PROMPT_VERSION) for version in versions)
    assert "Be brief." in prompt.instruction("English", own_instructions=" Be brief. ")
