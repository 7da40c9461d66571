"""Captions: who describes, what a description costs, and what the file itself says."""

from __future__ import annotations

from dataclasses import replace

from imgcore.accounts.models import Role
from imgcore.captioning.prices import quote
from imgcore.gallery.keys import new_public_id, raw_key
from imgcore.gallery.models import NewImage, PhotoFacts, Source
from imgcore.pipeline.processing import Outcome, Processor
from imgcore.pipeline.sweeper import Sweeper
from imgcore.spending.models import Caps, Group, Period, Quote
from imgcore.spending.service import Spending
from tests.support.repositories import Repositories
from tests.unit.fakes import FakeCaptioner, FakePicture, FakeQueues, FakeStorage
from tests.unit.pipeline_photos import CAPTION, SOON, THUMBNAIL, news, now, upload


def test_process_without_a_captioner_parks_the_caption(
    processor: Processor, repositories: Repositories, storage: FakeStorage
) -> None:
    """The thumbnail function has no captioner."""
    image = upload(repositories, storage)

    assert Outcome.PARKED == replace(processor, captioner=None).process(news(image), CAPTION, deadline=SOON)
    assert "This function does not describe photos." == now(repositories, image).task(CAPTION).message


def test_caption_answer_is_recorded_with_its_owner(
    processor: Processor, repositories: Repositories, storage: FakeStorage, captioner: FakeCaptioner
) -> None:
    """A description without tokens, as of the local describer, adds nothing to the ledger."""
    spending = Spending(repositories.ledger, quote)
    image = upload(repositories, storage)
    captioner.tokens = (560, 80)

    replace(processor, spending=spending).process(news(image), CAPTION, deadline=SOON)
    replace(processor, spending=spending).process(news(image), THUMBNAIL, deadline=SOON)

    (usage,) = spending.usage(Period(), Group.MODEL)
    assert ("fake-1", 1, 560, 80, 1) == (
        usage.group,
        usage.calls,
        usage.input_tokens,
        usage.output_tokens,
        usage.unpriced,
    )


def test_caption_waits_at_the_quota_of_its_owner(
    processor: Processor, repositories: Repositories, storage: FakeStorage, queues: FakeQueues,
    captioner: FakeCaptioner, sweeper: Sweeper,
) -> None:  # fmt: skip
    """The photo of another account is described; a higher quota lets the next sweep queue the photo."""
    accounts = repositories.accounts
    ada, zoe = (accounts.add(name, name, Role.PERSON, "hash") for name in ("ada", "zoe"))
    paid = Spending(repositories.ledger, lambda *tokens: Quote(1.0, "2026-11-28", 1.0), quota=Caps(month=1.0))
    paid.append(paid.entry(model="m", input_tokens=1, output_tokens=1, outcome="described", owner_id=ada.id))
    images = [upload(repositories, storage, owner_id=owner.id) for owner in (ada, zoe)]

    charged = replace(processor, spending=paid)
    outcomes = [charged.process(news(image), CAPTION, deadline=SOON) for image in images]

    task = now(repositories, images[0]).task(CAPTION)
    assert ([Outcome.PARKED, Outcome.DONE], "spend_quota_month", 0, 1) == (
        outcomes,
        task.error,
        task.attempts,
        len(captioner.deadlines),
    )
    replace(sweeper, spending=paid).sweep()
    assert [] == [key for kind, key, _ in queues.sent if kind is CAPTION]
    accounts.set_quota(ada.id, images=None, bytes_=None, uploads=None, spend_month=5.0)
    replace(sweeper, spending=paid).sweep()
    assert [images[0].image_key] == [key for kind, key, _ in queues.sent if kind is CAPTION]


def test_caption_that_waits_for_the_quota_is_released_when_the_setting_is_raised(
    processor: Processor, repositories: Repositories, storage: FakeStorage, queues: FakeQueues, sweeper: Sweeper
) -> None:
    """QUOTA_SPEND_MONTH of a later start; the photo of an account that is still at its own quota waits."""
    accounts = repositories.accounts
    ada, zoe = (accounts.add(name, name, Role.PERSON, "hash") for name in ("ada", "zoe"))
    accounts.set_quota(zoe.id, images=None, bytes_=None, uploads=None, spend_month=1.0)
    paid = Spending(repositories.ledger, lambda *tokens: Quote(1.0, "2026-11-28", 1.0), quota=Caps(month=1.0))
    images = [upload(repositories, storage, owner_id=owner.id) for owner in (ada, zoe)]
    for image, owner in zip(images, (ada, zoe), strict=True):
        paid.append(
            paid.entry(model="m", input_tokens=1, output_tokens=1, outcome="described", owner_id=owner.id)
        )
        replace(processor, spending=paid).process(news(image), CAPTION, deadline=SOON)
    replace(sweeper, spending=paid).sweep()
    assert [] == [key for kind, key, _ in queues.sent if kind is CAPTION]

    paid.quota = Caps(month=5.0)
    replace(sweeper, spending=paid).sweep()

    assert [images[0].image_key] == [key for kind, key, _ in queues.sent if kind is CAPTION]


def test_caption_waits_at_a_reached_cap_and_is_released(
    processor: Processor, repositories: Repositories, storage: FakeStorage, queues: FakeQueues,
    captioner: FakeCaptioner, sweeper: Sweeper,
) -> None:  # fmt: skip
    """The model is not called and no attempt is used; a higher cap lets the next sweep queue the photo."""
    paid = Spending(repositories.ledger, lambda *tokens: Quote(1.0, "2026-11-28", 1.0), Caps(day=1.0))
    paid.append(paid.entry(model="m", input_tokens=1, output_tokens=1, outcome="described"))
    image = upload(repositories, storage)

    outcome = replace(processor, spending=paid).process(news(image), CAPTION, deadline=SOON)

    task = now(repositories, image).task(CAPTION)
    assert (Outcome.PARKED, "spend_cap_day", 0, []) == (outcome, task.error, task.attempts, captioner.deadlines)
    replace(sweeper, spending=paid).sweep()
    assert [] == queues.sent
    paid.caps = Caps(day=2.0)
    replace(sweeper, spending=paid).sweep()
    assert [(CAPTION, image.image_key)] == [(kind, key) for kind, key, _ in queues.sent]


def test_caption_in_the_file_outranks_the_models_which_supplies_the_rest(
    processor: Processor, repositories: Repositories, storage: FakeStorage
) -> None:
    """The model's caption is in the history, where a person can choose it."""

    def decode_with_caption(data: bytes, **options: object) -> FakePicture:
        facts = PhotoFacts("JPEG", 400, 300, len(data), "0" * 64, embedded_caption="Mia’s first goal")
        return FakePicture(facts)

    image = upload(repositories, storage)

    replace(processor, decode=decode_with_caption).process(news(image), CAPTION, deadline=SOON)

    stored = now(repositories, image)
    assert ("Mia’s first goal", Source.EMBEDDED, "Alt: A red barn.", Source.GEMINI, Source.GEMINI) == (
        stored.caption,
        stored.caption_source,
        stored.alt_text,
        stored.alt_text_source,
        stored.tags_source,
    )
    versions = repositories.images.history(image.public_id)
    assert [("A red barn.", False)] == [(v.value, v.applied) for v in versions if v.value == "A red barn."]


def test_caption_model_gets_the_hints_as_context(
    processor: Processor, repositories: Repositories, storage: FakeStorage, captioner: FakeCaptioner
) -> None:
    public_id = new_public_id()
    key = raw_key(public_id, "image/jpeg")
    storage.uploads[key] = b"photo"
    new = NewImage(public_id, key, "cat.jpg", "image/jpeg", 5, 3600.0, hint="The church")
    image = repositories.images.add(new)

    replace(processor, hint="Anna's wedding").process(news(image), CAPTION, deadline=SOON)

    assert ["About all photos of this gallery: Anna's wedding\nAbout this upload: The church"] == (
        captioner.contexts
    )
