"""The Auto Scaling group under test, from CloudWatch: how many instances served, and how busy they were."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

PERIOD = 60  # seconds; CloudWatch keeps nothing finer for either metric unless it is paid for
LATE = 180.0  # seconds that CloudWatch may be behind
Curve = list[tuple[float, float]]  # second of the test, value

# What each curve is; the group's own metrics have to be enabled, as the role ``fleet`` does.
_METRICS = {
    "instances": ("AWS/AutoScaling", "GroupInServiceInstances"),
    "cpu": ("AWS/EC2", "CPUUtilization"),
}


@dataclass(frozen=True)
class Scaling:
    """instances: how many were in service. cpu: their mean use in percent. Both in order of time."""

    instances: Curve
    cpu: Curve

    @staticmethod
    def at(curve: Curve, second: float) -> float | None:
        """The newest value that was known at ``second``; None before the first."""
        return next((value for when, value in reversed(curve) if when <= second), None)


def fetch(client: Any, group: str, begun: datetime, ended: datetime) -> Scaling:
    """The group's curves from the minute before ``begun`` to ``ended``, both with a time zone.

    client: boto3's for cloudwatch; its errors are raised as they come.
    """
    asked = {
        "StartTime": begun.replace(second=0, microsecond=0) - timedelta(seconds=PERIOD),
        "EndTime": ended + timedelta(seconds=PERIOD),
        "ScanBy": "TimestampAscending",
        "MetricDataQueries": [_query(name, *metric, group) for name, metric in _METRICS.items()],
    }
    curves: dict[str, Curve] = {name: [] for name in _METRICS}
    token: dict[str, str] = {}
    while True:
        answer = client.get_metric_data(**asked, **token)
        for result in answer["MetricDataResults"]:
            moments = zip(result["Timestamps"], result["Values"], strict=True)
            curves[result["Id"]] += [((when - begun).total_seconds(), value) for when, value in moments]
        if not answer.get("NextToken"):
            return Scaling(**{name: sorted(curve) for name, curve in curves.items()})
        token = {"NextToken": answer["NextToken"]}


def await_curves(
    client: Any, group: str, begun: datetime, ended: datetime, *, sleep: Callable[[float], object] = time.sleep
) -> Scaling:
    """``fetch`` as soon as CloudWatch has caught up with ``ended``, or after three minutes as it is then."""
    last = (ended - begun).total_seconds() - PERIOD
    for _ in range(int(LATE / 15)):
        found = fetch(client, group, begun, ended)
        if all(curve and curve[-1][0] >= last for curve in (found.instances, found.cpu)):
            return found
        sleep(15)
    return fetch(client, group, begun, ended)


def _query(name: str, namespace: str, metric: str, group: str) -> dict[str, Any]:
    dimension = {"Name": "AutoScalingGroupName", "Value": group}
    return {
        "Id": name,
        "MetricStat": {
            "Metric": {"Namespace": namespace, "MetricName": metric, "Dimensions": [dimension]},
            "Period": PERIOD,
            "Stat": "Average",
        },
    }
