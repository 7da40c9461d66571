"""What is asked of CloudFront, where the gallery has a distribution."""

from __future__ import annotations

from typing import Any

from tests.deploy.security_checks_network import SSH_FROM_ANYWHERE, ports, ranges
from tests.deploy.security_rules import ANY, add, check, drop, put
from tests.deploy.security_snapshot import Snapshot

# Policies that AWS manages.
CACHES_NOTHING = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"  # CachingDisabled
TELLS_THE_SCHEME = "33f36d7e-f396-46d9-90e0-52428a34d9dc"  # AllViewerAndCloudFrontHeaders-2022-06
STATIC = "/static/*"


def behaviors(found: Snapshot) -> list[tuple[str, dict[str, Any]]]:
    """Return each cache behavior with its path."""
    return [
        (each.get("PathPattern", "*"), each)
        for config in found.distributions.values()
        for each in [config["DefaultCacheBehavior"], *config["CacheBehaviors"].get("Items", [])]
    ]


@check(drop("distributions", ANY))
def an_internal_load_balancer_has_a_distribution(found: Snapshot) -> list[str]:
    """It has no other way in."""
    inside = {name for name, each in found.balancers.items() if each["Scheme"] == "internal"}
    return sorted(inside ^ set(found.distributions))


@check(add("groups", "edge", "IpPermissions", value=SSH_FROM_ANYWHERE | {"FromPort": 80, "ToPort": 80}))
def an_internal_load_balancer_is_reached_by_cloudfront_only(found: Snapshot) -> list[str]:
    """The security group names AWS's list of CloudFront's addresses, and one port."""
    if not found.distributions:
        return []
    return [
        str(ports(each))
        for each in found.groups["edge"]["IpPermissions"]
        if ports(each) != 80 or ranges(each) or each["UserIdGroupPairs"] or len(each["PrefixListIds"]) != 1
    ]


@check(put("distributions", ANY, "Origins", "Items", 0, "VpcOriginConfig", value=None))
def cloudfront_reaches_the_gallery_inside_the_vpc(found: Snapshot) -> list[str]:
    """What goes over HTTP never crosses the internet."""
    origins = [each for config in found.distributions.values() for each in config["Origins"]["Items"]]
    return [each["DomainName"] for each in origins if not each.get("VpcOriginConfig")]


@check(put("distributions", ANY, "DefaultCacheBehavior", "ViewerProtocolPolicy", value="allow-all"))
def visitors_of_cloudfront_use_https(found: Snapshot) -> list[str]:
    """No path is left out."""
    accepted = ("redirect-to-https", "https-only")
    return [path for path, each in behaviors(found) if each["ViewerProtocolPolicy"] not in accepted]


@check(put("distributions", ANY, "DefaultCacheBehavior", "CachePolicyId", value="658327ea"))
def cloudfront_keeps_no_page_of_a_person(found: Snapshot) -> list[str]:
    """It caches what is the same for everybody, the files of a release; and nothing that is sent to it."""
    return [
        path
        for path, each in behaviors(found)
        if each["CachePolicyId"] != CACHES_NOTHING
        and not (path == STATIC and set(each["AllowedMethods"]["Items"]) == {"GET", "HEAD"})
    ]


@check(put("distributions", ANY, "DefaultCacheBehavior", "OriginRequestPolicyId", value="216adef6"))
def cloudfront_tells_how_a_visitor_came(found: Snapshot) -> list[str]:
    """The web process believes its header alone, and lets nobody sign in without it."""
    return [path for path, each in behaviors(found) if each.get("OriginRequestPolicyId") != TELLS_THE_SCHEME]


@check(put("distributions", ANY, "Enabled", value=False))
def distributions_are_enabled(found: Snapshot) -> list[str]:
    """A disabled one serves nobody."""
    return [name for name, config in found.distributions.items() if not config["Enabled"]]
