"""What is asked of the functions, of the roles that they have, and of the secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.deploy.security_checks_data import work_queues
from tests.deploy.security_rules import (
    ANY,
    add,
    allowing,
    anybody,
    check,
    condition,
    drop,
    many,
    put,
    services,
)
from tests.deploy.security_snapshot import Snapshot

# Lambda's own, which know no resource: how a function comes into a VPC.
JOIN_NETWORK = {
    ("ec2:CreateNetworkInterface", "*"),
    ("ec2:DescribeNetworkInterfaces", "*"),
    ("ec2:DescribeSubnets", "*"),
    ("ec2:DeleteNetworkInterface", "*"),
    ("ec2:AssignPrivateIpAddresses", "*"),
    ("ec2:UnassignPrivateIpAddresses", "*"),
}
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}

Grants = set[tuple[str, str]]


def needed(found: Snapshot) -> dict[str, Grants]:
    """The calls that each role makes, and on what: what the code behind it asks of AWS, and nothing else."""
    project, account = found.look.prefix, found.look.account
    region = found.look.client("lambda").meta.region_name
    uploads, derived = (f"arn:aws:s3:::{project}-{kind}-{account}" for kind in ("uploads", "derived"))

    def queue(kind: str, *actions: str) -> Grants:
        return {(f"sqs:{action}", f"arn:aws:sqs:{region}:{account}:{project}-{kind}") for action in actions}

    def log(group: str, *actions: str) -> Grants:
        return {(f"logs:{each}", f"arn:aws:logs:{region}:{account}:log-group:{group}:*") for each in actions}

    def secret(*names: str) -> Grants:
        start = f"arn:aws:secretsmanager:{region}:{account}:secret:{project}"
        return {("secretsmanager:GetSecretValue", f"{start}/{name}-??????") for name in names}

    def works(kind: str) -> Grants:
        receives = queue(kind, "ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
        reads = {("s3:GetObject", f"{uploads}/raw/*"), ("s3:GetObjectVersion", f"{uploads}/raw/*")}
        reads |= {("s3:ListBucket", uploads)} | secret("database/app")
        writes = log(f"/aws/lambda/{project}-{kind}", "CreateLogStream", "PutLogEvents")
        return receives | reads | writes | JOIN_NETWORK

    shown = [f"{derived}/thumbnails/*", f"{derived}/display/*"]
    deleted = [f"{uploads}/raw/*", *shown]
    sweeps = {(f"s3:Delete{what}", where) for what in ("Object", "ObjectVersion") for where in deleted}
    sweeps |= {("s3:ListBucketVersions", uploads)} | queue("thumbnail", "SendMessage")
    return {
        f"{project}-thumbnail": works("thumbnail") | {("s3:PutObject", where) for where in shown},
        f"{project}-caption": works("caption") | sweeps | queue("caption", "SendMessage") | secret("gemini"),
        f"{project}-migrator": secret("database/master", "database/migrate", "database/app")
        | log(f"/aws/lambda/{project}-migrator", "CreateLogStream", "PutLogEvents")
        | JOIN_NETWORK,
        f"{project}-network-flow-log": log(
            f"/{project}/vpc-flow", "CreateLogStream", "PutLogEvents", "DescribeLogStreams"
        )
        | {("logs:DescribeLogGroups", "*")},
    }


def granted(role: dict[str, Any]) -> Grants:
    """Each action of a role's own policies with each resource."""
    return {
        (action, resource)
        for policy in role["policies"].values()
        for statement in allowing(policy)
        for action in many(statement["Action"])
        for resource in many(statement["Resource"])
    }


def _off(found: Snapshot, kind: str) -> list[str]:
    name = f"{found.look.prefix}-{kind}"
    has, wants = granted(found.roles[name]), needed(found)[name]
    return [f"{name} {'may' if each in has else 'may not'} {' on '.join(each)}" for each in has ^ wants]


@check(add("roles", "~-thumbnail", "policies", "work", "Statement", value=EVERYTHING))
def the_thumbnail_function_may_do_its_calls(found: Snapshot) -> list[str]:
    """Read an original, write what is made of it; nothing else."""
    return _off(found, "thumbnail")


@check(drop("roles", "~-caption", "policies", "work", "Statement", 0))
def the_caption_function_may_do_its_calls(found: Snapshot) -> list[str]:
    """Read an original, sweep, empty the trash; nothing else."""
    return _off(found, "caption")


@check(put("roles", "~-migrator", "policies", "work", "Statement", 0, "Resource", value="*"))
def the_migrator_may_do_its_calls(found: Snapshot) -> list[str]:
    """Read the database's passwords; nothing else."""
    return _off(found, "migrator")


@check(put("roles", "~-flow-log", "policies", "write", "Statement", 0, "Resource", value="*"))
def the_flow_log_may_be_written(found: Snapshot) -> list[str]:
    """In its own group; nothing else."""
    return _off(found, "network-flow-log")


@check(put("roles", "~-migrator", "policies", "work", "Statement", 0, "Action", value=["secretsmanager:*"]))
def roles_name_every_action(found: Snapshot) -> list[str]:
    """No pattern among them."""
    return [name for name, role in found.roles.items() if any("*" in action for action, _ in granted(role))]


@check(put("roles", "~-caption", "policies", "work", "Statement", 2, "Resource", value="*"))
def roles_name_every_resource(found: Snapshot) -> list[str]:
    """Where the action knows one."""
    blind = JOIN_NETWORK | {("logs:DescribeLogGroups", "*")}
    return [
        f"{name} {action}"
        for name, role in found.roles.items()
        for action, resource in granted(role)
        if resource == "*" and (action, resource) not in blind
    ]


@check(
    add(
        "roles",
        ANY,
        "policies",
        ANY,
        "Statement",
        value={"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
    )
)
def roles_are_granted_and_not_excepted(found: Snapshot) -> list[str]:
    """NotAction and NotResource grant what nobody has thought of."""
    return [
        name
        for name, role in found.roles.items()
        for policy in role["policies"].values()
        if any({"NotAction", "NotResource"} & set(statement) for statement in allowing(policy))
    ]


@check(
    add(
        "roles",
        "~-thumbnail",
        "policies",
        "work",
        "Statement",
        value={"Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::1:role/x"},
    )
)
def nobody_becomes_somebody_else(found: Snapshot) -> list[str]:
    """No role may touch identities, nor take on another's."""
    return [
        f"{name} {action}"
        for name, role in found.roles.items()
        for action, _ in granted(role)
        if action.split(":")[0] in ("iam", "sts")
    ]


@check(add("roles", ANY, "attached", value="arn:aws:iam::aws:policy/AdministratorAccess"))
def roles_have_no_policy_of_others(found: Snapshot) -> list[str]:
    """AWS's own policies grant more than is needed, and change without notice."""
    return [name for name, role in found.roles.items() if role["attached"]]


@check(put("roles", "~-migrator", "trust", "Statement", 0, "Principal", value={"AWS": "arn:aws:iam::1:root"}))
def roles_trust_one_service(found: Snapshot) -> list[str]:
    """No person, no other account."""
    known = (["lambda.amazonaws.com"], ["vpc-flow-logs.amazonaws.com"], ["ec2.amazonaws.com"])
    return [
        name
        for name, role in found.roles.items()
        if any(anybody(statement) or services(statement) not in known for statement in allowing(role["trust"]))
    ]


@check(drop("roles", "~-flow-log", "trust", "Statement", 0, "Condition", "StringEquals"))
def trust_names_the_account(found: Snapshot) -> list[str]:
    """Where a service acts for other customers too. Lambda and EC2 take roles of their own account only."""
    return [
        name
        for name, role in found.roles.items()
        for statement in allowing(role["trust"])
        if services(statement) not in (["lambda.amazonaws.com"], ["ec2.amazonaws.com"])
        and condition(statement, "aws:sourceaccount") != [found.look.account]
    ]


@check(drop("roles", "~-flow-log", "trust", "Statement", 0, "Condition", "ArnLike"))
def trust_names_the_source(found: Snapshot) -> list[str]:
    """And for which of its resources it may act."""
    return [
        name
        for name, role in found.roles.items()
        for statement in allowing(role["trust"])
        if services(statement) not in (["lambda.amazonaws.com"], ["ec2.amazonaws.com"])
        and not all(f":{found.look.account}:" in arn for arn in condition(statement, "aws:sourcearn") or [""])
    ]


@check(drop("roles", ANY, "tags", "Project"))
def roles_tell_whose_they_are(found: Snapshot) -> list[str]:
    """By the tags Project and Env, by which destroy finds them."""
    wanted = {"Project": found.look.project, "Env": found.look.env}
    return [name for name, role in found.roles.items() if not wanted.items() <= role["tags"].items()]


@check(add("users", value="caption-gallery-staging-x"))
def nobody_has_keys_that_last(found: Snapshot) -> list[str]:
    """There are roles, and no users."""
    return found.users


def configurations(found: Snapshot) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each function's, by its name."""
    yield from ((name, function["configuration"]) for name, function in found.functions.items())


@check(put("functions", ANY, "configuration", "Role", value="arn:aws:iam::123456789012:role/shared"))
def functions_have_roles_of_their_own(found: Snapshot) -> list[str]:
    """Called like them."""
    return [name for name, each in configurations(found) if each["Role"] != found.roles[name]["arn"]]


@check(put("functions", ANY, "configuration", "VpcConfig", "SubnetIds", 0, value="subnet-of-others"))
def functions_are_in_the_private_subnets(found: Snapshot) -> list[str]:
    """Two of them at least."""
    private = {subnet["SubnetId"] for subnet in found.subnets if subnet["Tags"].get("Tier") == "private"}
    return [
        name
        for name, each in configurations(found)
        if len(each["VpcConfig"]["SubnetIds"]) < 2 or not private >= set(each["VpcConfig"]["SubnetIds"])
    ]


@check(add("functions", ANY, "configuration", "VpcConfig", "SecurityGroupIds", value="sg-of-others"))
def functions_have_the_functions_group(found: Snapshot) -> list[str]:
    """And no other security group."""
    wanted = [found.groups["functions"]["GroupId"]]
    return [name for name, each in configurations(found) if each["VpcConfig"]["SecurityGroupIds"] != wanted]


@check(put("functions", ANY, "configuration", "Environment", "Variables", "DB_PASSWORD", value="x"))
def functions_know_names_of_secrets(found: Snapshot) -> list[str]:
    """And never a secret: whoever may describe a function sees its environment."""
    secret = re.compile("PASSWORD|API_KEY|TOKEN|_SECRET$|DATABASE_URL")
    return [
        f"{name} {variable}"
        for name, each in configurations(found)
        for variable in each["Environment"]["Variables"]
        if secret.search(variable)
    ]


@check(put("functions", ANY, "configuration", "Runtime", value="python3.9"))
def functions_run_what_is_maintained(found: Snapshot) -> list[str]:
    """A Python that gets security fixes: 3.11 until October 2027."""
    wanted = re.compile(r"python3\.1[1-9]$")
    return [name for name, each in configurations(found) if not wanted.match(each["Runtime"])]


@check(add("functions", ANY, "configuration", "Layers", value={"Arn": "arn:aws:lambda:us-east-1:1:layer:x:1"}))
def functions_run_nobody_elses_code(found: Snapshot) -> list[str]:
    """No layers."""
    return [name for name, each in configurations(found) if each.get("Layers")]


@check(put("functions", "~-caption", "configuration", "Environment", "Variables", "DB_CA", value=""))
def functions_verify_the_database(found: Snapshot) -> list[str]:
    """Against certificates that they bring along."""
    return [name for name, each in configurations(found) if not each["Environment"]["Variables"].get("DB_CA")]


@check(put("functions", ANY, "url", value="https://x.lambda-url.us-east-1.on.aws/"))
def functions_have_no_address(found: Snapshot) -> list[str]:
    """Nobody calls them from outside."""
    return [name for name, function in found.functions.items() if function["url"]]


@check(drop("functions", "~-caption", "policy", "Statement", 0, "Condition", "ArnLike"))
def functions_are_invoked_by_one_rule(found: Snapshot) -> list[str]:
    """Who else may is said by identities, not by the function."""
    rules = {rule["Arn"] for rule in found.rules.values()}
    return [
        name
        for name, function in found.functions.items()
        for statement in allowing(function["policy"])
        if services(statement) != ["events.amazonaws.com"]
        or not rules >= set(condition(statement, "aws:sourcearn") or ["anything"])
    ]


@check(drop("functions", "~-caption", "policy", "Statement", 0, "Condition", "StringEquals"))
def functions_are_invoked_from_this_account(found: Snapshot) -> list[str]:
    """A rule of the same name elsewhere does not count."""
    return [
        name
        for name, function in found.functions.items()
        for statement in allowing(function["policy"])
        if condition(statement, "aws:sourceaccount") != [found.look.account]
    ]


@check(put("functions", "~-thumbnail", "reserved", value=None))
def functions_cannot_starve_the_account(found: Snapshot) -> list[str]:
    """Those that events wake have a limit."""
    return [name for name in work_queues(found) if not 1 <= (found.functions[name]["reserved"] or 0) <= 50]


@check(put("functions", "~-thumbnail", "mappings", 0, "FunctionResponseTypes", value=[]))
def failures_are_told_one_by_one(found: Snapshot) -> list[str]:
    """A message that fails does not bring back those that did not."""
    return _mapped(found, lambda mapping: mapping.get("FunctionResponseTypes") == ["ReportBatchItemFailures"])


@check(put("functions", "~-thumbnail", "mappings", 0, "EventSourceArn", value="arn:aws:sqs:us-east-1:1:x"))
def functions_read_their_own_queue(found: Snapshot) -> list[str]:
    """And no other."""
    own = {queue["QueueArn"] for name, queue in found.queues.items() if name in work_queues(found)}
    return _mapped(found, lambda mapping: mapping["EventSourceArn"] in own)


@check(put("functions", "~-thumbnail", "mappings", 0, "ScalingConfig", value={}))
def queues_do_not_flood_functions(found: Snapshot) -> list[str]:
    """Fewer at a time than are reserved, so that no message is received in vain."""
    return [
        name
        for name in work_queues(found)
        if any(
            not 2
            <= mapping.get("ScalingConfig", {}).get("MaximumConcurrency", 0)
            <= found.functions[name]["reserved"]
            for mapping in found.functions[name]["mappings"]
        )
    ]


def _mapped(found: Snapshot, right: Any) -> list[str]:
    mappings = {name: found.functions[name]["mappings"] for name in work_queues(found)}
    return [name for name, each in mappings.items() if len(each) != 1 or not right(each[0])]


@check(add("rules", ANY, "Targets", value={"Id": "x", "Arn": "arn:aws:lambda:us-east-1:1:function:x"}))
def the_clock_wakes_the_sweeper(found: Snapshot) -> list[str]:
    """And nothing else."""
    wanted = [found.functions[f"{found.look.prefix}-caption"]["configuration"]["FunctionArn"]]
    return [
        name
        for name, rule in found.rules.items()
        if [target["Arn"] for target in rule["Targets"]] != wanted or rule["State"] != "ENABLED"
    ]


@check(drop("secrets", "~gemini"))
def there_are_four_secrets(found: Snapshot) -> list[str]:
    """Three of the database, one of Gemini."""
    names = ("database/master", "database/migrate", "database/app", "gemini")
    return list({f"{found.look.prefix}/{name}" for name in names} ^ set(found.secrets))


@check(add("secrets", ANY, "policy", "Statement", value=EVERYTHING | {"Principal": "*"}))
def secrets_open_themselves_to_nobody(found: Snapshot) -> list[str]:
    """Who may read one is said by identities; a policy of its own may only take away."""
    return [name for name, secret in found.secrets.items() if list(allowing(secret["policy"]))]


@check(put("secrets", ANY, "deleted", value=True))
def secrets_are_there_to_stay(found: Snapshot) -> list[str]:
    """None waits for its deletion."""
    return [name for name, secret in found.secrets.items() if secret["deleted"]]


@check(put("secrets", ANY, "description", value=""))
def secrets_tell_what_they_are_for(found: Snapshot) -> list[str]:
    """And who reads them."""
    return [name for name, secret in found.secrets.items() if not secret["description"]]


def readers(found: Snapshot, secret: str) -> set[str]:
    """The roles that may read a secret, by the last word of their names."""
    arn = found.secrets[f"{found.look.prefix}/{secret}"]["arn"]
    return {
        name.removeprefix(f"{found.look.prefix}-")
        for name, role in found.roles.items()
        for action, resource in granted(role)
        if action in ("secretsmanager:GetSecretValue", "secretsmanager:*", "*") and _matches(resource, arn)
    }


def _matches(pattern: str, arn: str) -> bool:
    parts = {"*": ".*", "?": "."}
    return re.fullmatch("".join(parts.get(each, re.escape(each)) for each in pattern), arn) is not None


READ_MASTER = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}


@check(add("roles", "~-caption", "policies", "work", "Statement", value=READ_MASTER))
def the_master_is_known_to_the_migrator(found: Snapshot) -> list[str]:
    """Alone, and so is the user that changes the schema."""
    return [
        f"{name}: {reader}"
        for name in ("database/master", "database/migrate")
        for reader in readers(found, name) ^ {"migrator"}
    ]


@check(add("roles", "~-thumbnail", "policies", "work", "Statement", value=READ_MASTER))
def the_key_of_gemini_is_known_to_the_caption_function(found: Snapshot) -> list[str]:
    """Alone."""
    return sorted(readers(found, "gemini") ^ {"caption"})


@check(add("roles", "~-flow-log", "policies", "write", "Statement", value=READ_MASTER))
def the_password_of_the_application_is_known_to_who_needs_it(found: Snapshot) -> list[str]:
    """Both functions, the migrator which sets it, and the web hosts."""
    return sorted(readers(found, "database/app") - {"web", "thumbnail", "caption", "migrator"})
