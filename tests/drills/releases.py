"""A bake that fails at each of its steps, then releases one after another: ``python -m tests.drills.releases``.

Each call to AWS that a bake makes is refused once; the builder fails once at each module that it is sent, and
is lost once before each: nothing of it may be left, and no image. Then four releases follow each other: three
images and versions are kept, an older release comes back without a bake, and the next is rolled although an
alarm rings. Ends non-zero where one of these does not hold. ``failing`` or ``following`` as an argument
runs one half; ``failing 12`` begins with the twelfth failure.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.deploy.fleet_ground import ALARMS, PREFIX, Ground, ground
from tests.deploy.provision_account import changed

REFUSED = (
    *("ImportKeyPair", "CreateSecurityGroup", "AuthorizeSecurityGroupIngress", "RunInstances", "StopInstances"),
    "CreateImage",
)
MODULES = 9  # that a builder is sent: see STEPS in tests/deploy/test_fleet.py


def failing(aws: Ground, first: int) -> Iterator[str]:
    """Every way to fail, from that one on; yields those that left something, or passed for a success."""
    ways = [(f"refused {call}", {"refused": call}) for call in REFUSED]
    ways += [(f"{how} at module {at}", {how: at}) for how in ("fails", "lost") for at in range(MODULES)]
    for name, way in ways[first - 1 :]:
        start = time.monotonic()
        done = aws.bake(**way)
        left = aws.left() + [image["Name"] for image in aws.images()]
        good = done.returncode != 0 and not left
        print(f"  {name:45} {'nothing left' if good else f'LEFT {left}, ended {done.returncode}'}", end="")
        print(f"  {time.monotonic() - start:5.1f} s", flush=True)
        if not good:
            yield name


def following(aws: Ground) -> Iterator[str]:
    """Four of them, then the second again, then one under a ringing alarm; yields what does not hold."""
    names = []
    for number in range(1, 5):
        aws.write(str(number))
        names.append(f"{PREFIX}-web-{aws.release()}")
        if aws.bake().returncode or (done := aws.roll()).returncode:
            yield f"release {number} failed"
            return
        rolled = "group | Roll the hosts to the launch template version" in " ".join(changed(done))
        print(f"  release {number}: {'rolled' if rolled else 'made'}, {state(aws)}", flush=True)
        if rolled != (number > 1):
            yield f"release {number} was {'' if rolled else 'not '}rolled"
    kept = [image["Name"] for image in aws.images()]
    if sorted(kept) != sorted(names[-3:]) or len(aws.versions()) != 3:
        yield f"kept were {kept} and {len(aws.versions())} versions"
    aws.write("2")
    baked = aws.bake()
    back = aws.roll()
    print(f"  back to release 2: {changed(baked)} baked, {changed(back)}, {state(aws)}", flush=True)
    if changed(baked) or back.returncode or aws.group()["LaunchTemplate"]["Version"] != "2":
        yield "the older release did not come back by itself"
    if [image["Name"] for image in aws.images()] != kept:
        yield "going back removed an image"
    yield from ringing(aws)


def ringing(aws: Ground) -> Iterator[str]:
    """A release while an alarm rings is rolled, with a warning."""
    aws.write("4")
    aws.client("cloudwatch").set_alarm_state(
        AlarmName=ALARMS[0], StateValue="ALARM", StateReason="by the drill"
    )
    done = aws.roll()
    warned = f"{ALARMS[0]} is already in state ALARM" in " ".join((done.stdout + done.stderr).split())
    print(f"  with an alarm: {'warned' if warned else 'NOT warned'}, {state(aws)}", flush=True)
    if done.returncode or not warned or aws.group()["LaunchTemplate"]["Version"] == "2":
        yield "a release under a ringing alarm was refused, or nobody was warned"


def state(aws: Ground) -> str:
    """What there is."""
    version = aws.group()["LaunchTemplate"]["Version"]
    return f"version {version}, {len(aws.images())} images, {len(aws.versions())} versions"


def main(half: str = "", first: str = "1") -> int:
    """0 where all of it holds."""
    wrong = []
    for name, run in (("failing", lambda aws: failing(aws, int(first))), ("following", following)):
        if half in ("", name):
            with tempfile.TemporaryDirectory() as folder, ground(Path(folder) / "home") as aws:
                wrong += run(aws)
    print(f"{wrong or 'All as it should be'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
