"""The AWS stand-in, corrected where AWS itself answers otherwise: ``python -m tests.deploy.aws_corrections``.

It takes ministack's own variables (GATEWAY_PORT, BIND_HOST, AUTH, …), puts the corrections below in place and
serves. Each says what AWS does, so that it can go when ministack does the same.
"""

from __future__ import annotations

import asyncio.constants
import fnmatch
import json
import os
import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit
from xml.sax.saxutils import escape

ACTIONS = Path(__file__).with_name(
    "service_authorization.json"
)  # all that the project calls, as IAM names them
Answer = tuple[int, dict[str, str], bytes]
Action = Callable[[Any], Answer]


def images() -> None:
    """DescribeImages: Debian publishes its images to every region, and AWS tells when each was made."""
    from ministack.services import ec2

    debian = (
        "ami-0deb13a0000000001",
        "debian-13-arm64-20260101-1",
        "Debian 13",
        "",
        "/dev/xvda",
        "136693071363",
        None,
    )
    ec2._STUB_AMIS.append(debian)
    stubs = {stub[0]: stub for stub in ec2._STUB_AMIS}
    made = "<creationDate>2026-01-01T00:00:00.000Z</creationDate>"
    _tell_more(ec2, "DescribeImages", "imageId", stubs, lambda _: made)


def key_pairs() -> None:
    """ImportKeyPair: AWS keeps the tags that come with it."""
    from ministack.services import ec2

    ids = _Ids(lambda: {pair["KeyPairId"]: pair for pair in ec2._key_pairs.values()})
    _remember(ec2, "ImportKeyPair", "keyPairId", ids, tagged_as="key-pair")


def instances() -> None:
    """RunInstances, DescribeInstances: AWS makes the interface that was asked for, and tells it; IMDS too."""
    from ministack.services import ec2

    run: Action = ec2._ACTION_MAP["RunInstances"]

    def corrected(params: Any) -> Answer:
        start = "NetworkInterface.1."
        interface = {key.removeprefix(start): value for key, value in params.items() if key.startswith(start)}
        return run(interface | params)

    def described(instance: dict[str, Any]) -> str:
        interface = f"<networkInterfaceId>eni-{instance['InstanceId'][2:]}</networkInterfaceId>"
        asked = instance.get("asked", {})
        tokens = ec2._p(asked, "MetadataOptions.HttpTokens") or "optional"
        hops = ec2._p(asked, "MetadataOptions.HttpPutResponseHopLimit") or "1"
        imds = f"<httpTokens>{tokens}</httpTokens><httpPutResponseHopLimit>{hops}</httpPutResponseHopLimit>"
        return (
            f"<networkInterfaceSet><item>{interface}</item></networkInterfaceSet>"
            f"<metadataOptions><state>applied</state>{imds}</metadataOptions>"
        )

    ec2._ACTION_MAP["RunInstances"] = corrected
    _remember(ec2, "RunInstances", "instanceId", ec2._instances)
    for action in ("RunInstances", "DescribeInstances"):
        _tell_more(ec2, action, "instanceId", ec2._instances, described)


class _Ids(dict[str, Any]):
    """A store that is kept by name, seen by id."""

    def __init__(self, look: Callable[[], dict[str, Any]]) -> None:
        self._look = look

    def __contains__(self, key: object) -> bool:
        return key in self._look()

    def __getitem__(self, key: str) -> Any:
        return self._look()[key]


def addresses() -> None:
    """DescribeAddresses: AWS honours PublicIp and Filter. ReleaseAddress: not while a NAT gateway holds it."""
    from ministack.services import ec2

    describe: Action = ec2._ACTION_MAP["DescribeAddresses"]
    release: Action = ec2._ACTION_MAP["ReleaseAddress"]

    def held() -> set[str]:
        gateways = ec2._nat_gateways.values()
        return {gateway["AllocationId"] for gateway in gateways if gateway["State"] == "available"}

    def corrected(params: Any) -> Answer:
        asked = {"public-ip": ec2._parse_member_list(params, "PublicIp")} if "PublicIp.1" in params else {}
        asked |= ec2._parse_filters(params)
        found = []
        for key, address in ec2._addresses.items():
            address["AssociationId"] = f"eipassoc-{key[-17:]}" if key in held() else address["AssociationId"]
            fields = {"public-ip": address["PublicIp"], "domain": address["Domain"], "allocation-id": key}
            if _matches(asked, fields) and ec2._resource_matches_tag_filters(key, asked):
                found.append(key)
        chosen = {f"AllocationId.{number}": [key] for number, key in enumerate(found or ["none"], 1)}
        return describe(params | chosen if asked else params)

    def kept(params: Any) -> Answer:
        if ec2._p(params, "AllocationId") in held():
            return ec2._error("InvalidIPAddress.InUse", "The address is in use.", 400)
        return release(params)

    ec2._ACTION_MAP |= {"DescribeAddresses": corrected, "ReleaseAddress": kept}


def nat_gateways() -> None:
    """DescribeNatGateways: AWS tells the address of each."""
    from ministack.services import ec2

    def described(gateway: dict[str, Any]) -> str:
        address = ec2._addresses.get(gateway["AllocationId"], {}).get("PublicIp", "")
        item = f"<allocationId>{gateway['AllocationId']}</allocationId><publicIp>{address}</publicIp>"
        return f"<natGatewayAddressSet><item>{item}</item></natGatewayAddressSet>"

    empty = "<natGatewayAddressSet/>"
    _tell_more(ec2, "DescribeNatGateways", "natGatewayId", ec2._nat_gateways, described, empty)


def security_groups() -> None:
    """EC2 refuses a description of a security group or of a rule that holds other characters than these.

    Source: CreateSecurityGroup and IpRange in the EC2 API reference; the length is 255 at most.
    """
    from ministack.services import ec2

    accepted = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{0,255}")

    def refusing(act: Action) -> Action:
        def corrected(params: Any) -> Answer:
            for key in params:
                if key.endswith("Description") and not accepted.fullmatch(ec2._p(params, key)):
                    return ec2._error("InvalidParameterValue", f"Invalid description in {key}", 400)
            return act(params)

        return corrected

    for action in ec2._ACTION_MAP:
        if re.fullmatch(r"(Create|Authorize|Update|Modify)SecurityGroup.*", action):
            ec2._ACTION_MAP[action] = refusing(ec2._ACTION_MAP[action])


def vpc_endpoints() -> None:
    """DescribeVpcEndpoints: AWS honours Filter; it tells the policy, the security groups, the private names."""
    from ministack.services import ec2

    describe: Action = ec2._ACTION_MAP["DescribeVpcEndpoints"]
    _remember(ec2, "CreateVpcEndpoint", "vpcEndpointId", ec2._vpc_endpoints)

    def corrected(params: Any) -> Answer:
        asked, found = ec2._parse_filters(params), []
        for key, endpoint in ec2._vpc_endpoints.items():
            fields = {
                "vpc-id": endpoint["VpcId"],
                "service-name": endpoint["ServiceName"],
                "vpc-endpoint-type": endpoint["VpcEndpointType"],
                "vpc-endpoint-state": endpoint["State"],
            }
            if _matches(asked, fields) and ec2._resource_matches_tag_filters(key, asked):
                found.append(key)
        chosen = {f"VpcEndpointId.{number}": [key] for number, key in enumerate(found or ["none"], 1)}
        return describe(params | chosen if asked else params)

    def described(endpoint: dict[str, Any]) -> str:
        asked = endpoint["asked"]
        groups = ec2._parse_member_list(asked, "SecurityGroupId")
        items = "".join(f"<item><groupId>{group}</groupId></item>" for group in groups)
        private = str(endpoint["VpcEndpointType"] == "Interface").lower()
        policy = escape(ec2._p(asked, "PolicyDocument"))
        return (
            f"<groupSet>{items}</groupSet><privateDnsEnabled>{private}</privateDnsEnabled>"
            f"<policyDocument>{policy}</policyDocument>"
        )

    ec2._ACTION_MAP["DescribeVpcEndpoints"] = corrected
    _tell_more(ec2, "DescribeVpcEndpoints", "vpcEndpointId", ec2._vpc_endpoints, described)


def flow_logs() -> None:
    """CreateFlowLogs keeps tags for vpc-flow-log; DescribeFlowLogs tells the group, the role, the interval.

    DescribeFlowLogs refuses a filter that its API reference does not name.
    """
    from ministack.services import ec2

    describe: Action = ec2._ACTION_MAP["DescribeFlowLogs"]
    known = {"deliver-log-status", "log-destination-type", "flow-log-id", "log-group-name", "resource-id"}
    known |= {"traffic-type", "tag-key"}

    def corrected(params: Any) -> Answer:
        for name in ec2._parse_filters(params):
            if name not in known and not name.startswith("tag:"):
                return ec2._error("InvalidParameterValue", f"The filter '{name}' is invalid", 400)
        return describe(params)

    ec2._ACTION_MAP["DescribeFlowLogs"] = corrected

    def described(log: dict[str, Any]) -> str:
        role = ec2._p(log["asked"], "DeliverLogsPermissionArn")
        interval = ec2._p(log["asked"], "MaxAggregationInterval")
        return (
            f"<logGroupName>{log['LogDestination']}</logGroupName>"
            f"<deliverLogsPermissionArn>{role}</deliverLogsPermissionArn>"
            f"<maxAggregationInterval>{interval}</maxAggregationInterval>"
        )

    _remember(ec2, "CreateFlowLogs", "item", ec2._flow_logs, tagged_as="vpc-flow-log")
    _tell_more(ec2, "DescribeFlowLogs", "flowLogId", ec2._flow_logs, described)


def databases() -> None:
    """RDS: an engine has all its parameters, an instance keeps what it was asked for, and there is a server.

    gp3 has 3,000 operations and 125 MB a second. DATABASE_SERVER, mysql://user:password@host:port, names the
    server that stands for every instance: its master and its database are made with the instance.
    """
    from ministack.services import rds

    known, create = rds._default_parameters_for_family, rds._ACTION_MAP["CreateDBInstance"]
    further = {"require_secure_transport": "boolean", "collation_server": "string", "log_output": "string"}

    def parameters(family: str) -> list[dict[str, Any]]:
        return known(family) + [{"name": name, "data_type": kind} for name, kind in further.items()]

    def corrected(params: Any) -> Answer:
        answer = create(params)
        if (instance := rds._instances.get(rds._p(params, "DBInstanceIdentifier"))) is not None:
            instance["PreferredBackupWindow"] = rds._p(params, "PreferredBackupWindow") or "03:00-04:00"
            logs = rds._parse_member_list(params, "EnableCloudwatchLogsExports")
            instance["EnabledCloudwatchLogsExports"] = logs
            if instance["StorageType"] == "gp3":
                instance |= {"Iops": 3000, "StorageThroughput": 125}
            if server := os.environ.get("DATABASE_SERVER"):
                url = urlsplit(server)
                instance["Endpoint"] |= {"Address": url.hostname, "Port": url.port}
                _make_master(
                    url, instance["DBName"], instance["MasterUsername"], rds._p(params, "MasterUserPassword")
                )
        return answer

    def described(instance: dict[str, Any]) -> str:
        logs = "".join(f"<member>{log}</member>" for log in instance["EnabledCloudwatchLogsExports"])
        return f"<EnabledCloudwatchLogsExports>{logs}</EnabledCloudwatchLogsExports>"

    rds._default_parameters_for_family = parameters
    rds._ACTION_MAP["CreateDBInstance"] = corrected
    empty = "<EnabledCloudwatchLogsExports/>"
    _tell_more(rds, "DescribeDBInstances", "DBInstanceIdentifier", rds._instances, described, empty)


def database_classes() -> None:
    """DescribeOrderableDBInstanceOptions: AWS offers Graviton's classes too."""
    from ministack.services import rds

    describe: Action = rds._ACTION_MAP["DescribeOrderableDBInstanceOptions"]

    def corrected(params: Any) -> Answer:
        asked = rds._p(params, "DBInstanceClass")
        if not asked.startswith(("db.t4g.", "db.m7g.")):
            return describe(params)
        status, headers, body = describe(params | {"DBInstanceClass": ["db.t3.micro"]})
        return status, headers, body.replace(b"db.t3.micro", asked.encode())

    rds._ACTION_MAP["DescribeOrderableDBInstanceOptions"] = corrected


def _make_master(server: SplitResult, database: str, user: str, password: str) -> None:
    """What RDS makes inside a new instance."""
    import pymysql

    link = pymysql.connect(
        host=server.hostname, port=server.port, user=server.username, password=server.password
    )
    with link, link.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS `{database}`")
        cursor.execute("SELECT user FROM mysql.user WHERE host = '%'")
        for (old,) in cursor.fetchall():
            cursor.execute("DROP USER %s@'%%'", (old,))
        cursor.execute(f"CREATE DATABASE `{database}`")
        cursor.execute("CREATE USER %s@'%%' IDENTIFIED BY %s", (user, password))
        cursor.execute("GRANT ALL ON *.* TO %s@'%%' WITH GRANT OPTION", (user,))


def _matches(asked: dict[str, list[str]], fields: dict[str, str]) -> bool:
    """Whether a resource has what every filter asks for; filters by other names are not looked at."""
    return all(
        any(fnmatch.fnmatchcase(fields[name], pattern) for pattern in patterns)
        for name, patterns in asked.items()
        if name in fields
    )


def _remember(service: Any, action: str, tag: str, store: Any, tagged_as: str = "") -> None:
    """Keep what was asked for beside what was made of it."""
    create: Action = service._ACTION_MAP[action]

    def corrected(params: Any) -> Answer:
        answer = create(params)
        for key in re.findall(rf"<{tag}>([^<]+)</{tag}>", answer[2].decode()):
            if key in store:
                store[key]["asked"] = dict(params)
                if tagged_as:
                    service._parse_tag_specs(params, tagged_as, key)
        return answer

    service._ACTION_MAP[action] = corrected


def _tell_more(
    service: Any, action: str, tag: str, store: Any, described: Callable[[Any], str], instead: str = ""
) -> None:
    """Add to each resource's part of an answer, in the place of an element where ``instead`` names one."""
    describe: Action = service._ACTION_MAP[action]

    def corrected(params: Any) -> Answer:
        status, headers, body = describe(params)
        text = body.decode().replace(instead, "") if instead else body.decode()
        added = re.sub(
            rf"<{tag}>([^<]+)</{tag}>",
            lambda found: found[0] + (described(store[found[1]]) if found[1] in store else ""),
            text,
        )
        return status, headers, added.encode()

    service._ACTION_MAP[action] = corrected


# Files beside this one, in the order in which they correct.
FURTHER = (
    *("balancer_corrections.py", "service_corrections.py", "fleet_corrections.py", "identity_corrections.py"),
    *("cloudfront_corrections.py", "certificate_corrections.py", "slowness.py"),
)
CORRECTIONS = (
    images,
    key_pairs,
    instances,
    addresses,
    nat_gateways,
    security_groups,
    vpc_endpoints,
    flow_logs,
    databases,
    database_classes,
    *(
        correct
        for name in FURTHER
        for correct in runpy.run_path(str(Path(__file__).with_name(name)))["CORRECTIONS"]
    ),
)


def main() -> None:
    """Correct, then serve until SIGTERM."""
    # Clients that keep their connections open do not answer the end of TLS: each stop would wait 30 seconds.
    asyncio.constants.SSL_SHUTDOWN_TIMEOUT = 1.0
    for correct in CORRECTIONS:
        correct()
    from botocore.session import get_session
    from ministack.app import main as serve
    from ministack.core import router

    # It parses the models of all 400 services, in three seconds, at the first request to one that it lacks.
    # Their names will do, and the prefixes of the actions that are called: requests are signed with those.
    called = {action.partition(":")[0] for action in json.loads(ACTIONS.read_text())["actions"]}
    router._KNOWN_AWS_SERVICE_NAMES = frozenset(get_session().get_available_services()) | called

    serve()


if __name__ == "__main__":
    main()
