"""The rolling refresh against scripted answers: every end, every refusal, and dry runs."""

from __future__ import annotations

import runpy
from typing import Any

import pytest
from botocore.session import get_session

from tests.deploy.fleet_script import MODULES, Cut, Lines, Refuse, Scripted, scripted

OLD, NEW = ({"LaunchTemplateId": "lt-1", "Version": version} for version in ("2", "3"))
ASKED = {"name": "shop", "launch_template_id": "lt-1", "version": 3, "alarms": ["shop-5xx"], "interval": 0}
QUIET = {"MetricAlarms": [{"AlarmName": "shop-5xx", "StateValue": "OK"}]}
RINGING = {"MetricAlarms": [{"AlarmName": "shop-5xx", "StateValue": "ALARM"}]}
STARTED = {"InstanceRefreshId": "r-1"}
WRITES = {"StartInstanceRefresh", "CancelInstanceRefresh", "RollbackInstanceRefresh"}


def group(*versions: dict[str, str], of: dict[str, str] | None = OLD) -> dict[str, Any]:
    """A group of that version with instances of those."""
    instances = [
        {"InstanceId": f"i-{number}", "LifecycleState": "InService", "LaunchTemplate": version}
        for number, version in enumerate(versions, 1)
    ]
    template = {"LaunchTemplate": of} if of else {}
    return {"AutoScalingGroups": [{"AutoScalingGroupName": "shop", "Instances": instances, **template}]}


def refresh(status: str, id: str = "r-1", to: dict[str, str] = NEW, **more: Any) -> dict[str, Any]:
    """What AWS tells of the refreshes, of which there is one."""
    one = {"InstanceRefreshId": id, "Status": status, "DesiredConfiguration": {"LaunchTemplate": to}, **more}
    return {"InstanceRefreshes": [one]}


NONE: dict[str, Any] = {"InstanceRefreshes": []}


def fleet(
    *refreshes: Any, groups: Lines | None = None, alarms: Any = QUIET, start: Lines | None = None
) -> dict[str, Lines]:
    """A script: two old instances, a quiet alarm, and what is told of the refreshes one after another."""
    return {
        "DescribeInstanceRefreshes": list(refreshes),
        "DescribeAutoScalingGroups": groups or [group(OLD, OLD)],
        "DescribeAlarms": [alarms],
        "StartInstanceRefresh": start or [STARTED],
    }


def play(script: dict[str, Lines], **params: Any) -> tuple[dict[str, Any], Scripted]:
    """What the module tells, and what it asked."""
    with scripted(script) as aws:
        return aws.run(**(ASKED | params)), aws


def test_a_refresh_that_succeeds_is_a_change() -> None:
    """Waited for until its end."""
    told, _ = play(
        fleet(NONE, refresh("Pending"), refresh("InProgress"), refresh("Baking"), refresh("Successful"))
    )
    assert ("Successful", "r-1", ["i-1", "i-2"]) == (told["status"], told["refresh_id"], told["replaced"])
    assert told["changed"] is True


def test_it_asks_for_a_numbered_version_rollback_and_alarms() -> None:
    """All that AWS needs to go back by itself."""
    _, aws = play(fleet(NONE, refresh("Successful")))
    asked = aws.call("StartInstanceRefresh")
    given = {
        name: asked[name] for name in asked if name.startswith(("Desired", "Preferences", "Strategy", "Auto"))
    }
    assert given == {
        "AutoScalingGroupName": "shop",
        "Strategy": "Rolling",
        "DesiredConfiguration.LaunchTemplate.LaunchTemplateId": "lt-1",
        "DesiredConfiguration.LaunchTemplate.Version": "3",
        "Preferences.AlarmSpecification.Alarms.member.1": "shop-5xx",
        "Preferences.AutoRollback": "true",
        "Preferences.BakeTime": "300",
        "Preferences.InstanceWarmup": "120",
        "Preferences.MaxHealthyPercentage": "200",
        "Preferences.MinHealthyPercentage": "100",
        "Preferences.SkipMatching": "true",
    }


def test_without_alarms_it_listens_to_none() -> None:
    """And asks CloudWatch nothing."""
    told, aws = play(fleet(NONE, refresh("Successful")), alarms=[])
    assert told["changed"] is True
    assert "DescribeAlarms" not in aws.calls
    assert not any("AlarmSpecification" in name for name in aws.call("StartInstanceRefresh"))


@pytest.mark.parametrize(
    ("status", "left"),
    [
        ("Failed", "hosts of both versions may be in service"),
        ("Cancelled", "It was cancelled"),
        ("RollbackSuccessful", "All hosts have the previous version"),
        ("RollbackFailed", "The rollback failed"),
    ],
)
def test_any_other_end_fails_with_its_reason_and_its_id(status: str, left: str) -> None:
    """And says what the hosts are like now."""
    told, _ = play(
        fleet(NONE, refresh("InProgress"), refresh(status, StatusReason="Instance i-9 was unhealthy."))
    )
    assert told["failed"] is True
    assert (status, "r-1") == (told["status"], told["refresh_id"])
    for part in ("r-1", "version 3", f"ended as {status}", "Instance i-9 was unhealthy.", left):
        assert part in told["msg"]


def test_every_end_that_aws_knows_is_one() -> None:
    """All other statuses are waited out."""
    known = get_session().get_service_model("autoscaling").shape_for("InstanceRefreshStatus").enum
    going = {"Pending", "InProgress", "Baking", "Cancelling", "RollbackInProgress"}
    assert set(known) - going == set(runpy.run_path(str(MODULES / "fleet_refresh.py"))["ENDINGS"])


def test_a_rollback_tells_why_it_began() -> None:
    """The reason of the rollback stands beside the status, in a place of its own."""
    details = {"RollbackReason": "The alarm shop-5xx rang."}
    told, _ = play(fleet(NONE, refresh("RollbackSuccessful", RollbackDetails=details)))
    assert "AWS says: The alarm shop-5xx rang. All hosts" in told["msg"]


def test_an_end_without_a_reason_says_so() -> None:
    """Rather than nothing."""
    told, _ = play(fleet(NONE, refresh("Failed")))
    assert "AWS gives no reason." in told["msg"]


def test_a_refresh_that_takes_too_long_is_left_running() -> None:
    """The sentence says how far it is, and how to join it or take it back."""
    told, aws = play(fleet(NONE, refresh("InProgress", PercentageComplete=40)), timeout=0)
    assert (True, "InProgress", "r-1") == (told["failed"], told["status"], told["refresh_id"])
    assert "has not ended within 0 s: it is InProgress, 40 % done" in told["msg"]
    assert "rollback-instance-refresh" in told["msg"]
    assert ["StartInstanceRefresh"] == [call for call in aws.calls if call in WRITES]


@pytest.mark.parametrize("call", ["DescribeAutoScalingGroups", "StartInstanceRefresh"])
def test_a_throttled_call_is_made_again(call: str) -> None:
    """By botocore."""
    script = fleet(NONE, refresh("Successful"))
    script[call].insert(0, Refuse("Throttling"))
    told, aws = play(script)
    assert "Successful" == told["status"]
    assert 2 == aws.calls.count(call)


@pytest.mark.parametrize("line", [Refuse("Throttling"), Refuse("ServiceUnavailable", 503), Cut()])
def test_a_look_that_fails_for_a_while_does_not_end_the_wait(
    monkeypatch: pytest.MonkeyPatch, line: Any
) -> None:
    """The refresh goes on meanwhile, so the next look tells."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    told, _ = play(fleet(NONE, line, line, refresh("Successful")))
    assert "Successful" == told["status"]


def test_a_look_that_is_refused_fails_with_the_id() -> None:
    """A right that was taken away does not come back by waiting."""
    told, _ = play(fleet(NONE, Refuse("AccessDenied")))
    assert (True, "r-1") == (told["failed"], told["refresh_id"])
    assert "The outcome of the refresh r-1 is unknown" in told["msg"]


def test_nothing_is_done_where_everything_has_the_version() -> None:
    """Neither a call that writes nor a question to the alarms."""
    told, aws = play(fleet(NONE, groups=[group(NEW, NEW, of=NEW)]))
    assert {"changed": False, "version": 3} == {name: told[name] for name in ("changed", "version")}
    assert ["DescribeInstanceRefreshes", "DescribeAutoScalingGroups"] == aws.calls


def test_ended_refreshes_of_the_past_are_no_hindrance() -> None:
    """AWS tells of them for weeks."""
    told, _ = play(fleet(refresh("RollbackSuccessful", "r-0"), refresh("Successful")))
    assert "r-1" == told["refresh_id"]


@pytest.mark.parametrize(
    ("there", "stale"),
    [
        (group(NEW, OLD, of=NEW), ["i-2"]),
        (group(NEW, of=OLD), []),
        (group(NEW, of=None), []),
        (group(), []),
        (group({"LaunchTemplateId": "lt-0", "Version": "3"}, of=NEW), ["i-1"]),
    ],
)
def test_it_rolls_where_the_group_or_an_instance_is_behind(there: dict[str, Any], stale: list[str]) -> None:
    """A group that has the version and an instance that has not, and the other way round."""
    told, _ = play(fleet(NONE, refresh("Successful"), groups=[there]))
    assert (True, stale) == (told["changed"], told["replaced"])


def test_an_instance_that_goes_counts_no_more() -> None:
    """It needs no replacement."""
    there = group(NEW, OLD, of=NEW)
    there["AutoScalingGroups"][0]["Instances"][1]["LifecycleState"] = "Terminating:Wait"
    told, _ = play(fleet(NONE, groups=[there]))
    assert told["changed"] is False


def test_a_refresh_to_the_same_version_is_joined() -> None:
    """Nothing is started, and its end is ours."""
    told, aws = play(fleet(refresh("InProgress", "r-7"), refresh("Successful", "r-7")))
    assert (False, True, "r-7", "Successful") == tuple(
        told[name] for name in ("changed", "joined", "refresh_id", "status")
    )
    assert WRITES.isdisjoint(aws.calls)


def test_a_joined_refresh_that_is_rolled_back_fails() -> None:
    """What goes back from this version is not started a second time in the same run."""
    told, aws = play(fleet(refresh("RollbackInProgress"), refresh("RollbackSuccessful", StatusReason="No.")))
    assert (True, "RollbackSuccessful") == (told["failed"], told["status"])
    assert WRITES.isdisjoint(aws.calls)


def test_a_refresh_to_another_version_is_waited_for() -> None:
    """Then ours is started."""
    other = {"to": OLD, "id": "r-0"}
    told, aws = play(
        fleet(refresh("InProgress", **other), refresh("Cancelled", **other), NONE, refresh("Successful"))
    )
    assert ("r-1", True) == (told["refresh_id"], told["changed"])
    assert 1 == aws.calls.count("StartInstanceRefresh")


def test_a_refresh_without_a_wanted_version_is_another() -> None:
    """One that a person started by hand."""
    bare = {"InstanceRefreshes": [{"InstanceRefreshId": "r-0", "Status": "InProgress"}]}
    told, _ = play(fleet(bare, refresh("Successful", "r-0"), NONE, refresh("Successful")))
    assert "r-1" == told["refresh_id"]


def test_a_refresh_that_comes_between_is_found_and_joined() -> None:
    """Two people release at the same moment: AWS takes one."""
    script = fleet(NONE, refresh("InProgress", "r-2"), refresh("Successful", "r-2"))
    script["StartInstanceRefresh"] = [Refuse("InstanceRefreshInProgress")]
    told, _ = play(script)
    assert ("r-2", True) == (told["refresh_id"], told["joined"])


def test_refreshes_that_always_come_first_end_the_wait() -> None:
    """When the time is over."""
    told, _ = play(fleet(NONE, start=[Refuse("InstanceRefreshInProgress")]), timeout=0)
    assert "Other refreshes of shop keep starting first" in told["msg"]


@pytest.mark.parametrize("kind", ["MetricAlarms", "CompositeAlarms"])
def test_nothing_is_started_while_an_alarm_rings(kind: str) -> None:
    """It would be taken back at once."""
    told, aws = play(fleet(NONE, alarms={kind: RINGING["MetricAlarms"]}))
    assert (True, ["shop-5xx"]) == (told["failed"], told["alarms"])
    assert "shop-5xx is in state ALARM, so shop was not changed" in told["msg"]
    assert WRITES.isdisjoint(aws.calls)


def test_nothing_is_started_where_an_alarm_does_not_exist() -> None:
    """A release that nobody watches is none."""
    told, aws = play(fleet(NONE, alarms={"MetricAlarms": []}))
    assert "The alarm shop-5xx does not exist" in told["msg"]
    assert WRITES.isdisjoint(aws.calls)


def test_an_alarm_that_knows_too_little_rings_not() -> None:
    """A new group has no figures yet."""
    unsure = {"MetricAlarms": [{"AlarmName": "shop-5xx", "StateValue": "INSUFFICIENT_DATA"}]}
    told, _ = play(fleet(NONE, refresh("Successful"), alarms=unsure))
    assert "Successful" == told["status"]


def test_a_group_that_does_not_exist_is_named() -> None:
    """In a sentence."""
    told, _ = play(fleet(NONE, groups=[{"AutoScalingGroups": []}]))
    assert "The Auto Scaling group shop does not exist." == told["msg"]


@pytest.mark.parametrize("call", ["DescribeInstanceRefreshes", "StartInstanceRefresh"])
def test_a_call_that_is_refused_fails(call: str) -> None:
    """With AWS's own words."""
    script = fleet(NONE, refresh("Successful"))
    script[call] = [Refuse("AccessDenied")]
    told, _ = play(script)
    assert told["failed"] is True
    assert "Failed to roll the group shop" in told["msg"]
    assert "AccessDenied" in told["msg"]


def test_a_version_is_a_number() -> None:
    """AWS does not go back from or to $Latest."""
    told, aws = play(fleet(NONE), version="$Latest")
    assert "'version' is of type" in told["msg"]
    assert [] == aws.calls


REHEARSALS = {
    "behind": (fleet(NONE), {"changed": True, "replaced": ["i-1", "i-2"]}),
    "right": (fleet(NONE, groups=[group(NEW, of=NEW)]), {"changed": False}),
    "joined": (fleet(refresh("InProgress", "r-7")), {"changed": False, "joined": True, "refresh_id": "r-7"}),
    "other": (fleet(refresh("InProgress", to=OLD)), {"changed": True, "replaced": ["i-1", "i-2"]}),
    "ringing": (fleet(NONE, alarms=RINGING), {"failed": True, "alarms": ["shop-5xx"]}),
}


@pytest.mark.parametrize("case", REHEARSALS)
def test_a_rehearsal_tells_and_writes_nothing(case: str) -> None:
    """Each in one look, whatever is under way."""
    script, expected = REHEARSALS[case]
    told, aws = play(script, check=True)
    assert expected == {name: told[name] for name in expected}
    assert WRITES.isdisjoint(aws.calls)
    assert all(call.startswith("Describe") for call in aws.calls)
    assert 1 == aws.calls.count("DescribeInstanceRefreshes")
