"""The operator's policies suffice: every playbook, run by a user who has them and nothing else.

``python -m tests.drills.security_operator`` makes an account, gives a user the policies of docs/operator,
and runs as that user, for staging and then for production: site.yml from nothing, again with other values,
another tag and a bastion, again as it was, redrive.yml with a dead letter, destroy.yml. It ends with 1 where
a call is denied, a playbook fails, a policy holds an action that nobody asked for and that is not a repair,
or a repair was asked for.
``--record`` runs as root and prints the calls instead.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.deploy.provision_account import ID, PROJECT, REGION, Account, account
from tests.deploy.security_operator import Judged, actions, covered, denied, judged, policies

CERTIFICATE = f"arn:aws:acm:{REGION}:{ID}:certificate/00000000-0000-0000-0000-000000000000"
BASTION = {
    "bastion_enabled": True,
    "bastion_cidr": "203.0.113.7/32",
    "bastion_public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43 + " nobody",
}
OTHERWISE = {
    "release": "r2",
    "edge_drain_seconds": 45,
    "edge_requests_per_5_minutes": 3000,
    "database_backup_days": 10,
    "functions_memory": 2048,
    "functions_log_retention_days": 60,
    "events_max_receives": 6,
    "observability_wait_minutes": 30,
    "observability_emails": ["somebody@example.org"],
    "storage_noncurrent_days": 40,
}
TAGGED = (
    "cloudfront", "database", "edge", "events", "functions", "network", "notices", "observability", "secrets",
    "storage",
)  # fmt: skip
PLACES: dict[str, dict[str, Any]] = {
    "staging": {},
    "production": {"gallery_domain": "gallery.example.org", "edge_certificate_arn": CERTIFICATE},
}
ROUTERS = {"staging": "sns", "production": "eventbridge"}  # so that both are created and removed


def main(record: bool) -> int:
    """Run it; 0 where the policies are as wide as they must be, and no wider."""
    with tempfile.TemporaryDirectory(prefix="operator-") as folder, account(Path(folder) / "aws") as aws:
        keys = {} if record else operator(aws)
        key = keys.get("AWS_ACCESS_KEY_ID", aws.environ()["AWS_ACCESS_KEY_ID"])
        failed = [step for env in PLACES for step in life(aws, env, keys)]
        if record:
            print(*(f"{call.action} {call.resource}" for call in judged(aws.calls, key, "Ansible/")), sep="\n")
            return int(bool(failed))
        calls = judged(aws.calls, key)
        refused = {*denied(aws.calls, key), *(call for call in calls if not covered(call))}
        return messages(failed, sorted(refused), actions() - {call.action for call in calls})


def messages(failed: list[str], refused: list[Judged], unused: set[str]) -> int:
    """Print what came out; 1 where something is wrong."""
    idle = sorted(unused - REPAIRS)
    print(f"playbooks that failed: {failed or 'none'}")
    print(f"calls that were denied: {[f'{call.action} {call.resource}' for call in refused] or 'none'}")
    print(
        f"actions that nobody asked for: {idle or 'none'}; and {len(unused & REPAIRS)} that AWS alone asks for"
    )
    print(f"listed as such, but asked for here: {sorted(REPAIRS - unused) or 'none'}")
    return int(bool(failed or refused or idle or REPAIRS - unused))


# What the stand-in is never asked for, and AWS is: what it judges within another call, what puts back something
# that was changed by hand or in an older inventory.
WITHIN = (
    "ec2:DescribeAccountAttributes", "ec2:GetSecurityGroupsForVpc", "freetier:GetAccountPlanState",
    "elasticloadbalancing:CreateWebACLAssociation", "elasticloadbalancing:DeleteWebACLAssociation",
    "elasticloadbalancing:DescribeWebACLAssociation", "elasticloadbalancing:GetLoadBalancerWebACL",
    "elasticloadbalancing:SetWebAcl", "iam:CreateServiceLinkedRole", "iam:PassRole", "logs:TagResource",
    "logs:UntagResource", "rds:CreateDBSnapshot", "route53:AssociateVPCWithHostedZone",
    "s3:DeleteObjectVersion", "servicequotas:GetServiceQuota",
)  # fmt: skip
PUTS_BACK = (
    "ec2:DeleteRoute", "ec2:ModifySubnetAttribute", "ec2:ReplaceRoute", "ec2:ReplaceRouteTableAssociation",
    "ec2:UpdateSecurityGroupRuleDescriptionsEgress", "ec2:UpdateSecurityGroupRuleDescriptionsIngress",
    "elasticloadbalancing:ModifyListener", "elasticloadbalancing:ModifyTargetGroup",
    "elasticloadbalancing:SetIpAddressType", "elasticloadbalancing:SetSecurityGroups",
    "elasticloadbalancing:SetSubnets", "iam:PutRolePermissionsBoundary", "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
    "lambda:DeleteFunctionConcurrency", "lambda:RemovePermission", "rds:ModifyDBSubnetGroup",
    "s3:PutBucketOwnershipControls", "s3:PutBucketPublicAccessBlock", "s3:PutEncryptionConfiguration",
    "secretsmanager:PutSecretValue", "secretsmanager:RestoreSecret", "secretsmanager:UpdateSecret",
)  # fmt: skip
# What removes web hosts; the drill has none, as they are a release's.
HOSTS = (
    "autoscaling:DeleteAutoScalingGroup", "autoscaling:UpdateAutoScalingGroup", "ec2:DeleteLaunchTemplate",
    "ec2:DeleteSnapshot", "ec2:DeleteVolume", "ec2:DeregisterImage", "ec2:DescribeLaunchTemplateVersions",
    "iam:DeleteInstanceProfile", "iam:GetInstanceProfile", "iam:RemoveRoleFromInstanceProfile",
)  # fmt: skip
# What a person reads by the commands of the documents, or in a console.
READS = ("logs:FilterLogEvents", "logs:GetLogEvents", "wafv2:GetSampledRequests")
REPAIRS = {*WITHIN, *PUTS_BACK, *HOSTS, *READS}


# Services of whose calls the stand-in does not always know the resource; it judges them as about everything.
BLIND = ("cloudwatch", "ec2", "elasticloadbalancing", "events", "lambda", "logs", "rds", "sns", "wafv2")


def operator(aws: Account) -> dict[str, str]:
    """A user with the policies, and with their actions on everything where the stand-in is blind; its keys."""
    iam = aws.client("iam")
    iam.create_user(UserName="operator")
    blind = sorted(action for action in actions() if action.startswith(BLIND))
    everything = {"Statement": [{"Effect": "Allow", "Action": blind, "Resource": "*"}]}
    for name, policy in (policies() | {"blind": {"Version": "2012-10-17"} | everything}).items():
        arn = iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(policy))["Policy"]["Arn"]
        iam.attach_user_policy(UserName="operator", PolicyArn=arn)
    made = iam.create_access_key(UserName="operator")["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": made["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"]}


def life(aws: Account, env: str, keys: dict[str, str]) -> Iterator[str]:
    """Everything that is done to one environment, in order; the steps that failed."""
    place = PLACES[env] | {"events_router": ROUTERS[env]}
    unprotected = {"database_deletion_protection": False, "edge_deletion_protection": False}
    steps: list[tuple[str, str, dict[str, Any]]] = [
        ("from nothing", "site.yml", place),
        ("otherwise", "site.yml", place | OTHERWISE | BASTION | tags(env)),
        ("again", "site.yml", place | unprotected),
        ("redrive", "playbooks/redrive.yml", place),
        ("destroy", "playbooks/destroy.yml", place | {"confirm": PROJECT}),
    ]
    for name, playbook, variables in steps:
        if name == "redrive":
            leave_something(aws, env)
        if name == "otherwise":
            another_code(aws.zips)
        start = time.monotonic()
        environ = keys | {"GEMINI_API_KEY": "made-up-by-the-drill"}
        done = replace(aws, env=env).ansible(playbook, environ=environ, **variables)
        print(f"{env}, {name}: ended with {done.returncode} after {time.monotonic() - start:.0f} s", flush=True)
        if done.returncode:
            print(done.stdout[-3000:], done.stderr[-1000:], flush=True)
            yield f"{env}, {name}"


def tags(env: str) -> dict[str, dict[str, str]]:
    """Return the tags of all resources, with one more than by default."""
    common = {"Project": PROJECT, "Env": env, "Cost": "made-up"}
    return {f"{role}_tags": common | {"Role": role} for role in TAGGED}


def another_code(zips: Path) -> None:
    """Set the state after a release."""
    for path in zips.glob("*.zip"):
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(f"another-{len(archive.namelist())}.txt", "made up")


def leave_something(aws: Account, env: str) -> None:
    """A dead letter to be redriven, and photos to be removed."""
    prefix = f"{PROJECT}-{env}"
    sqs, s3 = aws.client("sqs"), aws.client("s3")
    url = sqs.get_queue_url(QueueName=f"{prefix}-caption-dead")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    for kind in ("uploads", "derived"):
        s3.put_object(Bucket=f"{prefix}-{kind}-{ID}", Key="raw/there.jpg", Body=b"x")


if __name__ == "__main__":
    sys.exit(main("--record" in sys.argv[1:]))
