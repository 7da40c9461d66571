"""A gallery with a domain name, with and without CloudFront: network, load balancer and distribution.

tests/deploy/test_provision.py has a gallery without one.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.deploy.provision_account import ID, PROJECT, REGION, Account, account, changed

pytestmark = pytest.mark.timeout(1200)

CERTIFICATE = f"arn:aws:acm:{REGION}:{ID}:certificate/11111111-2222-3333-4444-555555555555"
DOMAIN = {"gallery_domain": "gallery.example.org"}
# The variables, by the environment that is provisioned with them.
VARIANTS: dict[str, dict[str, Any]] = {
    "staging": DOMAIN | {"edge_certificate_arn": CERTIFICATE},
    "production": DOMAIN | {"gallery_cloudfront": True, "cloudfront_certificate_arn": CERTIFICATE},
}
every = pytest.mark.parametrize("env", VARIANTS)


@dataclass
class Variants:
    """An account with both, and the output of each run."""

    aws: Account
    runs: dict[str, list[subprocess.CompletedProcess[str]]] = field(default_factory=dict)

    def balancer(self, env: str) -> dict[str, Any]:
        """Return the load balancer of an environment."""
        found = self.aws.client("elbv2").describe_load_balancers(Names=[f"{PROJECT}-{env}-edge"])
        return dict(found["LoadBalancers"][0])

    def listeners(self, env: str) -> list[tuple[str, int, str]]:
        """Return protocol, port and action of each listener."""
        arn = self.balancer(env)["LoadBalancerArn"]
        found = self.aws.client("elbv2").describe_listeners(LoadBalancerArn=arn)["Listeners"]
        return sorted((each["Protocol"], each["Port"], each["DefaultActions"][0]["Type"]) for each in found)

    def distributions(self) -> list[dict[str, Any]]:
        """Return the configuration of each distribution."""
        cloudfront = self.aws.client("cloudfront")
        found = cloudfront.list_distributions()["DistributionList"].get("Items", [])
        return [cloudfront.get_distribution_config(Id=each["Id"])["DistributionConfig"] for each in found]

    def rules(self, env: str) -> list[tuple[int, int, int]]:
        """Return the port of each rule for what comes in, and how many ranges and prefix lists it names."""
        named = [{"Name": "group-name", "Values": [f"{PROJECT}-{env}-edge"]}]
        group = self.aws.client("ec2").describe_security_groups(Filters=named)["SecurityGroups"][0]
        return sorted(
            (each["FromPort"], len(each["IpRanges"]), len(each["PrefixListIds"]))
            for each in group["IpPermissions"]
        )


@pytest.fixture(scope="module")
def variants(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Variants]:
    """Both in one account, each provisioned twice."""
    with account(tmp_path_factory.mktemp("variants"), slow=4) as aws:
        made = Variants(aws)
        for env, given in VARIANTS.items():
            here = replace(aws, env=env)
            parts = ("--tags", "network,edge,cloudfront")
            made.runs[env] = [here.ansible("playbooks/provision.yml", *parts, **given) for _ in range(2)]
        yield made


@every
def test_provisioning_succeeds_and_a_second_run_changes_nothing(variants: Variants, env: str) -> None:
    first, second = variants.runs[env]
    assert [0, 0] == [first.returncode, second.returncode], first.stdout[-3000:] + second.stdout[-1000:]
    assert [] == changed(second)


def test_load_balancer_with_a_domain_faces_the_internet_over_https(variants: Variants) -> None:
    assert "internet-facing" == variants.balancer("staging")["Scheme"]
    assert [("HTTP", 80, "redirect"), ("HTTPS", 443, "forward")] == variants.listeners("staging")
    assert [(80, 1, 0), (443, 1, 0)] == variants.rules("staging")
    arn = variants.balancer("staging")["LoadBalancerArn"]
    assert variants.aws.client("wafv2").get_web_acl_for_resource(ResourceArn=arn)["WebACL"]["Rules"]
    assert "web ACL unavailable" in variants.aws.states_met(), "AWS needs a moment before it takes a new one"


def test_load_balancer_behind_cloudfront_is_internal(variants: Variants) -> None:
    assert "internal" == variants.balancer("production")["Scheme"]
    assert [("HTTP", 80, "forward")] == variants.listeners("production")
    assert [(80, 0, 1)] == variants.rules("production")


def test_distribution_serves_the_domain_with_a_modern_minimum_of_tls(variants: Variants) -> None:
    [config] = variants.distributions()
    assert ["gallery.example.org"] == config["Aliases"]["Items"]
    certificate = config["ViewerCertificate"]
    assert (CERTIFICATE, "TLSv1.2_2021") == (
        certificate["ACMCertificateArn"],
        certificate["MinimumProtocolVersion"],
    )


@every
def test_preflight_refuses_to_turn_the_load_balancer_round(variants: Variants, env: str) -> None:
    """AWS cannot change whether it is internal, and the network would be changed before it was refused."""
    [turned] = [given for name, given in VARIANTS.items() if name != env]
    done = replace(variants.aws, env=env).ansible("playbooks/preflight.yml", **turned)
    assert 0 != done.returncode
    assert "which AWS cannot change" in " ".join((done.stdout + done.stderr).split())
