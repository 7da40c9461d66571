"""What is asked of the network, and of the hosts in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.deploy.security_rules import ANY, add, allowing, check, condition, drop, put
from tests.deploy.security_snapshot import Snapshot

WORLD = {"0.0.0.0/0", "::/0"}
SSH_FROM_ANYWHERE = {
    "IpProtocol": "tcp",
    "FromPort": 22,
    "ToPort": 22,
    "UserIdGroupPairs": [],
    "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
}
ANYTHING_OUT = {"IpProtocol": "-1", "UserIdGroupPairs": [], "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
OLD_HOST = {
    "InstanceId": "i-1",
    "MetadataOptions": {"HttpTokens": "optional"},
    "SecurityGroups": [{"GroupId": "sg-of-others"}],
}

Permission = dict[str, Any]


def ranges(permission: Permission) -> set[str]:
    """The addresses that a rule is about."""
    four = {each["CidrIp"] for each in permission.get("IpRanges", [])}
    return four | {each["CidrIpv6"] for each in permission.get("Ipv6Ranges", [])}


def ports(permission: Permission) -> Any:
    """The one port of a rule; anything else where it is about more."""
    single = permission.get("FromPort") == permission.get("ToPort")
    return permission.get("FromPort") if permission["IpProtocol"] == "tcp" and single else "many"


def coming_in(found: Snapshot) -> Iterator[tuple[str, Permission]]:
    """Each rule of each group for what comes in."""
    yield from ((name, each) for name, group in found.groups.items() for each in group["IpPermissions"])


def going_out(found: Snapshot) -> Iterator[tuple[str, Permission]]:
    """The same for what goes out."""
    yield from ((name, each) for name, group in found.groups.items() for each in group["IpPermissionsEgress"])


def between(found: Snapshot, group: str, way: str) -> set[tuple[Any, str]]:
    """A group's rules as pairs: the port, and the other group's name or the range."""
    names = {each["GroupId"]: name for name, each in found.groups.items()}
    return {
        (ports(permission), other)
        for permission in found.groups[group][way]
        for other in [
            *(names.get(pair["GroupId"], "?") for pair in permission["UserIdGroupPairs"]),
            *ranges(permission),
        ]
    }


def _unlike(found: Snapshot, group: str, way: str, wanted: set[tuple[Any, str]]) -> list[str]:
    return [f"{group}: {port} {other}" for port, other in between(found, group, way) ^ wanted]


@check(add("groups", "edge", "IpPermissions", value=SSH_FROM_ANYWHERE))
def the_world_reaches_two_ports(found: Snapshot) -> list[str]:
    """80 and 443."""
    return [
        f"{name} {ports(each)}"
        for name, each in coming_in(found)
        if ranges(each) & WORLD and ports(each) not in (80, 443)
    ]


@check(add("groups", "database", "IpPermissions", value=SSH_FROM_ANYWHERE | {"FromPort": 443, "ToPort": 443}))
def the_world_reaches_the_load_balancer(found: Snapshot) -> list[str]:
    """No other access is granted."""
    return [name for name, each in coming_in(found) if ranges(each) & WORLD and name != "edge"]


@check(
    add(
        "groups",
        "web",
        "IpPermissions",
        value=SSH_FROM_ANYWHERE | {"IpRanges": [{"CidrIp": "198.51.100.0/24"}]},
    )
)
def others_are_let_in_by_reference(found: Snapshot) -> list[str]:
    """Rules name security groups, not addresses, except one address for the bastion."""
    return [
        name
        for name, each in coming_in(found)
        if any(not (name == "bastion" and address.endswith("/32")) for address in ranges(each) - WORLD)
    ]


@check(add("groups", "web", "IpPermissionsEgress", value=ANYTHING_OUT))
def no_rule_is_about_every_port(found: Snapshot) -> list[str]:
    """This holds for both directions."""
    return [name for name, each in [*coming_in(found), *going_out(found)] if ports(each) == "many"]


@check(add("groups", "default", "IpPermissions", value=SSH_FROM_ANYWHERE))
def the_default_group_lets_nothing_in(found: Snapshot) -> list[str]:
    """What is put nowhere on purpose is put there by AWS."""
    return [name for name, _ in coming_in(found) if name == "default"]


@check(add("groups", "default", "IpPermissionsEgress", value=ANYTHING_OUT))
def the_default_group_lets_nothing_out(found: Snapshot) -> list[str]:
    """Either."""
    return [name for name, _ in going_out(found) if name == "default"]


@check(put("groups", "edge", "IpPermissionsEgress", value=[ANYTHING_OUT]))
def the_load_balancer_reaches_web_hosts(found: Snapshot) -> list[str]:
    """Only their port is open."""
    wanted = {(port, "web") for port, other in between(found, "web", "IpPermissions") if other == "edge"}
    return _unlike(found, "edge", "IpPermissionsEgress", wanted) or ([] if wanted else ["edge: no web host"])


@check(add("groups", "web", "IpPermissions", value=SSH_FROM_ANYWHERE))
def web_hosts_are_reached_from_the_load_balancer(found: Snapshot) -> list[str]:
    """The bastion is allowed too, if there is one."""
    here = between(found, "web", "IpPermissions")
    return [f"{port} {other}" for port, other in here if other not in ("edge", "bastion")]


@check(add("groups", "web", "IpPermissionsEgress", value=SSH_FROM_ANYWHERE))
def web_hosts_reach_what_they_need(found: Snapshot) -> list[str]:
    """The database, AWS, and the mirrors that their packages come from."""
    wanted = {(3306, "database"), (443, "0.0.0.0/0"), (80, "0.0.0.0/0")}
    return _unlike(found, "web", "IpPermissionsEgress", wanted)


@check(add("groups", "functions", "IpPermissions", value=SSH_FROM_ANYWHERE))
def functions_are_reached_by_nobody(found: Snapshot) -> list[str]:
    """Lambda does not come through the network."""
    return _unlike(found, "functions", "IpPermissions", set())


@check(drop("groups", "functions", "IpPermissionsEgress", 0))
def functions_reach_what_they_need(found: Snapshot) -> list[str]:
    """The database; AWS and the model by TLS."""
    return _unlike(found, "functions", "IpPermissionsEgress", {(3306, "database"), (443, "0.0.0.0/0")})


@check(add("groups", "database", "IpPermissions", value=SSH_FROM_ANYWHERE))
def the_database_is_reached_from_hosts_and_functions(found: Snapshot) -> list[str]:
    """Only its port is open."""
    return _unlike(found, "database", "IpPermissions", {(3306, "web"), (3306, "functions")})


@check(add("groups", "database", "IpPermissionsEgress", value=ANYTHING_OUT))
def the_database_reaches_nothing(found: Snapshot) -> list[str]:
    """It only answers."""
    return _unlike(found, "database", "IpPermissionsEgress", set())


@check(put("groups", "endpoints", "IpPermissions", value=[SSH_FROM_ANYWHERE]))
def endpoints_are_reached_from_hosts_and_functions(found: Snapshot) -> list[str]:
    """The port is that of TLS."""
    return _unlike(found, "endpoints", "IpPermissions", {(443, "web"), (443, "functions")})


@check(add("groups", "bastion", "IpPermissions", value=SSH_FROM_ANYWHERE))
def the_bastion_is_closed_or_open_to_one(found: Snapshot) -> list[str]:
    """The group allows nothing while no host has that name."""
    here = between(found, "bastion", "IpPermissions")
    hosts = [host for host in found.instances if _name(host) == f"{found.look.prefix}-bastion"]
    wrong = {(port, other) for port, other in here if port != 22 or not other.endswith("/32")}
    return [f"{port} {other}" for port, other in (wrong if hosts else here)]


def _name(host: dict[str, Any]) -> str:
    return next((tag["Value"] for tag in host.get("Tags", []) if tag["Key"] == "Name"), "")


@check(put("subnets", ANY, "MapPublicIpOnLaunch", value=True))
def nothing_gets_a_public_address_by_itself(found: Snapshot) -> list[str]:
    """No subnet assigns them."""
    return [subnet["SubnetId"] for subnet in found.subnets if subnet["MapPublicIpOnLaunch"]]


def _zones(found: Snapshot, tier: str) -> list[str]:
    return [subnet["AvailabilityZone"] for subnet in found.subnets if subnet["Tags"].get("Tier") == tier]


@check(drop("subnets", ANY))
def every_tier_is_in_two_zones(found: Snapshot) -> list[str]:
    """Two is the minimum."""
    return [tier for tier in ("public", "private", "isolated") if len(set(_zones(found, tier))) < 2]


def routes(found: Snapshot, tier: str) -> list[dict[str, Any]]:
    """The routes of the subnets of a tier; those of the main table where a subnet has no other."""
    main = [
        table for table in found.route_tables if any(each.get("Main") for each in table.get("Associations", []))
    ]
    tables = {
        each["SubnetId"]: table
        for table in found.route_tables
        for each in table.get("Associations", [])
        if "SubnetId" in each
    }
    mine = [subnet["SubnetId"] for subnet in found.subnets if subnet["Tags"].get("Tier") == tier]
    return [route for subnet in mine for route in tables.get(subnet, main[0])["Routes"]]


def _open_every_table(found: Snapshot) -> None:
    for table in found.route_tables:
        table["Routes"].append({"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"})


@check(_open_every_table)
def the_isolated_have_no_way_out(found: Snapshot) -> list[str]:
    """Inbound traffic is closed too: the database communicates within the VPC only."""
    return [str(route) for route in routes(found, "isolated") if route.get("GatewayId") != "local"]


@check(_open_every_table)
def the_private_have_no_way_in(found: Snapshot) -> list[str]:
    """They go out by NAT, or not at all."""
    return [str(route) for route in routes(found, "private") if str(route.get("GatewayId")).startswith("igw-")]


@check(_open_every_table)
def the_main_table_leads_nowhere(found: Snapshot) -> list[str]:
    """A subnet without a route table of its own is private then."""
    return [
        table["RouteTableId"]
        for table in found.route_tables
        if any(each.get("Main") for each in table.get("Associations", []))
        and any(route.get("GatewayId") != "local" for route in table["Routes"])
    ]


@check(put("endpoints", ANY, "Policy", "Statement", 0, "Condition", value={}))
def endpoints_let_this_account_through(found: Snapshot) -> list[str]:
    """Credentials of another account cannot move data out."""
    return [
        endpoint["ServiceName"]
        for endpoint in found.endpoints
        if not list(allowing(endpoint["Policy"]))
        or any(
            condition(statement, "aws:principalaccount") != [found.look.account]
            for statement in allowing(endpoint["Policy"])
        )
    ]


@check(add("route_tables", value={"RouteTableId": "rtb-0", "Tags": {"Name": "gallery-private-z"}}))
def s3_is_reached_inside(found: Snapshot) -> list[str]:
    """Every private route table has the gateway endpoint."""
    tables = {
        table["RouteTableId"] for table in found.route_tables if "-private-" in table["Tags"].get("Name", "")
    }
    joined = {
        table
        for endpoint in found.endpoints
        if endpoint["ServiceName"].endswith(".s3")
        for table in endpoint["RouteTableIds"]
    }
    return sorted(tables - joined) or ([] if tables else ["no private route table"])


@check(
    add(
        "endpoints",
        value={
            "ServiceName": "x.sqs",
            "VpcEndpointType": "Interface",
            "PrivateDnsEnabled": False,
            "Groups": [],
            "RouteTableIds": [],
        },
    )
)
def interface_endpoints_are_guarded(found: Snapshot) -> list[str]:
    """Only their security group is allowed, and private DNS is on."""
    wanted = [found.groups["endpoints"]["GroupId"]]
    return [
        endpoint["ServiceName"]
        for endpoint in found.endpoints
        if endpoint["VpcEndpointType"] == "Interface"
        and (not endpoint["PrivateDnsEnabled"] or [group["GroupId"] for group in endpoint["Groups"]] != wanted)
    ]


@check(put("flow_logs", ANY, "TrafficType", value="REJECT"))
def traffic_is_logged(found: Snapshot) -> list[str]:
    """All of it, in a log group of its own."""
    wanted = {"TrafficType": "ALL", "LogGroupName": f"/{found.look.prefix}/vpc-flow", "FlowLogStatus": "ACTIVE"}
    right = [each for each in found.flow_logs if wanted.items() <= each.items()]
    return [] if len(right) == len(found.vpcs) == 1 else [f"{found.look.prefix}-network"]


@check(add("instances", value=OLD_HOST))
def hosts_speak_imdsv2(found: Snapshot) -> list[str]:
    """A page that makes a host fetch an address does not get its credentials."""
    return [
        host["InstanceId"] for host in found.instances if host["MetadataOptions"]["HttpTokens"] != "required"
    ]


@check(add("instances", value=OLD_HOST))
def hosts_have_groups_of_their_own(found: Snapshot) -> list[str]:
    """The bastion's, or the web hosts'."""
    own = {found.groups[name]["GroupId"] for name in ("bastion", "web")}
    return [
        host["InstanceId"]
        for host in found.instances
        if not own >= {group["GroupId"] for group in host["SecurityGroups"]}
    ]


@check(add("instances", value=OLD_HOST | {"KeyName": "x", "Tags": []}))
def web_hosts_have_no_ssh_key_but_the_bastions(found: Snapshot) -> list[str]:
    """Only the bastion has one, and the web hosts have it while there is a bastion."""
    bastion = f"{found.look.prefix}-bastion"
    accepted = {host.get("KeyName") for host in found.instances if _name(host) == bastion}
    return [
        host["InstanceId"]
        for host in found.instances
        if host.get("KeyName") and host["KeyName"] not in accepted and _name(host) != bastion
    ]


@check(add("addresses", value={"PublicIp": "198.51.100.1", "AllocationId": "eipalloc-1"}))
def every_address_is_used(found: Snapshot) -> list[str]:
    """One that is not costs, and waits to be put somewhere by mistake."""
    return [each["PublicIp"] for each in found.addresses if not each.get("AssociationId")]


@check(add("vpcs", value={"VpcId": "vpc-1"}))
def there_is_one_network(found: Snapshot) -> list[str]:
    """The VPC has the environment's name and is not the default VPC."""
    ids = [vpc["VpcId"] for vpc in found.vpcs]
    return ids if len(ids) != 1 or any(vpc.get("IsDefault") for vpc in found.vpcs) else []
