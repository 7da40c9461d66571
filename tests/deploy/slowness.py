"""AWS's slowness for the emulator: what was just created is not usable yet, and calls are throttled.

The seed AWS_SLOW_SEED draws how many calls each state lasts. AWS_SLOW_LOG names a file that gets a line for
each refused call, with the name of the state. Each state says what AWS answers and for how long; the times are
from AWS's documents or, where those are silent, from reports of users of Terraform.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MOST = 6  # calls that a state lasts
THROTTLED = 0.01  # of the calls


@dataclass(frozen=True)
class State:
    """A state after one of some actions, in which others are refused with this code for a while.

    parameter: what the body of a refused request contains; empty for every request.
    """

    name: str
    after: tuple[str, ...]
    refuses: tuple[str, ...]
    code: str
    message: str
    parameter: bytes = b""


STATES = (
    # IAM is eventually consistent: seconds, rarely minutes.
    State(
        "role unknown to Lambda",
        ("iam:CreateRole",),
        ("lambda:CreateFunction",),
        "InvalidParameterValueException",
        "The role defined for the function cannot be assumed by Lambda.",
    ),
    State(
        "role without its policy for Lambda",
        ("iam:PutRolePolicy",),
        ("lambda:CreateFunction",),
        "InvalidParameterValueException",
        "The provided execution role does not have permissions to call CreateNetworkInterface on EC2",
    ),
    State(
        "role without its policy for a queue",
        ("iam:PutRolePolicy",),
        ("lambda:CreateEventSourceMapping",),
        "InvalidParameterValueException",
        "The provided execution role does not have permissions to call ReceiveMessage on SQS",
    ),
    # The SDK repeats a call whose answer was late; Lambda has created the function meanwhile.
    State(
        "function of an answer that was lost",
        ("iam:PutRolePolicy",),
        ("lambda:CreateFunction",),
        "ResourceConflictException",
        "Function already exist",
    ),
    State(
        "role unknown to flow logs",
        ("iam:CreateRole",),
        ("ec2:CreateFlowLogs",),
        "InvalidParameter",
        "DeliverLogsPermissionArn is invalid or cannot be assumed",
    ),
    State(
        "instance profile unknown to EC2",
        ("iam:CreateInstanceProfile", "iam:AddRoleToInstanceProfile"),
        ("ec2:CreateLaunchTemplate", "ec2:CreateLaunchTemplateVersion"),
        "InvalidParameterValue",
        "Value for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name",
    ),
    State(
        "instance profile unknown to Auto Scaling",
        ("iam:CreateInstanceProfile", "iam:AddRoleToInstanceProfile"),
        ("autoscaling:CreateAutoScalingGroup",),
        "ValidationError",
        "You must use a valid fully-formed launch template. Invalid IAM Instance Profile name",
    ),
    State(
        "role unknown to a resource policy",
        ("iam:CreateRole",),
        ("iam:PutRolePolicy",),
        "NoSuchEntity",
        "The role with that name cannot be found.",
    ),
    State(
        "boundary of a new role unknown",
        ("iam:CreateRole",),
        ("iam:PutRolePolicy",),
        "AccessDenied",
        "is not authorized to perform: iam:PutRolePolicy",
    ),
    State(
        "tags of a new resource unknown to IAM",
        (
            *("ec2:CreateInternetGateway", "ec2:CreateLaunchTemplate", "ec2:CreateRouteTable"),
            *("ec2:CreateSecurityGroup", "ec2:CreateVpc"),
        ),
        (
            *("ec2:AssociateRouteTable", "ec2:AttachInternetGateway", "ec2:AuthorizeSecurityGroupEgress"),
            *("ec2:AuthorizeSecurityGroupIngress", "ec2:CreateLaunchTemplateVersion", "ec2:CreateRoute"),
            *("ec2:ModifyLaunchTemplate", "ec2:ModifyVpcAttribute"),
        ),
        "UnauthorizedOperation",
        "You are not authorized to perform this operation.",
    ),
    # The first instance of an account.
    State(
        "service-linked role unknown to RDS",
        ("rds:CreateDBSubnetGroup",),
        ("rds:CreateDBInstance",),
        "InvalidParameterValue",
        "Unable to create the resource. Verify that you have permission to create service linked role."
        " Otherwise wait and try again later.",
    ),
    State(
        "service-linked role unknown to Auto Scaling",
        ("ec2:CreateLaunchTemplate",),
        ("autoscaling:CreateAutoScalingGroup",),
        "ValidationError",
        "The default Service-Linked Role for Auto Scaling could not be assumed.",
    ),
    # Lambda: seconds to minutes in a VPC.
    State(
        "mapping Creating or Updating",
        ("lambda:CreateEventSourceMapping", "lambda:UpdateEventSourceMapping"),
        ("lambda:UpdateEventSourceMapping", "lambda:DeleteEventSourceMapping"),
        "ResourceInUseException",
        "Cannot update the event source mapping because it is in use.",
    ),
    # PutFunctionRecursionConfig in the API reference: "another operation is in progress".
    State(
        "function Pending",
        ("lambda:CreateFunction",),
        ("lambda:PutFunctionRecursionConfig",),
        "ResourceConflictException",
        "The operation cannot be performed at this time. The function is currently Pending.",
    ),
    # WAF: up to a few minutes.
    State(
        "web ACL unavailable",
        ("wafv2:CreateWebACL",),
        ("wafv2:AssociateWebACL",),
        "WAFUnavailableEntityException",
        "AWS WAF couldn't retrieve the resource that you requested. Retry your request.",
    ),
    State(
        "web ACL still associated",
        ("wafv2:DisassociateWebACL",),
        ("wafv2:DeleteWebACL",),
        "WAFAssociatedItemException",
        "AWS WAF couldn't perform the operation because your resource is being used by another resource.",
    ),
    State(
        "web ACL unknown to CloudFront",
        ("wafv2:CreateWebACL",),
        ("cloudfront:CreateDistribution",),
        "InvalidWebACLId",
        "Web ACL is not accessible by the requester.",
    ),
    State(
        "web ACL of a deleted distribution",
        ("cloudfront:DeleteDistribution",),
        ("wafv2:DeleteWebACL",),
        "WAFAssociatedItemException",
        "AWS WAF couldn't perform the operation because your resource is being used by another resource.",
    ),
    State(
        "network interfaces of the VPC origin",
        ("cloudfront:DeleteVpcOrigin",),
        ("ec2:DeleteSubnet", "ec2:DeleteVpc"),
        "DependencyViolation",
        "resource has a dependent object",
    ),
    # EC2: seconds; network interfaces of functions: up to 40 minutes.
    State(
        "security group unknown",
        ("ec2:CreateSecurityGroup",),
        ("ec2:AuthorizeSecurityGroupIngress", "ec2:AuthorizeSecurityGroupEgress"),
        "InvalidGroup.NotFound",
        "The security group does not exist",
    ),
    State(
        "NAT gateway unknown",
        ("ec2:CreateNatGateway",),
        ("ec2:CreateRoute",),
        "InvalidNatGatewayID.NotFound",
        "The natGateway ID does not exist",
        b"NatGatewayId=",
    ),
    State(
        "network interfaces of functions",
        ("lambda:DeleteFunction",),
        ("ec2:DeleteSecurityGroup", "ec2:DeleteSubnet"),
        "DependencyViolation",
        "resource has a dependent object",
    ),
    State(
        "address of a deleted NAT gateway",
        ("ec2:DeleteNatGateway",),
        ("ec2:ReleaseAddress",),
        "InvalidIPAddress.InUse",
        "The address is in use.",
    ),
    State(
        "address still mapped",
        ("ec2:DeleteNatGateway",),
        ("ec2:DetachInternetGateway",),
        "DependencyViolation",
        "Network has some mapped public address(es).",
    ),
    State(
        "route tables in use",
        ("ec2:DeleteSubnet",),
        ("ec2:DeleteRouteTable", "ec2:DeleteVpc"),
        "DependencyViolation",
        "The resource has dependencies and cannot be deleted.",
    ),
    # The load balancer's interfaces outlive it by a minute.
    State(
        "target group in use",
        ("elasticloadbalancing:DeleteLoadBalancer",),
        ("elasticloadbalancing:DeleteTargetGroup",),
        "ResourceInUse",
        "Target group is currently in use by a listener or a rule",
    ),
    State(
        "policy of a topic unknown to S3",
        ("sns:CreateTopic", "sns:SetTopicAttributes"),
        ("s3:PutBucketNotification",),
        "InvalidArgument",
        "Unable to validate the following destination configurations",
    ),
    # S3 and SQS: a minute or more.
    State(
        "bucket's name just deleted",
        ("s3:DeleteBucket",),
        ("s3:CreateBucket",),
        "OperationAborted",
        "A conflicting conditional operation is currently in progress against this resource.",
    ),
    State(
        "queue just deleted",
        ("sqs:DeleteQueue",),
        ("sqs:CreateQueue",),
        "AWS.SimpleQueueService.QueueDeletedRecently",
        "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
    ),
    State(
        "database subnets in use",
        ("rds:DeleteDBInstance",),
        ("rds:DeleteDBSubnetGroup", "rds:DeleteDBParameterGroup"),
        "InvalidDBSubnetGroupStateFault",
        "Cannot delete the subnet group because at least one database instance is still using it.",
    ),
)
# The code of a throttled call, by service.
THROTTLING = {
    "ec2": "RequestLimitExceeded",
    "lambda": "TooManyRequestsException",
    "logs": "ThrottlingException",
    "s3": "SlowDown",
    "secretsmanager": "ThrottlingException",
    "wafv2": "ThrottlingException",
}
STATUS = {
    "RequestLimitExceeded": 503,
    "TooManyRequestsException": 429,
    "SlowDown": 503,
}  # botocore repeats these calls by the status; else 400


@dataclass
class Slowness:
    """How long each state lasts still, in calls."""

    seed: int
    left: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def refusal(self, action: str, body: bytes) -> tuple[str, str, str] | None:
        """Return name, code and message where AWS would refuse the action now; note what it begins."""
        for state in STATES:
            refused = action in state.refuses and state.parameter in body
            if refused and self.left.get(state.name, 0) > 0:
                self.left[state.name] -= 1
                return state.name, state.code, state.message
        if self.random.random() < THROTTLED:
            return "throttled", THROTTLING.get(action.partition(":")[0], "Throttling"), "Rate exceeded"
        for state in STATES:
            if action in state.after:
                self.left[state.name] = self.random.randint(1, MOST)
        return None


def slow() -> None:
    """Calls of Ansible's modules: AWS refuses some for a while. Only where AWS_SLOW_SEED is set."""
    if not (seed := os.environ.get("AWS_SLOW_SEED")):
        return
    from ministack import app
    from ministack.core import iam_actions, iam_evaluator

    slowness, log = Slowness(int(seed)), Path(os.environ.get("AWS_SLOW_LOG", os.devnull))
    by_ansible: ContextVar[bool] = ContextVar("by_ansible", default=False)
    sent: ContextVar[bytes] = ContextVar("sent", default=b"")
    enforce, pin, failure = iam_evaluator.enforce, iam_evaluator.pin_request_caller, app._credential_failure
    extract = iam_actions.extract_iam_action

    def pinned(headers: Any, *further: Any) -> None:
        by_ansible.set("Ansible" in headers.get("user-agent", ""))
        pin(headers, *further)

    def extracted(service: str, method: str, path: str, headers: Any, body: bytes, *further: Any) -> Any:
        sent.set(body or b"")
        return extract(service, method, path, headers, body, *further)

    def delayed(key: str, action: str, *further: Any, **named: Any) -> Any:
        answer = enforce(key, action, *further, **named)
        if (
            answer is not None
            or not by_ansible.get()
            or (refused := slowness.refusal(action, sent.get())) is None
        ):
            return answer
        name, code, message = refused
        with log.open("a", encoding="utf-8") as lines:
            lines.write(f"{name}\n")
        return iam_evaluator.AuthError(code, message, {"slow": name})

    def answered(service: str, action: str, request: str, denied: Any, headers: Any) -> Any:
        status, *rest = failure(service, action, request, denied, headers)
        return (STATUS.get(denied.code, 400) if "slow" in denied.details else status, *rest)

    iam_evaluator.enforce, iam_evaluator.pin_request_caller = delayed, pinned
    iam_actions.extract_iam_action = extracted
    app._credential_failure = answered


CORRECTIONS: tuple[Callable[[], None], ...] = (slow,)
