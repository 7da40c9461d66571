"""What is asked of the roles, and of the secrets that some of them may read."""

from __future__ import annotations

import re
from typing import Any

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
        receives = queue(kind, "ReceiveMessage", "DeleteMessage", "GetQueueAttributes", "SendMessage")
        reads = {("s3:GetObject", f"{uploads}/raw/*"), ("s3:GetObjectVersion", f"{uploads}/raw/*")}
        reads |= {("s3:ListBucket", uploads)} | secret("database/app")
        writes = log(f"/aws/lambda/{project}-{kind}", "CreateLogStream", "PutLogEvents")
        return receives | reads | writes | JOIN_NETWORK

    shown = [f"{derived}/thumbnails/*", f"{derived}/display/*"]
    deleted = [f"{uploads}/raw/*", *shown]
    sweeps = {(f"s3:Delete{what}", where) for what in ("Object", "ObjectVersion") for where in deleted}
    sweeps |= {("s3:AbortMultipartUpload", f"{uploads}/raw/*")}
    sweeps |= {("s3:ListBucketVersions", uploads), ("s3:ListBucket", derived)} | queue(
        "thumbnail", "SendMessage"
    )
    sweeps |= {("sns:Publish", f"arn:aws:sns:{region}:{account}:{project}-notices")}
    backfills = {("s3:GetObject", f"{derived}/display/*"), ("s3:ListBucket", derived)}
    renders = {("s3:PutObject", where) for where in shown} | backfills
    return {
        f"{project}-thumbnail": works("thumbnail") | renders,
        f"{project}-caption": works("caption") | sweeps | secret("gemini"),
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
    """Read an original and display images, write what is made of them; nothing else."""
    return _off(found, "thumbnail")


@check(drop("roles", "~-caption", "policies", "work", "Statement", 0))
def the_caption_function_may_do_its_calls(found: Snapshot) -> list[str]:
    """Read an original, sweep, empty the trash, publish notifications; nothing else."""
    return _off(found, "caption")


@check(put("roles", "~-migrator", "policies", "work", "Statement", 0, "Resource", value="*"))
def the_migrator_may_do_its_calls(found: Snapshot) -> list[str]:
    """Read the database's passwords; nothing else."""
    return _off(found, "migrator")


@check(put("roles", "~-flow-log", "policies", "write", "Statement", 0, "Resource", value="*"))
def the_flow_log_may_be_written(found: Snapshot) -> list[str]:
    """It writes to its own log group; nothing else."""
    return _off(found, "network-flow-log")


@check(put("roles", "~-migrator", "policies", "work", "Statement", 0, "Action", value=["secretsmanager:*"]))
def roles_name_every_action(found: Snapshot) -> list[str]:
    """No pattern among them."""
    return [name for name, role in found.roles.items() if any("*" in action for action, _ in granted(role))]


@check(put("roles", "~-caption", "policies", "work", "Statement", 2, "Resource", value="*"))
def roles_name_every_resource(found: Snapshot) -> list[str]:
    """This applies to actions that support resources."""
    blind = JOIN_NETWORK | {("logs:DescribeLogGroups", "*")}
    blind |= {("sns:GetSubscriptionAttributes", "*"), ("sns:Unsubscribe", "*")}
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


@check(put("roles", "~-migrator", "boundary", value=""))
def roles_are_limited_by_the_boundary(found: Snapshot) -> list[str]:
    """The operator may create no others."""
    limit = f"arn:aws:iam::{found.look.account}:policy/{found.look.project}-boundary"
    return [name for name, role in found.roles.items() if role["boundary"] != limit]


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
    """Services that act for other customers need it. Lambda and EC2 take roles of their own account only."""
    return [
        name
        for name, role in found.roles.items()
        for statement in allowing(role["trust"])
        if services(statement) not in (["lambda.amazonaws.com"], ["ec2.amazonaws.com"])
        and condition(statement, "aws:sourceaccount") != [found.look.account]
    ]


@check(drop("roles", "~-flow-log", "trust", "Statement", 0, "Condition", "ArnLike"))
def trust_names_the_source(found: Snapshot) -> list[str]:
    """The condition names the resource too."""
    return [
        name
        for name, role in found.roles.items()
        for statement in allowing(role["trust"])
        if services(statement) not in (["lambda.amazonaws.com"], ["ec2.amazonaws.com"])
        and not all(f":{found.look.account}:" in arn for arn in condition(statement, "aws:sourcearn") or [""])
    ]


@check(drop("roles", ANY, "tags", "Project"))
def roles_tell_whose_they_are(found: Snapshot) -> list[str]:
    """The playbook destroy finds them by the tags Project and Env."""
    wanted = {"Project": found.look.project, "Env": found.look.env}
    return [name for name, role in found.roles.items() if not wanted.items() <= role["tags"].items()]


@check(add("users", value="caption-gallery-staging-x"))
def nobody_has_keys_that_last(found: Snapshot) -> list[str]:
    """There are roles, and no users."""
    return found.users


@check(drop("secrets", "~gemini"))
def there_are_five_secrets(found: Snapshot) -> list[str]:
    """Three of the database, that of the web hosts, and that of Gemini."""
    names = ("database/master", "database/migrate", "database/app", "web", "gemini")
    return list({f"{found.look.prefix}/{name}" for name in names} ^ set(found.secrets))


@check(add("secrets", ANY, "policy", "Statement", value=EVERYTHING | {"Principal": "*"}))
def secrets_open_themselves_to_nobody(found: Snapshot) -> list[str]:
    """Identity policies grant reading; a resource policy may only deny."""
    return [name for name, secret in found.secrets.items() if list(allowing(secret["policy"]))]


@check(put("secrets", ANY, "deleted", value=True))
def secrets_are_there_to_stay(found: Snapshot) -> list[str]:
    """None waits for its deletion."""
    return [name for name, secret in found.secrets.items() if secret["deleted"]]


@check(put("secrets", ANY, "description", value=""))
def secrets_tell_what_they_are_for(found: Snapshot) -> list[str]:
    """The readers are listed too."""
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


@check(add("roles", "~-caption", "policies", "work", "Statement", value=READ_MASTER))
def the_key_of_accounts_is_known_to_the_web_hosts(found: Snapshot) -> list[str]:
    """Alone."""
    return sorted(readers(found, "web") - {"web"})
