#!/usr/bin/python
"""Roll an Auto Scaling group to a launch template version with an instance refresh, and wait for its end.

amazon.aws.autoscaling_instance_refresh (10.1 to 11.4) starts a refresh but does not wait for it. It has no
parameters for the desired configuration, automatic rollback, bake time and alarms, and in check mode it reports
changes that it would not make.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: fleet_refresh
short_description: Roll an Auto Scaling group to a launch template version
description:
  - Starts an instance refresh and waits for its end. Any status but C(Successful) is a failure, with AWS's
    reason and the ID of the refresh.
  - Does nothing if the group and all of its instances already have the version.
  - Joins a running refresh to the same version; waits for the end of any other one before it starts its own.
  - Starts without the alarms that already are in state ALARM, and warns of it. A refresh can be the cure, and
    AWS would roll it back at once.
  - In check mode it neither writes nor waits.
author: The Caption Gallery authors
options:
  name:
    description: Name of the Auto Scaling group.
    type: str
    required: true
  launch_template_id:
    description: ID of the launch template.
    type: str
    required: true
  version:
    description: Version number of the launch template; not C($Latest), which AWS cannot roll back to.
    type: int
    required: true
  alarms:
    description: CloudWatch alarms that stop the refresh when one changes to ALARM; each must exist.
    type: list
    elements: str
    default: []
  auto_rollback:
    description: Roll back to the previous version if the refresh fails or an alarm changes to ALARM.
    type: bool
    default: true
  min_healthy:
    description: Minimum healthy percentage of the group.
    type: int
    default: 100
  max_healthy:
    description: Maximum healthy percentage of the group.
    type: int
    default: 200
  warmup:
    description: Instance warmup in seconds.
    type: int
    default: 120
  bake:
    description: Bake time in seconds; how long the alarms are watched after the last instance.
    type: int
    default: 300
  skip_matching:
    description: Do not replace instances that already have the version.
    type: bool
    default: true
  timeout:
    description: Seconds to wait for the end, including the wait for an earlier refresh.
    type: int
    default: 3600
  interval:
    description: Seconds between two polls.
    type: int
    default: 15
"""

EXAMPLES = r"""
- name: Roll the hosts to version 3, with automatic rollback on errors
  fleet_refresh:
    name: shop
    launch_template_id: lt-0123456789abcdef0
    version: 3
    alarms: [shop-5xx]
"""

RETURN = r"""
version:
  description: The requested version.
  type: int
  returned: always
refresh_id:
  description: ID of the refresh that was started or joined.
  type: str
  returned: when there is one
joined:
  description: Whether the refresh was already running.
  type: bool
  returned: when there is one
status:
  description: Final status of the refresh.
  type: str
  returned: when it ended
unwatched:
  description: Alarms that were in state ALARM before the refresh, so that they do not stop it.
  type: list
  elements: str
  returned: when there are any
replaced:
  description: IDs of the instances that had another version.
  type: list
  elements: str
  returned: when a refresh was started, or would be
"""

# Final statuses of a refresh, with the resulting state of the group.
ENDINGS = {
    "Successful": "",
    "Failed": "It was not rolled back: hosts of both versions may be in service.",
    "Cancelled": "It was cancelled: hosts of both versions may be in service. Run this again to continue.",
    "RollbackSuccessful": "All hosts have the previous version.",
    "RollbackFailed": "The rollback failed: hosts of both versions may be in service. See the activity log.",
}
# Errors after which polling continues, when botocore's own retries are used up.
TRANSIENT = {
    "Throttling",
    "ThrottlingException",
    "RequestLimitExceeded",
    "InternalFailure",
    "ServiceUnavailable",
}


class RefreshError(Exception):
    """The refresh was not started, failed, or did not end in time; carries further return values."""

    def __init__(self, message: str, **returned: Any) -> None:
        super().__init__(message)
        self.returned = returned


class Fleet:
    """An Auto Scaling group and the launch template version that it must get."""

    def __init__(self, client: Any, cloudwatch: Any, params: dict[str, Any]) -> None:
        self.client, self.cloudwatch, self.params = client, cloudwatch, params
        self.name, self.deadline = params["name"], time.monotonic() + params["timeout"]
        self.wanted = {"LaunchTemplateId": params["launch_template_id"], "Version": str(params["version"])}

    def is_wanted(self, template: dict[str, str] | None) -> bool:
        """Return whether a launch template has the wanted ID and version."""
        return all((template or {}).get(key) == value for key, value in self.wanted.items())

    def running(self) -> dict[str, Any] | None:
        """Return the running refresh, or None; AWS allows one at a time."""
        found = self.client.describe_instance_refreshes(AutoScalingGroupName=self.name)["InstanceRefreshes"]
        return next((refresh for refresh in found if refresh["Status"] not in ENDINGS), None)

    def matches(self, refresh: dict[str, Any]) -> bool:
        """Return whether the desired configuration of a refresh is the wanted version."""
        return self.is_wanted(refresh.get("DesiredConfiguration", {}).get("LaunchTemplate"))

    def outdated(self) -> list[str] | None:
        """Return the IDs of instances with another version, or None if they and the group have the wanted one.

        Raises RefreshError if the group does not exist.
        """
        groups = self.client.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])[
            "AutoScalingGroups"
        ]
        if not groups:
            raise RefreshError(f"The Auto Scaling group {self.name} does not exist.")
        group = groups[0]
        outdated = [
            instance["InstanceId"]
            for instance in group.get("Instances", [])
            if not instance["LifecycleState"].startswith("Terminat")
            and not self.is_wanted(instance.get("LaunchTemplate"))
        ]
        return None if not outdated and self.is_wanted(group.get("LaunchTemplate")) else outdated

    def active_alarms(self) -> list[str]:
        """Return the alarms that are in state ALARM. Raises RefreshError if an alarm does not exist."""
        names = self.params["alarms"]
        if not names:
            return []
        kinds = ["MetricAlarm", "CompositeAlarm"]
        found = self.cloudwatch.describe_alarms(AlarmNames=names, AlarmTypes=kinds, MaxRecords=100)
        states = {
            alarm["AlarmName"]: alarm["StateValue"]
            for alarm in found.get("MetricAlarms", []) + found.get("CompositeAlarms", [])
        }
        if missing := [name for name in names if name not in states]:
            raise RefreshError(
                f"The alarm {', '.join(missing)} does not exist, so {self.name} was not changed."
            )
        return [name for name in names if states[name] == "ALARM"]

    def start(self, unwatched: list[str]) -> str | None:
        """Start a refresh and return its ID, or None if another one started first.

        unwatched: alarms of ``alarms`` that must not stop it.
        """
        params = self.params
        preferences = {
            "AutoRollback": params["auto_rollback"],
            "BakeTime": params["bake"],
            "InstanceWarmup": params["warmup"],
            "MaxHealthyPercentage": params["max_healthy"],
            "MinHealthyPercentage": params["min_healthy"],
            "SkipMatching": params["skip_matching"],
        }
        if watched := [name for name in params["alarms"] if name not in unwatched]:
            preferences["AlarmSpecification"] = {"Alarms": watched}
        try:
            started = self.client.start_instance_refresh(
                AutoScalingGroupName=self.name,
                Strategy="Rolling",
                DesiredConfiguration={"LaunchTemplate": self.wanted},
                Preferences=preferences,
            )
            return str(started["InstanceRefreshId"])
        except ClientError as error:
            if error.response["Error"]["Code"] == "InstanceRefreshInProgress":
                return None
            raise

    def describe(self, refresh_id: str) -> dict[str, Any] | None:
        """Return the refresh, or None after a transient error. Raises RefreshError for any other error."""
        try:
            found = self.client.describe_instance_refreshes(
                AutoScalingGroupName=self.name, InstanceRefreshIds=[refresh_id]
            )
            return dict(found["InstanceRefreshes"][0])
        except ClientError as error:
            if error.response["Error"]["Code"] in TRANSIENT:
                return None
            raise RefreshError(
                f"The outcome of the refresh {refresh_id} is unknown: {error}", refresh_id=refresh_id
            ) from error
        except BotoCoreError:
            return None

    def wait(self, refresh_id: str) -> dict[str, Any]:
        """Poll until the refresh has ended and return it. Raises RefreshError after the timeout."""
        last: dict[str, Any] = {"Status": "unknown"}
        while True:
            last = self.describe(refresh_id) or last
            if last["Status"] in ENDINGS:
                return last
            self.pause(
                f"The refresh {refresh_id} of {self.name} has not ended within {self.params['timeout']} s:"
                f" it is {last['Status']}, {last.get('PercentageComplete', 0)} % done. It continues on AWS."
                " Run this again to join it, or `aws autoscaling rollback-instance-refresh"
                f" --auto-scaling-group-name {self.name}` to roll it back.",
                refresh_id=refresh_id,
                status=last["Status"],
            )

    def pause(self, message: str, **returned: Any) -> None:
        """Sleep until the next poll. Raises RefreshError with the message after the timeout."""
        if time.monotonic() >= self.deadline:
            raise RefreshError(message, **returned)
        time.sleep(self.params["interval"])

    def outcome(self, refresh_id: str) -> str:
        """Wait for the end and return ``Successful``. Raises RefreshError for any other status."""
        ended = self.wait(refresh_id)
        status = str(ended["Status"])
        if status != "Successful":
            reasons = [ended.get("RollbackDetails", {}).get("RollbackReason"), ended.get("StatusReason")]
            reason = " ".join(each for each in reasons if each) or "AWS gives no reason."
            raise RefreshError(
                f"The refresh {refresh_id} of {self.name} to version {self.params['version']} ended as"
                f" {status}. AWS says: {reason} {ENDINGS[status]}",
                refresh_id=refresh_id,
                status=status,
            )
        return status


def roll(fleet: Fleet, check_mode: bool, warn: Callable[[str], None]) -> dict[str, Any]:
    """Roll the group to the wanted version and return the module's return values. warn: shows a warning."""
    while True:
        running = fleet.running()
        if running is not None and fleet.matches(running):
            refresh_id = running["InstanceRefreshId"]
            joined = {"changed": False, "refresh_id": refresh_id, "joined": True}
            return joined if check_mode else joined | {"status": fleet.outcome(refresh_id)}
        if running is not None and not check_mode:
            fleet.wait(running["InstanceRefreshId"])
            continue
        outdated = fleet.outdated()
        if outdated is None:
            return {"changed": False}
        unwatched = fleet.active_alarms()
        planned = {"changed": True, "replaced": outdated} | ({"unwatched": unwatched} if unwatched else {})
        if unwatched:
            warn(
                f"{', '.join(unwatched)} is already in state ALARM, so it does not stop this release of"
                f" {fleet.name} and does not roll it back. Check it when the release has ended."
            )
        if check_mode:
            return planned
        started = fleet.start(unwatched)
        if started is not None:
            done = {"refresh_id": started, "joined": False, "status": fleet.outcome(started)}
            return planned | done
        fleet.pause(f"Other refreshes of {fleet.name} keep starting first; no refresh was started.")


def main() -> None:
    """Run the module."""
    number = {"type": "int"}
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "launch_template_id": {"type": "str", "required": True},
            "version": {"type": "int", "required": True},
            "alarms": {"type": "list", "elements": "str", "default": []},
            "auto_rollback": {"type": "bool", "default": True},
            "min_healthy": number | {"default": 100},
            "max_healthy": number | {"default": 200},
            "warmup": number | {"default": 120},
            "bake": number | {"default": 300},
            "skip_matching": {"type": "bool", "default": True},
            "timeout": number | {"default": 3600},
            "interval": number | {"default": 15},
        },
        supports_check_mode=True,
    )
    fleet = Fleet(module.client("autoscaling"), module.client("cloudwatch"), module.params)
    returned: dict[str, Any] = {"version": module.params["version"]}
    try:
        returned |= roll(fleet, module.check_mode, module.warn)
    except RefreshError as error:
        module.fail_json(msg=str(error), **returned, **error.returned)
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"Failed to roll the group {fleet.name}")
    module.exit_json(**returned)


if __name__ == "__main__":
    main()
