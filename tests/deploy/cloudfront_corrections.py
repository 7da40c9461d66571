"""CloudFront, as AWS has it: further corrections of the stand-in, for aws_corrections.

The sources are the CloudFront API reference and the page "Restrict access with VPC origins" of its guide; where
they name no error code, the correction says so. A deployment lasts some calls that ask for its state, drawn by
AWS_SLOW_SEED: AWS takes minutes.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element

Answer = tuple[int, dict[str, str], bytes]
Action = Callable[..., Answer]
MOST = 6  # calls that a deployment lasts
METHODS = [
    {"GET", "HEAD"},
    {"GET", "HEAD", "OPTIONS"},
    {"GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"},
]
GROUP = "CloudFront-VPCOrigins-Service-SG"  # that CloudFront makes in the VPC of an origin
RULES, WEIGHT = 60, 55  # inbound rules that a group may have, and those that CloudFront's prefix list counts as


class Deployments:
    """How many more calls see each resource as not deployed yet."""

    def __init__(self) -> None:
        self.left: dict[str, int] = {}
        self.random = random.Random(int(os.environ.get("AWS_SLOW_SEED", "0")))

    def begin(self, id: str) -> None:
        """Begin the deployment of a change."""
        slow = "AWS_SLOW_SEED" in os.environ
        self.left[id] = self.random.randint(1, MOST) if slow else 1

    def going_on(self, id: str) -> bool:
        """Return whether it goes on."""
        return self.left.get(id, 0) > 0

    def seen(self, id: str) -> bool:
        """Return the same for a call that reads the state, which brings the end nearer."""
        going_on = self.going_on(id)
        self.left[id] = max(0, self.left.get(id, 0) - 1)
        return going_on


def distributions() -> None:
    """A change is InProgress for a while; only a disabled distribution that is Deployed can be deleted."""
    from ministack.services import cloudfront

    deployments, create = Deployments(), cloudfront._create_distribution
    get, update, delete = (
        cloudfront._get_distribution,
        cloudfront._update_distribution,
        cloudfront._delete_distribution,
    )

    def created(headers: Any, body: bytes) -> Answer:
        return refusal(cloudfront, body) or begun(create(headers, body))

    def updated(id: str, headers: Any, body: bytes) -> Answer:
        return refusal(cloudfront, body) or begun(update(id, headers, body))

    def begun(answer: Answer) -> Answer:
        found = re.search(rb"<Id>(E?[0-9A-Z]{13,14})</Id>", answer[2])
        if answer[0] >= 300 or not found:
            return answer
        deployments.begin(found[1].decode())
        return in_progress(answer)

    def in_progress(answer: Answer) -> Answer:
        status, headers, body = answer
        return status, headers, body.replace(b"<Status>Deployed<", b"<Status>InProgress<", 1)

    def read(id: str) -> Answer:
        return in_progress(get(id)) if deployments.seen(id) else get(id)

    def deleted(id: str, headers: Any) -> Answer:
        if deployments.going_on(id):
            message = "The distribution you are trying to delete has not been disabled."
            return cloudfront._error("DistributionNotDisabled", message, 409)
        return delete(id, headers)

    cloudfront._create_distribution, cloudfront._update_distribution = created, updated
    cloudfront._get_distribution, cloudfront._delete_distribution = read, deleted


def refusal(cloudfront: Any, body: bytes) -> Answer | None:
    """Return what AWS answers to a configuration that it does not take; None if it does."""
    config = cloudfront._parse_body(body)
    if config is None:
        return None
    for code, message in faults(cloudfront, config):
        return cloudfront._error(code, message, 400)
    return None


def faults(cloudfront: Any, config: Element) -> Any:
    """Yield code and message of each fault: Errors of CreateDistribution in the API reference."""
    from ministack.services import waf

    def texts(name: str) -> list[str]:
        return [each.text or "" for each in config.iter() if cloudfront._local_tag_name(each) == name]

    for each in config.iter():
        quantity, items = cloudfront._find(each, "Quantity"), cloudfront._find(each, "Items")
        if quantity is not None and int(quantity.text or 0) != len(items if items is not None else ()):
            yield "InconsistentQuantities", f"Quantity of {cloudfront._local_tag_name(each)}"
        methods = {item.text for item in items} if items is not None else set()
        if cloudfront._local_tag_name(each) == "AllowedMethods" and methods not in METHODS:
            yield "InvalidArgument", "The parameter AllowedMethods contains invalid combinations."
    known = set(cloudfront._cache_policies) | set(cloudfront._MANAGED_CACHE_POLICIES)
    if set(texts("CachePolicyId")) - known:
        yield "NoSuchCachePolicy", "The cache policy does not exist."
    known = set(cloudfront._origin_request_policies) | set(cloudfront._MANAGED_ORIGIN_REQUEST_POLICIES)
    if set(texts("OriginRequestPolicyId")) - known:
        yield "NoSuchOriginRequestPolicy", "The origin request policy does not exist."
    for acl in filter(None, texts("WebACLId")):
        if ":global/webacl/" not in acl or acl not in {each["ARN"] for _, each in waf._web_acls.all_items()}:
            yield "InvalidWebACLId", "Web ACL is not accessible by the requester."
    if texts("CNAME") and not texts("ACMCertificateArn"):
        yield "InvalidViewerCertificate", "To add an alternate domain name, you must attach a certificate."
    if any(not 1 <= int(each) <= 120 for each in texts("OriginReadTimeout")):
        yield "InvalidOriginReadTimeout", "The read timeout is outside of 1 to 120 seconds."
    for id in texts("VpcOriginId"):
        # The guide: its status must be Deployed before a distribution uses it. It names no code.
        if id in cloudfront._vpc_origins and VPC_ORIGINS.going_on(id):
            yield "InvalidArgument", f"The VPC origin {id} is not deployed."


VPC_ORIGINS = Deployments()


def vpc_origins() -> None:
    """A VPC origin is Deploying for a while, and its ETag changes with the end of that.

    It needs an internet gateway in the VPC, although nothing is routed through it. CloudFront puts its network
    interfaces and its security group there. The former are gone when the origin is; of the latter no document
    says so, and EC2 deletes no VPC with a group.
    """
    from ministack.services import alb, cloudfront, ec2

    create, get = cloudfront._create_vpc_origin, cloudfront._get_vpc_origin
    update, delete = cloudfront._update_vpc_origin, cloudfront._delete_vpc_origin
    respond, listed = cloudfront._vpc_origin_response, cloudfront._list_vpc_origins
    leaving: dict[str, Any] = {}  # origins whose deletion goes on

    def network(arn: str) -> str:
        """Return the VPC of a load balancer's subnets; the stand-in itself says that of the default one."""
        subnets = [each["Subnets"] for each in alb._lbs.values() if each["LoadBalancerArn"] == arn]
        return str(ec2._subnets.get(subnets[0][0], {}).get("VpcId", "")) if subnets else ""

    def created(body: bytes) -> Answer:
        found = re.search(rb"<Arn>([^<]+)</Arn>", body)
        vpc = network(found[1].decode() if found else "")
        attached = [each["VpcId"] for igw in ec2._internet_gateways.values() for each in igw["Attachments"]]
        if vpc and vpc not in attached:  # the guide names no code
            return cloudfront._error("InvalidArgument", "The VPC has no internet gateway.", 400)
        answer = create(body)
        for id in re.findall(r"<Id>(vo_\w+)</Id>", answer[2].decode()):
            VPC_ORIGINS.begin(id)
            names = {group["GroupName"] for group in ec2._security_groups.values() if group["VpcId"] == vpc}
            if GROUP not in names:
                about = {"GroupName": [GROUP], "GroupDescription": [GROUP], "VpcId": [vpc]}
                tag = "TagSpecification.1"
                about |= {f"{tag}.ResourceType": ["security-group"], f"{tag}.Tag.1.Value": ["enabled"]}
                about[f"{tag}.Tag.1.Key"] = ["aws.cloudfront.vpcorigin"]
                ec2._ACTION_MAP["CreateSecurityGroup"](about)
        return answer

    def read(id: str) -> Answer:
        if (origin := cloudfront._vpc_origins.get(id) or leaving.get(id)) is None:
            return get(id)
        going_on = VPC_ORIGINS.seen(id)
        if id in leaving and not VPC_ORIGINS.going_on(id):
            del leaving[id], cloudfront._tags[origin["Arn"]]
        return respond(origin, deploying=going_on)

    def updated(id: str, headers: Any, body: bytes) -> Answer:
        answer = busy(id, "CannotUpdateEntityWhileInUse") or update(id, headers, body)
        if answer[0] < 300:
            VPC_ORIGINS.begin(id)
        return answer

    def deleted(id: str, headers: Any) -> Answer:
        origin = cloudfront._vpc_origins.get(id) or {}
        tags = cloudfront._tags.get(origin.get("Arn"), [])
        answer = busy(id, "CannotDeleteEntityWhileInUse") or delete(id, headers)
        if answer[0] < 300:
            leaving[id], cloudfront._tags[origin["Arn"]] = origin, tags  # IAM compares them until it is gone
            VPC_ORIGINS.begin(id)
        return answer

    def busy(id: str, code: str) -> Answer | None:
        if not VPC_ORIGINS.going_on(id):
            return None
        return cloudfront._error(code, "The VPC origin is being deployed.", 409)

    def list_all(query: Any) -> Answer:
        status, headers, body = listed(query)
        for id in filter(VPC_ORIGINS.going_on, cloudfront._vpc_origins):
            pattern = rb"(<Id>%s</Id>.*?<Status>)Deployed" % id.encode()
            body = re.sub(pattern, rb"\1Deploying", body, count=1, flags=re.DOTALL)
        return status, headers, body

    def held(act: Action) -> Action:
        def corrected(params: Any) -> Answer:
            vpc = ec2._p(params, "VpcId")
            subnet = ec2._subnets.get(ec2._p(params, "SubnetId"), {})
            origins = [*cloudfront._vpc_origins.values(), *leaving.values()]
            for arn in (each["VpcOriginEndpointConfig"]["Arn"] for each in origins):
                balancer = next((each for each in alb._lbs.values() if each["LoadBalancerArn"] == arn), None)
                if (vpc or subnet.get("VpcId", "")) == network(arn) and balancer:
                    return ec2._error("DependencyViolation", "resource has a dependent object", 400)
            groups = [each["VpcId"] for each in ec2._security_groups.values() if each["GroupName"] != "default"]
            if vpc in groups:
                return ec2._error("DependencyViolation", "The vpc has dependencies and cannot be deleted.", 400)
            return act(params)

        return corrected

    cloudfront._create_vpc_origin, cloudfront._get_vpc_origin = created, read
    cloudfront._update_vpc_origin, cloudfront._delete_vpc_origin = updated, deleted
    cloudfront._list_vpc_origins = list_all
    for action in ("DeleteSubnet", "DeleteVpc"):
        ec2._ACTION_MAP[action] = held(ec2._ACTION_MAP[action])


def web_acls() -> None:
    """WAF: the scope CLOUDFRONT exists in us-east-1 only; a distribution keeps its web ACL from deletion."""
    from ministack.core.responses import get_region
    from ministack.services import cloudfront, waf

    def deleting(act: Action) -> Action:
        def corrected(data: dict[str, Any]) -> Answer:
            used = " ".join(each["config_xml"] for each in cloudfront._distributions.values())
            if data.get("Id", "-") in used:
                message = "AWS WAF couldn't perform the operation because your resource is being used."
                return waf._waf_err("WAFAssociatedItemException", message)
            return act(data)

        return corrected

    def scoped(act: Action) -> Action:
        def corrected(data: dict[str, Any]) -> Answer:
            if data.get("Scope") == "CLOUDFRONT" and get_region() != "us-east-1":
                message = "Error reason: The scope is not valid., field: SCOPE_VALUE, parameter: CLOUDFRONT"
                return waf._waf_err("WAFInvalidParameterException", message)
            return act(data)

        return corrected

    waf._delete_web_acl = deleting(waf._delete_web_acl)
    for name in ("_create_web_acl", "_get_web_acl", "_list_web_acls", "_update_web_acl", "_delete_web_acl"):
        setattr(waf, name, scoped(getattr(waf, name)))


def prefix_lists() -> None:
    """A rule keeps its prefix lists; CloudFront's counts as 55 of the 60 rules of a security group.

    Source: "Available AWS-managed prefix lists" in the VPC guide, and its quotas.
    """
    from ministack.services import ec2

    parse = ec2._parse_ip_permissions

    def parsed(params: Any, prefix: str) -> Any:
        rules = parse(params, prefix)
        for number, rule in enumerate(rules, 1):
            for count in range(1, RULES):
                entry = f"{prefix}.{number}.PrefixListIds.{count}"
                if not (id := ec2._p(params, f"{entry}.PrefixListId")):
                    break
                described = ec2._p(params, f"{entry}.Description")
                rule["PrefixListIds"].append(
                    {"PrefixListId": id} | ({"Description": described} if described else {})
                )
        return rules

    ec2._parse_ip_permissions = parsed
    authorize: Action = ec2._ACTION_MAP["AuthorizeSecurityGroupIngress"]

    def corrected(params: Any) -> Answer:
        answer = authorize(params)
        group = ec2._security_groups.get(ec2._p(params, "GroupId"), {"IpPermissions": []})
        kinds = ("IpRanges", "Ipv6Ranges", "UserIdGroupPairs")
        count = sum(
            WEIGHT * len(rule.get("PrefixListIds", [])) + sum(len(rule.get(kind, [])) for kind in kinds)
            for rule in group["IpPermissions"]
        )
        if count > RULES:
            return ec2._error("RulesPerSecurityGroupLimitExceeded", "The maximum number of rules is 60.", 400)
        return answer

    ec2._ACTION_MAP["AuthorizeSecurityGroupIngress"] = corrected


def identities() -> None:
    """IAM judges CreateDistributionWithTags as CreateDistribution; it knows tags of requests and resources.

    Source: Service Authorization Reference of CloudFront.
    """
    from ministack.core import iam_actions
    from ministack.services import tagging

    tagging._RESOURCE_TAG_COLLECTORS["cloudfront"] = tagging._collect_cloudfront

    extract, tags = iam_actions.extract_iam_action, iam_actions.request_tag_context
    resource = iam_actions.extract_resource_arn

    def extracted(*request: Any) -> Any:
        action = extract(*request)
        return "cloudfront:CreateDistribution" if action == "cloudfront:CreateDistributionWithTags" else action

    def tagged(service: str, action: str, body: bytes, *further: Any) -> dict[str, Any]:
        context: dict[str, Any] = tags(service, action, body, *further)
        if service != "cloudfront":
            return context
        pairs = re.findall(r"<Key>([^<]+)</Key>\s*<Value>([^<]*)</Value>", (body or b"").decode())
        return context | {f"aws:RequestTag/{key}".lower(): value for key, value in pairs}

    def named(
        service: str, method: str, path: str, headers: Any, body: bytes, query: Any, *further: Any
    ) -> str:
        if service == "cloudfront" and path.rstrip("/").endswith("/tagging"):
            given = query.get("Resource") or "*"
            return str(given[0] if isinstance(given, list) else given)
        found: str = resource(service, method, path, headers, body, query, *further)
        return found

    iam_actions.extract_iam_action, iam_actions.request_tag_context = extracted, tagged
    iam_actions.extract_resource_arn = named


CORRECTIONS: tuple[Callable[[], None], ...] = (
    distributions,
    vpc_origins,
    web_acls,
    prefix_lists,
    identities,
)
