"""``make run`` from outside: one story on the real tree, run once; each test looks at one thing of it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from imgcore.campaigns.models import Campaign
from imgcore.db.campaigns import CampaignRepository
from imgcore.db.connection import Database, open_database
from roles.local_cloud.files.emulator import INHERITED, free_port, listening_error
from tests.cloud import ROOT, Cloud, cloud
from tests.support.processes import processes

pytestmark = pytest.mark.timeout(1800)  # Ansible on a busy machine

SUPERVISOR = [sys.executable, "roles/local_cloud/files/run.py"]
HOME_NAME = "my photos' #1 50%25"  # what shells split and URLs decode
OTHER_HOST = "::1" if listening_error(0, "::1") is None else "127.0.0.2"  # some machines have no IPv6
CAMPAIGN = {"recaption_photos": {"source": "local"}, "recaption_rate": 7}
PHOTO = sorted((ROOT / "web/static/samples").glob("*.jpg"))[0]


def environ(home: Path, port: object, **more: str) -> dict[str, str]:
    """A person's environment, with settings of real accounts that must play no part."""
    kept = {name: os.environ[name] for name in (*INHERITED, "UV") if name in os.environ}
    strange = {"AWS_PROFILE": "nobody", "AWS_ACCESS_KEY_ID": "made-up", "ANSIBLE_STDOUT_CALLBACK": "nothing"}
    return {**kept, **strange, "GALLERY_HOME": str(home), "PORT": str(port), **more}


def refused(home: Path, port: object, **more: str) -> tuple[int, str]:
    """Exit code and standard error of a start that does not get far."""
    done = subprocess.run(
        SUPERVISOR, cwd=ROOT, env=environ(home, port, **more), capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stderr


def imgcore(home: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of imgcore, given only that gallery's folder."""
    done = subprocess.run(
        [sys.executable, "-m", "imgcore", *arguments],
        cwd=ROOT,
        env=environ(home, 0),
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout, done.stderr


def left_of(home: Path) -> list[str]:
    """Processes that have to do with that folder: they name it, or come from one that does."""
    return [each.command for each in processes() if str(home) in each.command]


def get(url: str) -> Any:
    """The JSON there."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def status(url: str) -> int:
    """What a GET is answered with."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return int(answer.status)


@dataclass
class Run:
    """One ``make run`` that has got to its last line."""

    process: subprocess.Popen[str]
    address: str
    said: str
    seconds: float

    def stop(self, number: signal.Signals) -> int:
        """Send a signal and return the exit code; pytest-timeout ends the test if there is none."""
        self.process.send_signal(number)
        return self.process.wait()

    def upload(self) -> dict[str, Any]:
        """Send the photo as the page does, and wait until nothing changes any more."""
        data = PHOTO.read_bytes()
        wanted = json.dumps({"name": PHOTO.name, "size": len(data), "type": "image/jpeg"}).encode()
        headers = {"Content-Type": "application/json", "Origin": self.address}
        request = urllib.request.Request(f"{self.address}/api/v1/uploads", wanted, headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            made = json.load(answer)
        send(made["form"], data)
        return self.done(made["image"]["id"])

    def done(self, public_id: str) -> dict[str, Any]:
        """The image, as soon as its caption and thumbnail are there."""
        deadline = time.monotonic() + 120
        while (image := get(f"{self.address}/api/v1/images/{public_id}"))["status"] != "done":
            assert time.monotonic() < deadline, image
            time.sleep(0.2)
        return image


def send(form: Mapping[str, Any], data: bytes) -> None:
    """Post a file through its form."""
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in form["fields"].items()
    ]
    parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'.encode())
    body = b"".join([*parts, data, f"\r\n--{boundary}--\r\n".encode()])
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    with urllib.request.urlopen(urllib.request.Request(form["url"], body, headers), timeout=30):
        pass


def start(home: Path, **more: str) -> Run:
    """Run it until it prints the address."""
    started, port = time.monotonic(), free_port()
    process = subprocess.Popen(
        SUPERVISOR,
        cwd=ROOT,
        env=environ(home, port, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = ""
    assert process.stdout is not None
    for line in process.stdout:
        said += line
        if found := re.match(r"The gallery is at (\S+)/ ", line):
            return Run(process, found[1], said, time.monotonic() - started)
    raise AssertionError(said)


def gone(home: Path, seconds: float) -> list[str]:
    """What is left of the folder's processes after at most so long."""
    deadline = time.monotonic() + seconds
    while (left := left_of(home)) and time.monotonic() < deadline:
        time.sleep(0.2)
    return left


@dataclass
class Story:
    """What was seen, in order."""

    first: Run
    image: dict[str, Any]
    second_run: tuple[int, str]
    busy_port: tuple[int, str]
    recaptioned: tuple[int, str, str]
    swept: tuple[int, str, str]
    recaptioned_stopped: tuple[int, str, str]
    interrupted: int
    left_after_interrupt: list[str]
    again: Run
    image_again: dict[str, Any]
    thumbnail_again: int
    gallery_killed: tuple[int, str]
    left_after_gallery: list[str]
    elsewhere: tuple[str, int]
    terminated: int
    left_after_kill: list[str]
    objects_after_kill: list[str]
    rehearsed_campaign: str
    campaigns_before: list[Campaign]
    campaigns_rehearsed: list[Campaign]
    started_campaign: str
    campaign: Campaign
    backfills: list[str]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """A photo, a second run beside it, Ctrl-C; a later start, a part killed; another, all of it killed."""
    home = tmp_path_factory.mktemp("run") / HOME_NAME
    seen: dict[str, Any] = {"first": (first := start(home)), "image": (image := first.upload())}
    image_path = f"/api/v1/images/{image['id']}"
    seen["second_run"] = refused(home, free_port())
    seen["busy_port"] = refused(home / "other", first.address.rpartition(":")[2])
    seen["recaptioned"] = imgcore(home, "recaption", "--source", "local")
    first.done(image["id"])
    seen["swept"] = imgcore(home, "sweep")
    seen["interrupted"] = first.stop(signal.SIGINT)
    seen["left_after_interrupt"] = left_of(home)

    seen["recaptioned_stopped"] = imgcore(home, "recaption", "--source", "local")

    seen["again"] = again = start(home)
    seen["image_again"] = found = get(again.address + image_path)
    seen["thumbnail_again"] = status(found["thumbnail_url"])
    os.kill(gallery_of(again.process.pid), signal.SIGKILL)
    assert again.process.stdout is not None
    seen["gallery_killed"] = (again.process.wait(), again.process.stdout.read())
    seen["left_after_gallery"] = left_of(home)

    elsewhere = start(home, HOST=OTHER_HOST)
    seen["elsewhere"] = (elsewhere.address, status(f"{elsewhere.address}/"))
    seen["terminated"] = elsewhere.stop(signal.SIGTERM)

    last = start(home)
    last.process.kill()
    last.process.wait()
    seen["left_after_kill"] = gone(home, 15)
    with cloud(home) as aws:
        listed = aws.client("s3").list_objects_v2(Bucket="caption-gallery-local-uploads")["Contents"]
        seen["campaigns_before"] = campaigns(home)
        seen["rehearsed_campaign"] = playbook(aws, "recaption", "--check", **CAMPAIGN)
        seen["campaigns_rehearsed"] = campaigns(home)
        seen["started_campaign"] = playbook(aws, "recaption", **CAMPAIGN)
        seen["campaign"] = campaigns(home)[0]
        with closing(database(home)) as known:
            known.run(lambda tx: tx.execute("DELETE FROM image_hashes"))
        seen["backfills"] = [playbook(aws, "backfill", *given) for given in (["--check"], [], [])]
    seen["objects_after_kill"] = [found["Key"].partition("/")[2].partition(".")[0] for found in listed]
    return Story(**seen)


def playbook(aws: Cloud, name: str, *arguments: str, **variables: Any) -> str:
    """Return what a playbook says that calls a function."""
    given = {"account_id": "0" * 12, "aws_environment": {}, **variables}
    done = aws.ansible(f"playbooks/{name}.yml", *arguments, **given)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def campaigns(home: Path) -> list[Campaign]:
    """Return the campaigns of a stopped gallery, the newest first."""
    with closing(database(home)) as known:
        return list(CampaignRepository(known).newest(10))


def database(home: Path) -> Database:
    """Return the database of a stopped gallery."""
    return open_database(f"sqlite:///{quote(str(home))}/gallery.db")


def gallery_of(supervisor: int) -> int:
    """The web process that it has started."""
    (found,) = [each for each in processes() if each.parent == supervisor and each.command.endswith("-m web")]
    return found.pid


def test_it_tells_what_it_does_and_where_the_gallery_is(story: Story) -> None:
    """Steps with their seconds, who describes, and the address last."""
    lines = story.first.said.splitlines()
    assert "Creating buckets, queues and functions with Ansible" in story.first.said
    assert "Photos are described by the local describer." in story.first.said
    assert re.fullmatch(r"The gallery is at http://127\.0\.0\.1:\d+/ \(Ctrl-C stops everything\)", lines[-1])


def test_it_listens_on_another_address_and_tells_it(story: Story) -> None:
    address, answered = story.elsewhere
    shown = f"[{OTHER_HOST}]" if ":" in OTHER_HOST else OTHER_HOST
    assert (shown, 200) == (address.removeprefix("http://").rpartition(":")[0], answered)


def test_an_uploaded_photo_is_described(story: Story) -> None:
    """Described, with a thumbnail."""
    assert ("done", "local") == (story.image["status"], story.image["source"])
    assert story.image["caption"]


def test_second_run_is_refused_with_the_address_of_the_first(story: Story) -> None:
    """The first one is not disturbed."""
    code, said = story.second_run
    assert (1, 1) == (code, len(said.splitlines()))
    assert f"The gallery is already running at {story.first.address}/, with the data in" in said


def test_a_busy_port_gets_one_sentence(story: Story) -> None:
    """The message names another port to try."""
    code, said = story.busy_port
    assert (1, 1) == (code, len(said.splitlines()))
    assert "is in use" in said


def test_imgcore_finds_the_running_gallery(story: Story) -> None:
    """The commands need no settings, and print to standard error which gallery they use."""
    code, out, said = story.recaptioned
    assert (0, 1) == (code, json.loads(out)["images"])
    assert said.startswith(f"imgcore: using the gallery at {story.first.address}/")
    assert 0 == story.swept[0]
    assert "redelivered" in json.loads(story.swept[1])


def test_imgcore_says_that_the_gallery_is_stopped(story: Story) -> None:
    """The command changes nothing."""
    code, out, said = story.recaptioned_stopped
    assert (1, "") == (code, out)
    assert said.startswith("imgcore: The gallery of `make run` is stopped.")


def test_an_interrupt_ends_it_well(story: Story) -> None:
    """SIGINT is what Ctrl-C sends."""
    assert 0 == story.interrupted


def test_an_interrupt_leaves_no_process(story: Story) -> None:
    """The functions' workers have ended too."""
    assert [] == story.left_after_interrupt


def test_a_later_start_applies_nothing(story: Story) -> None:
    """The playbook is skipped if nothing changed and all resources exist."""
    assert "with Ansible" not in story.again.said


def test_photos_survive_a_restart(story: Story) -> None:
    """Words and pictures."""
    assert story.image["caption"] == story.image_again["caption"]
    assert 200 == story.thumbnail_again


def test_when_a_part_dies_the_whole_ends_with_a_sentence(story: Story) -> None:
    """Which part, and the end of its log."""
    code, said = story.gallery_killed
    assert 1 == code
    assert "make run: The gallery has stopped." in said
    assert [] == story.left_after_gallery


def test_when_it_is_killed_itself_nothing_is_left(story: Story) -> None:
    """The guardian sees to that."""
    assert [] == story.left_after_kill


def test_photos_survive_that_too(story: Story) -> None:
    """Each was written down as it came."""
    assert [story.image["id"]] == story.objects_after_kill


def test_a_polite_signal_ends_it_as_well(story: Story) -> None:
    """SIGTERM is what a shutdown sends."""
    assert 0 == story.terminated


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("PORT", "99999", "PORT must be a number from 1 to 65535; it is '99999'."),
        ("PORT", "eighty", "PORT must be a number from 1 to 65535; it is 'eighty'."),
        ("CAPTIONER", "somebody", "CAPTIONER must be one of auto, gemini, openai, local; it is 'somebody'."),
        ("ACCOUNTS", "yes", "ACCOUNTS must be one of off, on; it is 'yes'."),
        (
            "HOST",
            "0.0.0.0",
            "HOST is 0.0.0.0, but without accounts the gallery serves this machine only:"
            " leave HOST at 127.0.0.1, or set ACCOUNTS=on.",
        ),
    ],
)
def test_wrong_settings_get_one_sentence(tmp_path: Path, setting: str, value: str, sentence: str) -> None:
    """Before anything is started."""
    given = {"PORT": str(free_port()), setting: value}
    assert (1, f"make run: {sentence}\n") == refused(tmp_path, given.pop("PORT"), **given)


def test_the_playbook_recaption_in_check_mode_shows_the_price_and_starts_nothing(story: Story) -> None:
    assert '"images": 1' in story.rehearsed_campaign
    assert [each.public_id for each in story.campaigns_before] == [
        each.public_id for each in story.campaigns_rehearsed
    ]


def test_the_playbook_recaption_starts_a_campaign(story: Story) -> None:
    assert story.campaign.public_id in story.started_campaign
    assert (7, 1) == (story.campaign.rate, story.campaign.total)


def test_the_playbook_backfill_completes_photos_once(story: Story) -> None:
    rehearsed, first, second = story.backfills
    assert "would call caption-gallery-local-thumbnail" in rehearsed
    assert "Photos completed: 1, skipped: 0" in first
    assert "Photos completed: 0, skipped: 0" in second
