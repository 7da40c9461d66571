"""The stand-in of CloudFront refuses what AWS refuses; the modules change a distribution as AWS takes it.

destroy.yml removes what CloudFront has put into a VPC.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.deploy.described import Described, differences
from tests.deploy.provision_account import ENV, ID, PREFIX, PROJECT, REGION, Account, account, recap
from tests.loading import module_at

pytestmark = pytest.mark.timeout(900)

TAGS = [{"Key": "Project", "Value": PROJECT}, {"Key": "Env", "Value": ENV}]
GROUP = "ec2/SecurityGroups/CloudFront-VPCOrigins-Service-SG"
NAME = f"{PREFIX}-edge"
LIST = "com.amazonaws.global.cloudfront.origin-facing"
CERTIFICATE, RENEWED = (f"arn:aws:acm:{REGION}:{ID}:certificate/{each}" for each in ("one", "two"))
DEFAULT = {"CloudFrontDefaultCertificate": True}


def own(arn: str, **changed: Any) -> dict[str, Any]:
    """Return the certificate of a domain name as it is sent."""
    given = {"ACMCertificateArn": arn, "SSLSupportMethod": "sni-only", "MinimumProtocolVersion": "TLSv1.2_2021"}
    return given | changed


vpc_origin = module_at("playbooks/library/vpc_origin.py")
served_by = module_at("playbooks/library/distribution.py")
changes = importlib.import_module("ansible.module_utils.cloudfront_changes")


@dataclass
class Network:
    """A VPC with an internal load balancer, and what was refused while it was made, by the call's name."""

    aws: Account
    empty: Described
    codes: dict[str, str] = field(default_factory=dict)
    # Whether each of two runs of a module changed something, and the configuration after both.
    changes: dict[str, list[bool]] = field(default_factory=dict)
    configs: dict[str, dict[str, Any]] = field(default_factory=dict)
    origin: dict[str, Any] = field(default_factory=dict)

    def refused(self, what: str, call: Any, **given: Any) -> Any:
        """Make a call; keep the code if AWS refuses it, else "accepted"."""
        try:
            answer = call(**given)
        except ClientError as error:
            self.codes[what] = error.response["Error"]["Code"]
            return None
        self.codes[what] = "accepted"
        return answer

    def make(self) -> None:
        """Create everything, with a mistake before each step."""
        ec2, cloudfront = self.aws.client("ec2"), self.aws.client("cloudfront")
        vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16", TagSpecifications=tags("vpc"))["Vpc"]["VpcId"]
        gateway = ec2.create_internet_gateway(TagSpecifications=tags("internet-gateway"))["InternetGateway"]
        subnets = [
            ec2.create_subnet(
                VpcId=vpc,
                CidrBlock=f"10.20.{number}.0/24",
                AvailabilityZone=f"{REGION}{zone}",
                TagSpecifications=tags("subnet"),
            )["Subnet"]["SubnetId"]
            for number, zone in enumerate("ab")
        ]
        balancer = self.balancer(subnets)
        origin = {
            "VpcOriginEndpointConfig": {
                "Name": NAME,
                "Arn": balancer["LoadBalancerArn"],
                "HTTPPort": 80,
                "HTTPSPort": 443,
                "OriginProtocolPolicy": "http-only",
            },
            "Tags": {"Items": TAGS},
        }
        self.refused("origin without a gateway", cloudfront.create_vpc_origin, **origin)
        ec2.attach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=vpc)
        made = cloudfront.create_vpc_origin(**origin)
        id, etag = made["VpcOrigin"]["Id"], made["ETag"]
        self.refused("deletion while deploying", cloudfront.delete_vpc_origin, Id=id, IfMatch=etag)
        self.refused("deletion of a subnet", ec2.delete_subnet, SubnetId=subnets[0])
        served = {"DomainName": balancer["DNSName"], "VpcOriginConfig": {"VpcOriginId": id}}
        self.refused("origin that is deploying", cloudfront.create_distribution, **distribution(served))
        while cloudfront.get_vpc_origin(Id=id)["VpcOrigin"]["Status"] != "Deployed":
            pass
        self.distribute(served)
        self.change_domain(served)
        self.replace_balancer(balancer, subnets, id)
        self.switch_off()
        self.rules(vpc)

    def balancer(self, subnets: list[str]) -> dict[str, Any]:
        """Create the load balancer."""
        made = self.aws.client("elbv2").create_load_balancer(
            Name=NAME, Scheme="internal", Subnets=subnets, Tags=TAGS
        )
        return dict(made["LoadBalancers"][0])

    def distribute(self, served: dict[str, Any]) -> None:
        """Try distributions that are wrong, then create one, and try to delete it while it is enabled."""
        cloudfront = self.aws.client("cloudfront")
        mistakes: dict[str, dict[str, Any]] = {
            "quantity": {"Aliases": {"Quantity": 1}},
            "web ACL": {"WebACLId": "arn:aws:wafv2:us-east-1:123456789012:global/webacl/x/y"},
            "alias without a certificate": {"Aliases": {"Quantity": 1, "Items": ["a.example.org"]}},
            "two certificates": {"ViewerCertificate": own(CERTIFICATE) | DEFAULT},
            "other source": {"ViewerCertificate": own(CERTIFICATE, CertificateSource="cloudfront")},
            "other name": {"ViewerCertificate": own(RENEWED, Certificate=CERTIFICATE)},
            "no method": {"ViewerCertificate": {"ACMCertificateArn": CERTIFICATE}},
        }
        for what, wrong in mistakes.items():
            self.refused(what, cloudfront.create_distribution, **distribution(served, **wrong))
        wrong_policy = distribution(served, policy="00000000-0000-0000-0000-000000000000")
        self.refused("cache policy", cloudfront.create_distribution, **wrong_policy)
        given = distribution(served)["DistributionConfig"]
        made = cloudfront.create_distribution_with_tags(
            DistributionConfigWithTags={"DistributionConfig": given, "Tags": {"Items": TAGS}}
        )
        id, etag = made["Distribution"]["Id"], made["ETag"]
        self.codes["state of a new one"] = made["Distribution"]["Status"]
        self.refused("deletion of an enabled one", cloudfront.delete_distribution, Id=id, IfMatch=etag)

    def twice(self, what: str, served: dict[str, Any], aliases: list[str], certificate: dict[str, Any]) -> None:
        """Change the distribution by the module, twice."""
        cloudfront = self.aws.client("cloudfront")
        config = {
            "Enabled": True,
            "Aliases": aliases,
            "Origins": [{"Id": "edge", **served}],
            "ViewerCertificate": certificate,
        }
        given = (cloudfront, NAME, config, {each["Key"]: each["Value"] for each in TAGS}, False)
        runs = [served_by.present(*given) for _ in range(2)]
        self.changes[what] = [changed for changed, _, _ in runs]
        self.configs[what] = cloudfront.get_distribution_config(Id=runs[0][1])["DistributionConfig"]

    def change_domain(self, served: dict[str, Any]) -> None:
        """Add a domain name, exchange its certificate, and remove it."""
        names = ["gallery.example.org"]
        self.twice("no domain", served, [], DEFAULT)
        self.twice("domain", served, names, own(CERTIFICATE))
        self.twice("certificate", served, names, own(RENEWED))
        self.twice("domain removed", served, [], DEFAULT)

    def replace_balancer(self, balancer: dict[str, Any], subnets: list[str], id: str) -> None:
        """Replace the load balancer, and have the distribution use the new one, as the role does."""
        cloudfront, old = self.aws.client("cloudfront"), balancer["LoadBalancerArn"]
        self.aws.client("elbv2").delete_load_balancer(LoadBalancerArn=old)
        balancer = self.balancer(subnets)
        read = cloudfront.get_vpc_origin(Id=id)
        config = {"Name": NAME, "HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}
        config["Arn"] = balancer["LoadBalancerArn"]
        change = partial(cloudfront.update_vpc_origin, Id=id, IfMatch=read["ETag"])
        self.refused("change while in use", change, VpcOriginEndpointConfig=config)
        given = (cloudfront, NAME, balancer["LoadBalancerArn"], {each["Key"]: each["Value"] for each in TAGS})
        runs = [vpc_origin.present(*given, False) for _ in range(2)]
        self.changes["VPC origin"] = [changed for changed, _ in runs]
        delete = partial(vpc_origin.absent, cloudfront, NAME, runs[1][1], False)
        self.refused("deletion while in use", delete)
        served = {"DomainName": balancer["DNSName"], "VpcOriginConfig": {"VpcOriginId": runs[1][1]}}
        self.twice("load balancer", served, [], DEFAULT)
        self.changes["old VPC origin"] = [delete(), delete()]
        [self.origin] = cloudfront.list_vpc_origins()["VpcOriginList"]["Items"]

    def switch_off(self) -> None:
        """Disable the distribution, and try to delete it at once."""
        cloudfront = self.aws.client("cloudfront")
        id = served_by.find(cloudfront, NAME)["Id"]
        read = cloudfront.get_distribution_config(Id=id)
        config = read["DistributionConfig"] | {"Enabled": False}
        off = cloudfront.update_distribution(Id=id, IfMatch=read["ETag"], DistributionConfig=config)
        self.refused("deletion of a disabled one", cloudfront.delete_distribution, Id=id, IfMatch=off["ETag"])

    def rules(self, vpc: str) -> None:
        """Try more rules with CloudFront's prefix list than a security group has room for."""
        ec2 = self.aws.client("ec2")
        about = [{"Name": "prefix-list-name", "Values": [LIST]}]
        found = ec2.describe_managed_prefix_lists(Filters=about)["PrefixLists"][0]["PrefixListId"]
        given = {"GroupName": "x", "Description": "x", "TagSpecifications": tags("security-group")}
        group = ec2.create_security_group(VpcId=vpc, **given)["GroupId"]
        for port in (80, 443):
            rule = {
                "IpProtocol": "tcp",
                "FromPort": port,
                "ToPort": port,
                "PrefixListIds": [{"PrefixListId": found}],
            }
            self.refused(
                f"rule {port}", ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=[rule]
            )
        elsewhere = self.aws.client("wafv2", "eu-west-1")
        self.refused("scope elsewhere", elsewhere.list_web_acls, Scope="CLOUDFRONT")


def tags(kind: str) -> list[dict[str, Any]]:
    """Return the tags of the environment for a new resource of EC2."""
    named = [*TAGS, {"Key": "Name", "Value": f"{PREFIX}-network"}]
    return [{"ResourceType": kind, "Tags": named}]


def distribution(served: dict[str, Any], policy: str = "", **changed: Any) -> dict[str, Any]:
    """Return the parameters of CreateDistribution for one origin."""
    behavior = {
        "TargetOriginId": "edge",
        "ViewerProtocolPolicy": "redirect-to-https",
        "CachePolicyId": policy or "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
    }
    config = {
        "CallerReference": "made-up",
        "Comment": NAME,
        "Enabled": True,
        "Aliases": {"Quantity": 0},
        "Origins": {"Quantity": 1, "Items": [{"Id": "edge", **served}]},
        "DefaultCacheBehavior": behavior,
    }
    return {"DistributionConfig": config | changed}


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """The network in an account of its own, in which calls of Ansible meet AWS's slowness."""
    with account(tmp_path_factory.mktemp("cloudfront"), slow=3) as aws, pytest.MonkeyPatch.context() as patch:
        patch.setattr(changes, "PAUSE_SECONDS", 0)
        made = Network(aws, aws.described())
        made.make()
        yield made


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("origin without a gateway", "InvalidArgument"),
        ("deletion while deploying", "CannotDeleteEntityWhileInUse"),
        ("deletion of a subnet", "DependencyViolation"),
        ("origin that is deploying", "InvalidArgument"),
        ("quantity", "InconsistentQuantities"),
        ("web ACL", "InvalidWebACLId"),
        ("alias without a certificate", "InvalidViewerCertificate"),
        ("two certificates", "InvalidViewerCertificate"),
        ("other source", "InvalidViewerCertificate"),
        ("other name", "InvalidViewerCertificate"),
        ("no method", "InvalidViewerCertificate"),
        ("change while in use", "CannotUpdateEntityWhileInUse"),
        ("deletion while in use", "CannotDeleteEntityWhileInUse"),
        ("cache policy", "NoSuchCachePolicy"),
        ("state of a new one", "InProgress"),
        ("deletion of an enabled one", "DistributionNotDisabled"),
        ("deletion of a disabled one", "DistributionNotDisabled"),
        ("rule 80", "accepted"),
        ("rule 443", "RulesPerSecurityGroupLimitExceeded"),
        ("scope elsewhere", "WAFInvalidParameterException"),
    ],
)
def test_stand_in_answers_as_aws_documents(network: Network, what: str, code: str) -> None:
    assert code == network.codes[what]


@pytest.mark.parametrize(
    ("what", "changed"),
    [
        ("no domain", [False, False]),
        ("domain", [True, False]),
        ("certificate", [True, False]),
        ("domain removed", [True, False]),
        ("VPC origin", [True, False]),
        ("load balancer", [True, False]),
        ("old VPC origin", [True, False]),
    ],
)
def test_change_is_made_once(network: Network, what: str, changed: list[bool]) -> None:
    assert changed == network.changes[what]


@pytest.mark.parametrize(
    ("what", "certificate"),
    [
        ("no domain", None),
        ("domain", CERTIFICATE),
        ("certificate", RENEWED),
        ("domain removed", None),
        ("load balancer", None),
    ],
)
def test_distribution_has_the_certificate_of_its_domain_and_no_other(
    network: Network, what: str, certificate: str | None
) -> None:
    config = network.configs[what]
    read = config["ViewerCertificate"]
    assert (certificate, certificate) == (read.get("ACMCertificateArn"), read.get("Certificate"))
    assert (certificate is None) is read["CloudFrontDefaultCertificate"]
    assert ("TLSv1.2_2021" if certificate else "TLSv1") == read["MinimumProtocolVersion"]
    assert bool(certificate) is bool(config["Aliases"]["Quantity"])


def test_distribution_uses_the_vpc_origin_of_the_new_load_balancer(network: Network) -> None:
    """The only one that is left."""
    [served] = network.configs["load balancer"]["Origins"]["Items"]
    assert network.origin["Id"] == served["VpcOriginConfig"]["VpcOriginId"]
    assert network.configs["domain"]["Origins"]["Items"][0]["DomainName"] != served["DomainName"]


def test_destroy_removes_what_cloudfront_has_put_into_the_vpc(network: Network) -> None:
    """It continues a deletion that was begun, and removes the security group that CloudFront leaves."""
    assert GROUP in network.aws.described()
    done = network.aws.ansible("playbooks/destroy.yml", confirm=PROJECT)
    assert 0 == recap(done)["failed"], done.stdout[-3000:]
    assert [] == differences(network.empty, network.aws.described())
