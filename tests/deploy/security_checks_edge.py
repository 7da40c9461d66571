"""What is asked of the public address, of the database, and of what keeps watch."""

from __future__ import annotations

from typing import Any

from tests.deploy.security_checks_events import work_queues
from tests.deploy.security_rules import ANY, both, check, drop, put
from tests.deploy.security_snapshot import Snapshot

FORWARD = {"Type": "forward", "TargetGroupArn": "x"}
HTTPS = {
    "Protocol": "HTTPS",
    "Port": 443,
    "SslPolicy": "ELBSecurityPolicy-2016-08",
    "DefaultActions": [FORWARD],
}
PRODUCTION_DAYS = 7  # of backups


def _unlike(described: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    return [
        f"{name}: {key} is {each.get(key)}"
        for name, each in described.items()
        for key, value in wanted.items()
        if each.get(key) != value
    ]


def _attribute(found: Snapshot, key: str, value: str) -> list[str]:
    return [name for name, each in found.balancers.items() if each["Attributes"].get(key) != value]


@check(drop("balancers", ANY))
def there_is_one_load_balancer(found: Snapshot) -> list[str]:
    """It is in the internet, or behind CloudFront."""
    return sorted({f"{found.look.prefix}-edge"} ^ set(found.balancers))


@check(put("balancers", ANY, "Attributes", "routing.http.drop_invalid_header_fields.enabled", value="false"))
def invalid_headers_are_dropped(found: Snapshot) -> list[str]:
    """Before they reach a web host that reads them otherwise."""
    return _attribute(found, "routing.http.drop_invalid_header_fields.enabled", "true")


@check(put("balancers", ANY, "Attributes", "routing.http.desync_mitigation_mode", value="monitor"))
def requests_cannot_be_smuggled(found: Snapshot) -> list[str]:
    """What two servers would read differently is refused."""
    modes = {
        name: each["Attributes"]["routing.http.desync_mitigation_mode"]
        for name, each in found.balancers.items()
    }
    return [name for name, mode in modes.items() if mode not in ("defensive", "strictest")]


@check(put("balancers", ANY, "Attributes", "waf.fail_open.enabled", value="true"))
def nothing_goes_round_the_firewall(found: Snapshot) -> list[str]:
    """A firewall that does not respond lets nothing through."""
    return _attribute(found, "waf.fail_open.enabled", "false")


@check(put("balancers", ANY, "SecurityGroups", value=["sg-of-others"]))
def the_load_balancer_has_its_group(found: Snapshot) -> list[str]:
    """There is no other one."""
    return _unlike(found.balancers, {"SecurityGroups": [found.groups["edge"]["GroupId"]]})


@check(drop("balancers", ANY, "AvailabilityZones", 0))
def the_load_balancer_is_in_its_subnets(found: Snapshot) -> list[str]:
    """The private ones behind CloudFront, otherwise the public ones; both availability zones are used."""
    subnets: dict[str, set[str]] = {"private": set(), "public": set()}
    for subnet in found.subnets:
        subnets.get(subnet["Tags"].get("Tier", ""), set()).add(subnet["SubnetId"])
    return [
        name
        for name, each in found.balancers.items()
        if {zone["SubnetId"] for zone in each["AvailabilityZones"]}
        != subnets["private" if each["Scheme"] == "internal" else "public"]
    ]


@check(put("balancers", ANY, "Listeners", 8080, value=HTTPS | {"Port": 8080}))
def it_listens_on_two_ports(found: Snapshot) -> list[str]:
    """80, and 443 where there is a certificate."""
    return [name for name, each in found.balancers.items() if not {80, 443} >= set(each["Listeners"])]


@check(
    both(
        put("balancers", ANY, "Listeners", 443, value=HTTPS),
        put("balancers", ANY, "Listeners", 80, "DefaultActions", value=[FORWARD]),
    )
)
def plain_http_leads_to_https(found: Snapshot) -> list[str]:
    """This applies if there is an HTTPS listener."""
    return [
        name
        for name, each in found.balancers.items()
        if 443 in each["Listeners"]
        and [action["Type"] for action in each["Listeners"][80]["DefaultActions"]] != ["redirect"]
    ]


@check(put("balancers", ANY, "Listeners", 443, value=HTTPS))
def tls_is_new_enough(found: Snapshot) -> list[str]:
    """1.2 and 1.3, as AWS's policies for them are called."""
    listeners = [listener for each in found.balancers.values() for listener in each["Listeners"].values()]
    policies = [listener["SslPolicy"] for listener in listeners if listener["Protocol"] == "HTTPS"]
    return [policy for policy in policies if not policy.startswith("ELBSecurityPolicy-TLS13-1-2")]


@check(put("firewalls", ANY, "before", value=[]))
def the_firewall_stands_before_the_gallery(found: Snapshot) -> list[str]:
    """Before every load balancer in the internet, and before every distribution."""
    guarded = {arn for firewall in found.firewalls.values() for arn in firewall["before"]}
    open_to_all = {
        each["LoadBalancerArn"] for each in found.balancers.values() if each["Scheme"] == "internet-facing"
    }
    return sorted((open_to_all | {each["ARN"] for each in found.distributions.values()}) - guarded)


@check(put("firewalls", ANY, "Rules", 0, "Action", value={"Count": {}}))
def requests_above_the_rate_limit_are_blocked(found: Snapshot) -> list[str]:
    """A rule blocks an address at 20,000 requests in five minutes or fewer."""

    def blocks(rule: dict[str, Any]) -> bool:
        rate = rule["Statement"].get("RateBasedStatement", {})
        return "Block" in rule["Action"] and rate.get("AggregateKeyType") == "IP" and rate["Limit"] <= 20000

    return [name for name, each in found.firewalls.items() if not any(map(blocks, each["Rules"]))]


@check(put("firewalls", ANY, "VisibilityConfig", "SampledRequestsEnabled", value=False))
def what_was_turned_away_can_be_seen(found: Snapshot) -> list[str]:
    """Metrics and samples are on."""
    wanted = ("SampledRequestsEnabled", "CloudWatchMetricsEnabled")
    return [
        name
        for name, each in found.firewalls.items()
        for seen in [each["VisibilityConfig"], *(rule["VisibilityConfig"] for rule in each["Rules"])]
        if not all(seen[key] for key in wanted)
    ]


@check(put("balancers", ANY, "Attributes", "routing.http.xff_header_processing.mode", value="preserve"))
def the_client_address_is_set_by_the_load_balancer(found: Snapshot) -> list[str]:
    """The load balancer appends the client address; the client's own claim does not stand alone."""
    return _attribute(found, "routing.http.xff_header_processing.mode", "append")


@check(drop("databases", ANY))
def there_is_one_database(found: Snapshot) -> list[str]:
    """The resource has the environment's name."""
    return sorted({f"{found.look.prefix}-database"} ^ set(found.databases))


@check(put("databases", ANY, "PubliclyAccessible", value=True))
def the_database_has_no_public_address(found: Snapshot) -> list[str]:
    """The setting holds independently of its security group."""
    return _unlike(found.databases, {"PubliclyAccessible": False})


@check(put("databases", ANY, "StorageEncrypted", value=False))
def the_database_is_encrypted(found: Snapshot) -> list[str]:
    """Storage and snapshots are encrypted at rest."""
    return _unlike(found.databases, {"StorageEncrypted": True})


@check(put("databases", ANY, "Parameters", "require_secure_transport", value="0"))
def the_database_takes_tls_only(found: Snapshot) -> list[str]:
    """Every connection needs TLS."""
    return [
        name
        for name, each in found.databases.items()
        if each["Parameters"].get("require_secure_transport") != "1"
    ]


@check(put("databases", ANY, "CACertificateIdentifier", value="rds-ca-2019"))
def the_database_has_a_certificate_that_is_trusted(found: Snapshot) -> list[str]:
    """The clients have this authority's certificate; it is valid until 2061."""
    return _unlike(found.databases, {"CACertificateIdentifier": "rds-ca-rsa2048-g1"})


@check(put("databases", ANY, "DBSubnetGroup", "Subnets", 0, "SubnetIdentifier", value="subnet-of-others"))
def the_database_is_in_the_isolated_subnets(found: Snapshot) -> list[str]:
    """All of them, and no other."""
    isolated = {subnet["SubnetId"] for subnet in found.subnets if subnet["Tags"].get("Tier") == "isolated"}
    return [
        name
        for name, each in found.databases.items()
        if {subnet["SubnetIdentifier"] for subnet in each["DBSubnetGroup"]["Subnets"]} != isolated
    ]


@check(put("databases", ANY, "VpcSecurityGroups", value=[{"VpcSecurityGroupId": "sg-of-others"}]))
def the_database_has_its_group(found: Snapshot) -> list[str]:
    """There is no other one."""
    wanted = [found.groups["database"]["GroupId"]]
    return [
        name
        for name, each in found.databases.items()
        if [group["VpcSecurityGroupId"] for group in each["VpcSecurityGroups"]] != wanted
    ]


@check(put("databases", ANY, "BackupRetentionPeriod", value=0))
def the_database_is_backed_up(found: Snapshot) -> list[str]:
    """Each day; in production for a week at least."""
    days = PRODUCTION_DAYS if found.production else 1
    return [name for name, each in found.databases.items() if each["BackupRetentionPeriod"] < days]


@check(put("databases", ANY, "CopyTagsToSnapshot", value=False))
def snapshots_tell_whose_they_are(found: Snapshot) -> list[str]:
    """The tags of the database are copied."""
    return _unlike(found.databases, {"CopyTagsToSnapshot": True})


@check(put("databases", ANY, "AutoMinorVersionUpgrade", value=False))
def the_database_gets_its_fixes(found: Snapshot) -> list[str]:
    """RDS updates it in its maintenance window."""
    return _unlike(found.databases, {"AutoMinorVersionUpgrade": True})


@check(put("databases", ANY, "EngineVersion", value="5.7.44"))
def the_database_is_maintained(found: Snapshot) -> list[str]:
    """MySQL 8.4, which has standard support until July 2029."""
    return [name for name, each in found.databases.items() if not each["EngineVersion"].startswith("8.4")]


@check(put("databases", ANY, "EnabledCloudwatchLogsExports", value=[]))
def the_database_tells_its_errors(found: Snapshot) -> list[str]:
    """Errors and slow queries are in log groups."""
    return [
        name
        for name, each in found.databases.items()
        if not {"error", "slowquery"} <= set(each["EnabledCloudwatchLogsExports"])
    ]


@check(put("databases", ANY, "MasterUsername", value="admin"))
def the_master_is_not_called_what_everybody_tries(found: Snapshot) -> list[str]:
    """admin, root, mysql …"""
    return [
        name
        for name, each in found.databases.items()
        if each["MasterUsername"] in ("admin", "root", "mysql", "administrator", "user")
    ]


def _in_production(found: Snapshot, wanted: dict[str, Any]) -> list[str]:
    return _unlike(found.databases, wanted) if found.production else []


def _unprotected_in_production(found: Snapshot) -> None:
    found.production = True
    for each in found.databases.values():
        each |= {"DeletionProtection": False, "MultiAZ": False}
    for each in found.balancers.values():
        each["Attributes"]["deletion_protection.enabled"] = "false"


@check(_unprotected_in_production)
def nobody_deletes_the_database_of_production(found: Snapshot) -> list[str]:
    """Before its protection was taken away."""
    return _in_production(found, {"DeletionProtection": True})


@check(_unprotected_in_production)
def the_database_of_production_is_in_two_zones(found: Snapshot) -> list[str]:
    """It continues when one fails."""
    return _in_production(found, {"MultiAZ": True})


@check(_unprotected_in_production)
def nobody_deletes_the_address_of_production(found: Snapshot) -> list[str]:
    """Before its protection was taken away."""
    return _attribute(found, "deletion_protection.enabled", "true") if found.production else []


@check(put("log_groups", ANY, value=None))
def logs_are_not_kept_for_ever(found: Snapshot) -> list[str]:
    """Each group says for how long; a week at least, so that something can be found out."""
    return [name for name, days in found.log_groups.items() if days is None or not 7 <= days <= 400]


@check(drop("log_groups", "~-thumbnail"))
def every_function_has_its_log(found: Snapshot) -> list[str]:
    """Made with a retention, before Lambda makes one without."""
    return [name for name in found.functions if f"/aws/lambda/{name}" not in found.log_groups]


@check(drop("log_groups", "~/error"))
def the_database_has_its_logs(found: Snapshot) -> list[str]:
    """Likewise before RDS makes them."""
    return [
        f"{name}/{log}"
        for name, each in found.databases.items()
        for log in each["EnabledCloudwatchLogsExports"]
        if f"/aws/rds/instance/{name}/{log}" not in found.log_groups
    ]


@check(put("alarms", ANY, "ActionsEnabled", value=False))
def alarms_ring(found: Snapshot) -> list[str]:
    """The action is the topic of alarms."""
    wanted = [found.topics[f"{found.look.prefix}-alarms"]["arn"]]
    return [
        name
        for name, alarm in found.alarms.items()
        if not alarm["ActionsEnabled"] or alarm["AlarmActions"] != wanted
    ]


@check(put("alarms", ANY, "AlarmDescription", value="Too high."))
def alarms_tell_what_to_do(found: Snapshot) -> list[str]:
    """The description has a few sentences."""
    return [name for name, alarm in found.alarms.items() if len(alarm.get("AlarmDescription", "")) < 60]


@check(drop("alarms", "~caption-dead"))
def dead_letters_ring_at_once(found: Snapshot) -> list[str]:
    """The first one, in each of the queues for them."""
    watched = {
        dimension["Value"]
        for alarm in found.alarms.values()
        for dimension in alarm.get("Dimensions", [])
        if dimension["Name"] == "QueueName"
        and alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
        and (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")
    }
    return sorted(set(found.queues) - set(work_queues(found)) - watched)


@check(drop("alarms", "~thumbnail-errors"))
def failing_functions_ring(found: Snapshot) -> list[str]:
    """Those that events wake."""
    watched = {
        dimension["Value"]
        for alarm in found.alarms.values()
        for dimension in alarm.get("Dimensions", [])
        if (dimension["Name"], alarm["MetricName"]) == ("FunctionName", "Errors")
    }
    return sorted(set(work_queues(found)) - watched)
