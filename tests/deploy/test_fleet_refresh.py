"""The rolling refresh against scripted answers: every end, every refusal, and dry runs."""

from __future__ import annotations

from types import SimpleNamespace
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
    """A script: two old instances, a quiet alarm, and what is returned of the refreshes one after another."""
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


def test_successful_refresh_is_a_change() -> None:
    returned, _ = play(
        fleet(NONE, refresh("Pending"), refresh("InProgress"), refresh("Baking"), refresh("Successful"))
    )
    assert ("Successful", "r-1", ["i-1", "i-2"]) == (
        returned["status"],
        returned["refresh_id"],
        returned["replaced"],
    )
    assert returned["changed"] is True


def test_refresh_requests_version_rollback_and_alarms() -> None:
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


def test_refresh_without_alarms_does_not_query_cloudwatch() -> None:
    returned, aws = play(fleet(NONE, refresh("Successful")), alarms=[])
    assert returned["changed"] is True
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
def test_unsuccessful_refresh_fails_with_reason_and_id(status: str, left: str) -> None:
    returned, _ = play(
        fleet(NONE, refresh("InProgress"), refresh(status, StatusReason="Instance i-9 was unhealthy."))
    )
    assert returned["failed"] is True
    assert (status, "r-1") == (returned["status"], returned["refresh_id"])
    for part in ("r-1", "version 3", f"ended as {status}", "Instance i-9 was unhealthy.", left):
        assert part in returned["msg"]


def test_endings_are_all_final_statuses_of_aws() -> None:
    known = get_session().get_service_model("autoscaling").shape_for("InstanceRefreshStatus").enum
    going = {"Pending", "InProgress", "Baking", "Cancelling", "RollbackInProgress"}
    assert set(known) - going == set(MODULES["fleet_refresh"].ENDINGS)


def test_rolled_back_refresh_fails_with_rollback_reason() -> None:
    details = {"RollbackReason": "The alarm shop-5xx rang."}
    returned, _ = play(fleet(NONE, refresh("RollbackSuccessful", RollbackDetails=details)))
    assert "AWS says: The alarm shop-5xx rang. All hosts" in returned["msg"]


def test_failed_refresh_without_reason_says_so() -> None:
    returned, _ = play(fleet(NONE, refresh("Failed")))
    assert "AWS gives no reason." in returned["msg"]


def test_refresh_after_timeout_is_left_running() -> None:
    returned, aws = play(fleet(NONE, refresh("InProgress", PercentageComplete=40)), timeout=0)
    assert (True, "InProgress", "r-1") == (returned["failed"], returned["status"], returned["refresh_id"])
    assert "has not ended within 0 s: it is InProgress, 40 % done" in returned["msg"]
    assert "rollback-instance-refresh" in returned["msg"]
    assert ["StartInstanceRefresh"] == [call for call in aws.calls if call in WRITES]


@pytest.mark.parametrize("call", ["DescribeAutoScalingGroups", "StartInstanceRefresh"])
def test_throttled_call_is_retried(call: str) -> None:
    script = fleet(NONE, refresh("Successful"))
    script[call].insert(0, Refuse("Throttling"))
    returned, aws = play(script)
    assert "Successful" == returned["status"]
    assert 2 == aws.calls.count(call)


@pytest.mark.parametrize("line", [Refuse("Throttling"), Refuse("ServiceUnavailable", 503), Cut()])
def test_transient_error_while_polling_is_ignored(monkeypatch: pytest.MonkeyPatch, line: Any) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    returned, _ = play(fleet(NONE, line, line, refresh("Successful")))
    assert "Successful" == returned["status"]


def test_denied_poll_fails_with_the_refresh_id() -> None:
    returned, _ = play(fleet(NONE, Refuse("AccessDenied")))
    assert (True, "r-1") == (returned["failed"], returned["refresh_id"])
    assert "The outcome of the refresh r-1 is unknown" in returned["msg"]


def test_group_with_the_version_starts_nothing() -> None:
    returned, aws = play(fleet(NONE, groups=[group(NEW, NEW, of=NEW)]))
    assert {"changed": False, "version": 3} == {name: returned[name] for name in ("changed", "version")}
    assert ["DescribeInstanceRefreshes", "DescribeAutoScalingGroups"] == aws.calls


def test_earlier_ended_refresh_is_ignored() -> None:
    returned, _ = play(fleet(refresh("RollbackSuccessful", "r-0"), refresh("Successful")))
    assert "r-1" == returned["refresh_id"]


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
def test_outdated_group_or_instance_starts_a_refresh(there: dict[str, Any], stale: list[str]) -> None:
    returned, _ = play(fleet(NONE, refresh("Successful"), groups=[there]))
    assert (True, stale) == (returned["changed"], returned["replaced"])


def test_terminating_instance_is_ignored() -> None:
    there = group(NEW, OLD, of=NEW)
    there["AutoScalingGroups"][0]["Instances"][1]["LifecycleState"] = "Terminating:Wait"
    returned, _ = play(fleet(NONE, groups=[there]))
    assert returned["changed"] is False


def test_running_refresh_to_same_version_is_joined() -> None:
    returned, aws = play(fleet(refresh("InProgress", "r-7"), refresh("Successful", "r-7")))
    assert (False, True, "r-7", "Successful") == tuple(
        returned[name] for name in ("changed", "joined", "refresh_id", "status")
    )
    assert WRITES.isdisjoint(aws.calls)


def test_joined_refresh_that_is_rolled_back_fails() -> None:
    returned, aws = play(
        fleet(refresh("RollbackInProgress"), refresh("RollbackSuccessful", StatusReason="No."))
    )
    assert (True, "RollbackSuccessful") == (returned["failed"], returned["status"])
    assert WRITES.isdisjoint(aws.calls)


def test_running_refresh_to_other_version_is_awaited() -> None:
    other = {"to": OLD, "id": "r-0"}
    returned, aws = play(
        fleet(refresh("InProgress", **other), refresh("Cancelled", **other), NONE, refresh("Successful"))
    )
    assert ("r-1", True) == (returned["refresh_id"], returned["changed"])
    assert 1 == aws.calls.count("StartInstanceRefresh")


def test_running_refresh_without_version_is_awaited() -> None:
    bare = {"InstanceRefreshes": [{"InstanceRefreshId": "r-0", "Status": "InProgress"}]}
    returned, _ = play(fleet(bare, refresh("Successful", "r-0"), NONE, refresh("Successful")))
    assert "r-1" == returned["refresh_id"]


def test_refresh_started_by_someone_else_is_joined() -> None:
    script = fleet(NONE, refresh("InProgress", "r-2"), refresh("Successful", "r-2"))
    script["StartInstanceRefresh"] = [Refuse("InstanceRefreshInProgress")]
    returned, _ = play(script)
    assert ("r-2", True) == (returned["refresh_id"], returned["joined"])


def test_refreshes_that_keep_starting_first_time_out() -> None:
    returned, _ = play(fleet(NONE, start=[Refuse("InstanceRefreshInProgress")]), timeout=0)
    assert "Other refreshes of shop keep starting first" in returned["msg"]


def test_alarms_of_both_kinds_are_read_by_their_names() -> None:
    """CloudWatch returns 50 without MaxRecords, and takes 100 names at most."""
    _, aws = play(fleet(NONE, refresh("Successful")))
    assert {
        "Action": "DescribeAlarms",
        "AlarmNames": ["shop-5xx"],
        "AlarmTypes": ["MetricAlarm", "CompositeAlarm"],
        "MaxRecords": 100,
    } == aws.call("DescribeAlarms")


def test_refresh_is_polled_at_the_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    time = SimpleNamespace(sleep=pauses.append, monotonic=lambda: 0.0)
    monkeypatch.setattr(MODULES["fleet_refresh"], "time", time)
    play(fleet(NONE, refresh("Pending"), refresh("InProgress"), refresh("Successful")), interval=7)
    assert [7, 7] == pauses


@pytest.mark.parametrize("kind", ["MetricAlarms", "CompositeAlarms"])
def test_active_alarm_is_left_out_of_the_refresh_with_a_warning(kind: str) -> None:
    """A rollback by hand, or the release with the corrected setting, must not wait for the alarm to recover."""
    states = {"shop-5xx": "ALARM", "shop-unhealthy": "OK"}
    alarms = {kind: [{"AlarmName": name, "StateValue": state} for name, state in states.items()]}
    script = fleet(NONE, refresh("Successful"), alarms=alarms)
    returned, aws = play(script, alarms=list(states), name=kind)  # a name of its own: ansible keeps warnings
    asked = aws.call("StartInstanceRefresh")
    assert ["shop-unhealthy"] == [asked[name] for name in asked if "AlarmSpecification" in name]
    assert ("Successful", True, ["shop-5xx"]) == tuple(
        returned[name] for name in ("status", "changed", "unwatched")
    )
    said = f"shop-5xx is already in state ALARM, so it does not stop this release of {kind}"
    assert said in str(returned["warnings"])


def test_refresh_under_active_alarms_alone_watches_none() -> None:
    returned, aws = play(fleet(NONE, refresh("Successful"), alarms=RINGING))
    asked = aws.call("StartInstanceRefresh")
    assert not any("AlarmSpecification" in name for name in asked)
    assert ("true", ["shop-5xx"]) == (asked["Preferences.AutoRollback"], returned["unwatched"])


def test_refresh_under_quiet_alarms_does_not_warn() -> None:
    returned, _ = play(fleet(NONE, refresh("Successful")), name="quiet")
    assert "unwatched" not in returned
    assert "of quiet" not in str(returned.get("warnings"))


def test_missing_alarm_prevents_a_refresh() -> None:
    returned, aws = play(fleet(NONE, alarms={"MetricAlarms": []}))
    assert "The alarm shop-5xx does not exist" in returned["msg"]
    assert WRITES.isdisjoint(aws.calls)


def test_alarm_with_insufficient_data_allows_a_refresh() -> None:
    unsure = {"MetricAlarms": [{"AlarmName": "shop-5xx", "StateValue": "INSUFFICIENT_DATA"}]}
    returned, _ = play(fleet(NONE, refresh("Successful"), alarms=unsure))
    assert "Successful" == returned["status"]


def test_missing_group_fails_with_its_name() -> None:
    returned, _ = play(fleet(NONE, groups=[{"AutoScalingGroups": []}]))
    assert "The Auto Scaling group shop does not exist." == returned["msg"]


@pytest.mark.parametrize("call", ["DescribeInstanceRefreshes", "StartInstanceRefresh"])
def test_denied_call_fails_with_aws_error(call: str) -> None:
    script = fleet(NONE, refresh("Successful"))
    script[call] = [Refuse("AccessDenied")]
    returned, _ = play(script)
    assert returned["failed"] is True
    assert "Failed to roll the group shop" in returned["msg"]
    assert "AccessDenied" in returned["msg"]


def test_version_latest_is_refused() -> None:
    returned, aws = play(fleet(NONE), version="$Latest")
    assert "'version' is of type" in returned["msg"]
    assert [] == aws.calls


REHEARSALS = {
    "behind": (fleet(NONE), {"changed": True, "replaced": ["i-1", "i-2"]}),
    "right": (fleet(NONE, groups=[group(NEW, of=NEW)]), {"changed": False}),
    "joined": (fleet(refresh("InProgress", "r-7")), {"changed": False, "joined": True, "refresh_id": "r-7"}),
    "other": (fleet(refresh("InProgress", to=OLD)), {"changed": True, "replaced": ["i-1", "i-2"]}),
    "ringing": (fleet(NONE, alarms=RINGING), {"changed": True, "unwatched": ["shop-5xx"]}),
}


@pytest.mark.parametrize("case", REHEARSALS)
def test_refresh_in_check_mode_reports_and_writes_nothing(case: str) -> None:
    script, expected = REHEARSALS[case]
    returned, aws = play(script, check=True)
    assert expected == {name: returned[name] for name in expected}
    assert WRITES.isdisjoint(aws.calls)
    assert all(call.startswith("Describe") for call in aws.calls)
    assert 1 == aws.calls.count("DescribeInstanceRefreshes")
