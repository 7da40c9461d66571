"""Load balancers, as AWS has them: further corrections of the stand-in, for aws_corrections."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Answer = tuple[int, dict[str, str], bytes]
Action = Callable[[Any], Answer]


def target_groups() -> None:
    """DescribeTargetGroups by an unknown name: AWS answers TargetGroupNotFound, not an empty list."""
    from ministack.services import alb

    describe: Action = alb._ACTION_MAP["DescribeTargetGroups"]

    def corrected(params: Any) -> Answer:
        known = {group["TargetGroupName"] for group in alb._tgs.values()}
        if set(alb._parse_member_list(params, "Names")) - known:
            return alb._error("TargetGroupNotFound", "One or more target groups not found", 400)
        return describe(params)

    alb._ACTION_MAP["DescribeTargetGroups"] = corrected


def balancer_attributes() -> None:
    """Load balancers and target groups: AWS has every attribute of their kind from the start."""
    from ministack.services import alb

    _complete(alb, "CreateTargetGroup", alb._tg_attrs, TARGET_GROUP_ATTRIBUTES)
    _complete(alb, "CreateLoadBalancer", alb._lb_attrs, LOAD_BALANCER_ATTRIBUTES)


def listener_actions() -> None:
    """DescribeListeners, DescribeRules: AWS does not tell the order of an action that was given none."""
    from ministack.services import alb

    tell: Callable[[Any], str] = alb._action_xml
    alb._action_xml = lambda action: tell(action).replace("<Order>1</Order>", "")


TARGET_GROUP_ATTRIBUTES = {"load_balancing.algorithm.type": "round_robin", "slow_start.duration_seconds": "0"}
# Of type LoadBalancerAttribute, with the values that a new application load balancer has.
LOAD_BALANCER_ATTRIBUTES = {
    "access_logs.s3.enabled": "false",
    "client_keep_alive.seconds": "3600",
    "connection_logs.s3.bucket": "",
    "connection_logs.s3.enabled": "false",
    "connection_logs.s3.prefix": "",
    "idle_timeout.timeout_seconds": "60",
    "ipv6.deny_all_igw_traffic": "false",
    "load_balancing.cross_zone.enabled": "true",
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "routing.http2.enabled": "true",
    "waf.fail_open.enabled": "false",
    "zonal_shift.config.enabled": "false",
}


def _complete(service: Any, action: str, store: Any, attributes: dict[str, str]) -> None:
    """Give what is created the attributes that it lacks."""
    create: Action = service._ACTION_MAP[action]

    def corrected(params: Any) -> Answer:
        before = set(store)
        answer = create(params)
        for arn in set(store) - before:
            has = {attribute["Key"] for attribute in store[arn]}
            store[arn] += [{"Key": key, "Value": value} for key, value in attributes.items() if key not in has]
        return answer

    service._ACTION_MAP[action] = corrected


def balancer_zones() -> None:
    """DescribeLoadBalancers: AWS tells the zone that each subnet is in, not the first one for all."""
    from ministack.services import alb, ec2

    tell = alb._lb_xml

    def zoned(found: re.Match[str]) -> str:
        zone = ec2._subnets.get(found[2], {}).get("AvailabilityZone", found[1])
        return f"<ZoneName>{zone}</ZoneName><SubnetId>{found[2]}</SubnetId>"

    def corrected(balancer: dict[str, Any]) -> str:
        described: str = tell(balancer)
        return re.sub(r"<ZoneName>([^<]*)</ZoneName><SubnetId>([^<]*)</SubnetId>", zoned, described)

    alb._lb_xml = corrected


CORRECTIONS: tuple[Callable[[], None], ...] = (
    target_groups,
    balancer_attributes,
    listener_actions,
    balancer_zones,
)
