"""The playbooks redrive and smoke: dead letters return to their queues, one photo is processed."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cloud import ROOT
from tests.deploy.gallery_stand_in import DONE, FAILED, Gallery, gallery
from tests.deploy.provision_account import PREFIX, Account, recap

pytestmark = pytest.mark.timeout(1200)

Done = subprocess.CompletedProcess[str]
SPARE = f"{PREFIX}-spare"  # queues that no function empties
QUEUES = {"redrive_prefix": SPARE, "redrive_queues": ["caption"]}
PICTURE = ROOT / "web/static/samples/coffee.jpg"
API_KEY = f"made-up-{secrets.token_hex(12)}"


@pytest.fixture(scope="module")
def queues(provisioned: Account) -> Iterator[dict[str, str]]:
    """A queue that no function empties, three dead letters, and one that its topic could not deliver."""
    sqs = provisioned.client("sqs")
    names = ("caption", "caption-dead", "caption-undelivered")
    urls = {name: sqs.create_queue(QueueName=f"{SPARE}-{name}")["QueueUrl"] for name in names}
    why = {"why": {"DataType": "String", "StringValue": "a bug"}}
    for body in ("one", "two", "drei"):
        sqs.send_message(QueueUrl=urls["caption-dead"], MessageBody=body, MessageAttributes=why)
    sqs.send_message(QueueUrl=urls["caption-undelivered"], MessageBody="four")
    yield urls
    for url in urls.values():
        sqs.delete_queue(QueueUrl=url)


@pytest.fixture(scope="module")
def counted(provisioned: Account, queues: dict[str, str]) -> tuple[Done, dict[str, int]]:
    """A dry run, and what is in the queues after it."""
    done = provisioned.ansible("playbooks/redrive.yml", "--check", **QUEUES)
    return done, {name: waiting(provisioned, url) for name, url in queues.items()}


@pytest.fixture(scope="module")
def redriven(provisioned: Account, queues: dict[str, str], counted: object) -> tuple[Done, list[Any]]:
    """A real run, and what is in the queue after it."""
    done = provisioned.ansible("playbooks/redrive.yml", **QUEUES)
    sqs, found = provisioned.client("sqs"), []
    asked = {"QueueUrl": queues["caption"], "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"]}
    while messages := sqs.receive_message(**asked).get("Messages"):
        found += messages
    return done, found


def waiting(aws: Account, url: str) -> int:
    """How many messages a queue holds."""
    asked = {"QueueUrl": url, "AttributeNames": ["ApproximateNumberOfMessages"]}
    return int(aws.client("sqs").get_queue_attributes(**asked)["Attributes"]["ApproximateNumberOfMessages"])


def test_redrive_in_check_mode_counts_dead_letters(counted: tuple[Done, dict[str, int]]) -> None:
    assert "caption dead: 3 waiting, 3 would be moved back" in counted[0].stdout
    assert "caption undelivered: 1 waiting, 1 would be moved back" in counted[0].stdout


def test_redrive_in_check_mode_moves_nothing(counted: tuple[Done, dict[str, int]]) -> None:
    assert {"caption": 0, "caption-dead": 3, "caption-undelivered": 1} == counted[1]


def test_redrive_moves_all_dead_letters_once(redriven: tuple[Done, list[Any]]) -> None:
    assert ["drei", "four", "one", "two"] == sorted(message["Body"] for message in redriven[1])


def test_redrive_keeps_message_attributes(redriven: tuple[Done, list[Any]]) -> None:
    kept = [message["MessageAttributes"]["why"] for message in redriven[1] if message["Body"] != "four"]
    assert ["a bug"] * 3 == [attribute["StringValue"] for attribute in kept]


def test_redrive_reports_the_number_of_messages(redriven: tuple[Done, list[Any]]) -> None:
    assert "caption dead: 3 waiting, 3 moved back" in redriven[0].stdout
    assert 1 == recap(redriven[0])["changed"]


def test_redrive_empties_the_dead_letter_queues(
    provisioned: Account, queues: dict[str, str], redriven: object
) -> None:
    dead = [waiting(provisioned, queues[f"caption-{kind}"]) for kind in ("dead", "undelivered")]
    assert [0, 0] == dead


def smoke(aws: Account, stand_in: Gallery) -> Done:
    """Run the playbook against a stand-in."""
    environ = {"GALLERY_API_KEY": API_KEY}
    variables = {"smoke_url": stand_in.url, "smoke_pause_seconds": 1, "smoke_timeout_seconds": 20}
    return aws.ansible("playbooks/smoke.yml", "-vvv", environ=environ, **variables)


@pytest.fixture(scope="module")
def well(provisioned: Account) -> tuple[Done, Gallery]:
    """Return a gallery where the photo is described."""
    with gallery(DONE) as stand_in:
        return smoke(provisioned, stand_in), stand_in


@pytest.fixture(scope="module")
def ill(provisioned: Account) -> tuple[Done, Gallery]:
    """A gallery where it is not."""
    with gallery(FAILED) as stand_in:
        return smoke(provisioned, stand_in), stand_in


def test_smoke_of_healthy_gallery_passes(well: tuple[Done, Gallery]) -> None:
    assert 0 == well[0].returncode, well[0].stdout[-3000:]
    assert DONE["caption"] in well[0].stdout


def test_smoke_sends_the_file_unchanged_after_the_fields(well: tuple[Done, Gallery]) -> None:
    assert ["key", "policy", "file"] == well[1].parts
    assert PICTURE.read_bytes() == well[1].image


def test_smoke_deletes_the_photo(well: tuple[Done, Gallery]) -> None:
    assert "DELETE /api/v1/images/p1" == well[1].asked[-1]


def test_smoke_does_not_show_the_api_key(well: tuple[Done, Gallery]) -> None:
    assert f"Bearer {API_KEY}" in well[1].keys
    assert API_KEY not in well[0].stdout + well[0].stderr


def test_smoke_of_failing_gallery_fails_with_the_reason(ill: tuple[Done, Gallery]) -> None:
    assert 0 != ill[0].returncode
    assert "The photo ended with status failed: The file is damaged." in ill[0].stdout


def test_smoke_of_failing_gallery_deletes_the_photo(ill: tuple[Done, Gallery]) -> None:
    assert "DELETE /api/v1/images/p1" == ill[1].asked[-1]
