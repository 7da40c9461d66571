#!/usr/bin/python
"""Rolls an Auto Scaling group to a version of its launch template, and back where that does not go well.

amazon.aws.autoscaling_instance_refresh starts a refresh and leaves it: it knows no wanted version, no rollback
and no alarms, does not wait, and in check mode claims what it would not do.
"""

from __future__ import annotations

import time
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: fleet_refresh
short_description: Rolls an Auto Scaling group to a version of its launch template
description:
  - Starts an instance refresh, waits for its end, and fails with its reason and its id where it ends badly.
  - Does nothing where the group and all of its instances have that version already.
  - A refresh to the same version that is under way is joined; any other is waited for first.
  - While one of the alarms rings nothing is started.
  - In check mode nothing is written and nothing is waited for.
author: The Caption Gallery authors
options:
  name:
    description: The Auto Scaling group.
    type: str
    required: true
  launch_template_id:
    description: The launch template.
    type: str
    required: true
  version:
    description: The number of its version. AWS rolls back between numbers only, so C($Latest) is refused.
    type: int
    required: true
  alarms:
    description: CloudWatch alarms, each of which ends the refresh when it rings.
    type: list
    elements: str
    default: []
  auto_rollback:
    description: Bring the version back that there was before when the refresh fails or an alarm rings.
    type: bool
    default: true
  min_healthy:
    description: Percent of the group's size that stay in service.
    type: int
    default: 100
  max_healthy:
    description: Percent of the group's size that there may be at the same time.
    type: int
    default: 200
  warmup:
    description: Seconds after which a new instance counts as working.
    type: int
    default: 120
  bake:
    description: Seconds that the alarms are watched for after the last instance.
    type: int
    default: 300
  skip_matching:
    description: Leave instances alone that have the version already.
    type: bool
    default: true
  timeout:
    description: Seconds to wait for the end, those for a refresh that came before it among them.
    type: int
    default: 3600
  interval:
    description: Seconds between two looks.
    type: int
    default: 15
"""

EXAMPLES = r"""
- name: Roll the shop's hosts to the third version, and back by itself when customers see errors
  fleet_refresh:
    name: shop
    launch_template_id: lt-0123456789abcdef0
    version: 3
    alarms: [shop-5xx]
"""

RETURN = r"""
version:
  description: The version that was asked for.
  type: int
  returned: always
refresh_id:
  description: The refresh that was started or joined.
  type: str
  returned: when there is one
joined:
  description: Whether the refresh was under way already.
  type: bool
  returned: when there is one
status:
  description: How it ended, in AWS's word.
  type: str
  returned: when it ended
replaced:
  description: The instances that had another version, and are or would be replaced.
  type: list
  elements: str
  returned: when a refresh was started, or would be
"""

# Every status that is an end, with what it leaves behind.
ENDINGS = {
    "Successful": "",
    "Failed": "Nothing was rolled back: hosts of both versions may serve.",
    "Cancelled": "Somebody stopped it: hosts of both versions may serve. Run this again to go on.",
    "RollbackSuccessful": "All hosts have the version that they had before.",
    "RollbackFailed": "Hosts of both versions may serve, and AWS has given up. Look at the group's activity.",
}
# What another look may mend, after botocore's own tries.
PASSING = {"Throttling", "ThrottlingException", "RequestLimitExceeded", "InternalFailure", "ServiceUnavailable"}


class Stopped(Exception):
    """The roll cannot go on; the sentence says why."""

    def __init__(self, sentence: str, **further: Any) -> None:
        super().__init__(sentence)
        self.further = further


class Fleet:
    """One group, where it is to go, and what AWS says of it."""

    def __init__(self, client: Any, cloudwatch: Any, params: dict[str, Any]) -> None:
        self.client, self.cloudwatch, self.params = client, cloudwatch, params
        self.name, self.deadline = params["name"], time.monotonic() + params["timeout"]
        self.wanted = {"LaunchTemplateId": params["launch_template_id"], "Version": str(params["version"])}

    def is_wanted(self, template: dict[str, str] | None) -> bool:
        """Whether a launch template is the wanted one, in the wanted version."""
        return all((template or {}).get(key) == value for key, value in self.wanted.items())

    def under_way(self) -> dict[str, Any] | None:
        """The refresh that has not ended; AWS lets there be one."""
        found = self.client.describe_instance_refreshes(AutoScalingGroupName=self.name)["InstanceRefreshes"]
        return next((refresh for refresh in found if refresh["Status"] not in ENDINGS), None)

    def leads_here(self, refresh: dict[str, Any]) -> bool:
        """Whether a refresh brings, or brought before it went back, the wanted version."""
        return self.is_wanted(refresh.get("DesiredConfiguration", {}).get("LaunchTemplate"))

    def stale(self) -> list[str] | None:
        """The instances that have another version; None where the group and all of them have the wanted one."""
        groups = self.client.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])[
            "AutoScalingGroups"
        ]
        if not groups:
            raise Stopped(f"There is no Auto Scaling group {self.name}.")
        group = groups[0]
        stale = [
            instance["InstanceId"]
            for instance in group.get("Instances", [])
            if not instance["LifecycleState"].startswith("Terminat")
            and not self.is_wanted(instance.get("LaunchTemplate"))
        ]
        return None if not stale and self.is_wanted(group.get("LaunchTemplate")) else stale

    def listen(self) -> None:
        """Stopped where an alarm rings already, or does not exist."""
        names = self.params["alarms"]
        if not names:
            return
        kinds = ["MetricAlarm", "CompositeAlarm"]
        found = self.cloudwatch.describe_alarms(AlarmNames=names, AlarmTypes=kinds, MaxRecords=100)
        states = {
            alarm["AlarmName"]: alarm["StateValue"]
            for alarm in found.get("MetricAlarms", []) + found.get("CompositeAlarms", [])
        }
        if missing := [name for name in names if name not in states]:
            raise Stopped(f"There is no alarm {', '.join(missing)}, so {self.name} was left as it is.")
        if ringing := [name for name in names if states[name] == "ALARM"]:
            raise Stopped(
                f"{', '.join(ringing)} rings already, so {self.name} was left as it is: a release would be"
                " taken back at once. Mend what it tells of, or wait until it is quiet, and run this again.",
                ringing=ringing,
            )

    def start(self) -> str | None:
        """Start a refresh; its id, or None where another was quicker."""
        params = self.params
        preferences = {
            "AutoRollback": params["auto_rollback"],
            "BakeTime": params["bake"],
            "InstanceWarmup": params["warmup"],
            "MaxHealthyPercentage": params["max_healthy"],
            "MinHealthyPercentage": params["min_healthy"],
            "SkipMatching": params["skip_matching"],
        }
        if params["alarms"]:
            preferences["AlarmSpecification"] = {"Alarms": params["alarms"]}
        try:
            return self.client.start_instance_refresh(
                AutoScalingGroupName=self.name,
                Strategy="Rolling",
                DesiredConfiguration={"LaunchTemplate": self.wanted},
                Preferences=preferences,
            )["InstanceRefreshId"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "InstanceRefreshInProgress":
                return None
            raise

    def look(self, refresh_id: str) -> dict[str, Any] | None:
        """The refresh as it is now; None where AWS does not say so just now."""
        try:
            return self.client.describe_instance_refreshes(
                AutoScalingGroupName=self.name, InstanceRefreshIds=[refresh_id]
            )["InstanceRefreshes"][0]
        except ClientError as error:
            if error.response["Error"]["Code"] in PASSING:
                return None
            raise Stopped(
                f"What became of the refresh {refresh_id} is unknown: {error}", refresh_id=refresh_id
            ) from error
        except BotoCoreError:
            return None

    def wait(self, refresh_id: str) -> dict[str, Any]:
        """The refresh, when it has ended; Stopped when the time is over."""
        last: dict[str, Any] = {"Status": "unknown"}
        while True:
            last = self.look(refresh_id) or last
            if last["Status"] in ENDINGS:
                return last
            self.pause(
                f"The refresh {refresh_id} of {self.name} has not ended within {self.params['timeout']} s:"
                f" it is {last['Status']}, {last.get('PercentageComplete', 0)} % done. It goes on by itself."
                " Run this again to join it; `aws autoscaling rollback-instance-refresh"
                f" --auto-scaling-group-name {self.name}` takes it back.",
                refresh_id=refresh_id,
                status=last["Status"],
            )

    def pause(self, sentence: str, **further: Any) -> None:
        """Wait until the next look; Stopped with that sentence when the time is over."""
        if time.monotonic() >= self.deadline:
            raise Stopped(sentence, **further)
        time.sleep(self.params["interval"])

    def outcome(self, refresh_id: str) -> str:
        """Wait; ``Successful``, or Stopped with the reason of any other end."""
        ended = self.wait(refresh_id)
        status = ended["Status"]
        if status != "Successful":
            reasons = [ended.get("RollbackDetails", {}).get("RollbackReason"), ended.get("StatusReason")]
            said = " ".join(reason for reason in reasons if reason) or "AWS gives no reason."
            raise Stopped(
                f"The refresh {refresh_id} of {self.name} to version {self.params['version']} ended as"
                f" {status}. AWS says: {said} {ENDINGS[status]}",
                refresh_id=refresh_id,
                status=status,
            )
        return status


def roll(fleet: Fleet, check_mode: bool) -> dict[str, Any]:
    """Bring the group to the wanted version; what Ansible is told."""
    while True:
        running = fleet.under_way()
        if running is not None and fleet.leads_here(running):
            joined = {"changed": False, "refresh_id": running["InstanceRefreshId"], "joined": True}
            return joined if check_mode else joined | {"status": fleet.outcome(joined["refresh_id"])}
        if running is not None and not check_mode:
            fleet.wait(running["InstanceRefreshId"])
            continue
        stale = fleet.stale()
        if stale is None:
            return {"changed": False}
        fleet.listen()
        if check_mode:
            return {"changed": True, "replaced": stale}
        started = fleet.start()
        if started is not None:
            done = {"changed": True, "refresh_id": started, "joined": False, "replaced": stale}
            return done | {"status": fleet.outcome(started)}
        fleet.pause(f"Other refreshes of {fleet.name} keep coming first; nothing was started.")


def main() -> None:
    """Ansible's entry point."""
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
    told = {"version": module.params["version"]}
    try:
        told |= roll(fleet, module.check_mode)
    except Stopped as stop:
        module.fail_json(msg=str(stop), **told, **stop.further)
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"{fleet.name} cannot be rolled")
    module.exit_json(**told)


if __name__ == "__main__":
    main()
