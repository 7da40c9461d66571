"""What an account says about itself: each resource of one environment, described once, as plain data.

::

    found = take(Look(aws.client, "caption-gallery", "staging"))
    found.buckets["caption-gallery-staging-uploads-123456789012"]["versioning"]
    found = retake(look, found, "buckets")  # after something was changed

Policies are documents, not text. Only resources with the environment's name or in its VPC are described.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tests.deploy import security_describe, security_describe_network
from tests.deploy.security_look import Look

Described = dict[str, Any]


@dataclass
class Snapshot:
    """One field for each kind of resource: most by name, the network's parts as lists.

    Of production more is asked than of a place for trying.
    """

    look: Look
    production: bool
    buckets: Described
    topics: Described
    queues: Described
    functions: Described
    rules: Described
    roles: Described
    users: list[str]
    secrets: Described
    log_groups: Described
    alarms: Described
    balancers: Described
    firewalls: Described
    distributions: Described
    databases: Described
    vpcs: list[Described]
    subnets: list[Described]
    route_tables: list[Described]
    groups: Described
    endpoints: list[Described]
    flow_logs: list[Described]
    instances: list[Described]
    addresses: list[Described]
    templates: list[Described]
    fleets: list[Described]


SECTIONS: dict[str, Callable[[Look], Any]] = {
    "buckets": security_describe.buckets,
    "topics": security_describe.topics,
    "queues": security_describe.queues,
    "functions": security_describe.functions,
    "rules": security_describe.rules,
    "roles": security_describe.roles,
    "users": security_describe.users,
    "secrets": security_describe.secrets,
    "log_groups": security_describe.log_groups,
    "alarms": security_describe.alarms,
    "balancers": security_describe_network.balancers,
    "firewalls": security_describe_network.firewalls,
    "distributions": security_describe_network.distributions,
    "databases": security_describe_network.databases,
    "vpcs": security_describe_network.vpcs,
    "subnets": security_describe_network.subnets,
    "route_tables": security_describe_network.route_tables,
    "groups": security_describe_network.groups,
    "endpoints": security_describe_network.endpoints,
    "flow_logs": security_describe_network.flow_logs,
    "instances": security_describe_network.instances,
    "addresses": security_describe_network.addresses,
    "templates": security_describe_network.templates,
    "fleets": security_describe_network.fleets,
}


def take(look: Look) -> Snapshot:
    """Everything, described."""
    described = {name: describe(look) for name, describe in SECTIONS.items()}
    return Snapshot(look, look.env == "production", **described)


def retake(look: Look, found: Snapshot, *names: str) -> Snapshot:
    """The same with these sections described anew."""
    return replace(found, **{name: SECTIONS[name](look) for name in names})
