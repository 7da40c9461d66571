"""What is asked of the buckets."""

from __future__ import annotations

from typing import Any

from tests.deploy.security_rules import (
    ANY,
    add,
    check,
    drop,
    put,
    refuses_plain_http,
)
from tests.deploy.security_snapshot import Snapshot


def uploads(found: Snapshot) -> str:
    """The name of the bucket that forms send to."""
    return f"{found.look.prefix}-uploads-{found.look.account}"


def _unblocked(found: Snapshot, part: str) -> list[str]:
    return [name for name, bucket in found.buckets.items() if bucket["public_access"].get(part) is not True]


@check(put("buckets", ANY, "public_access", "BlockPublicAcls", value=False))
def buckets_take_no_public_acl(found: Snapshot) -> list[str]:
    """Public ACLs are rejected."""
    return _unblocked(found, "BlockPublicAcls")


@check(put("buckets", ANY, "public_access", "IgnorePublicAcls", value=False))
def buckets_ignore_public_acls(found: Snapshot) -> list[str]:
    """Existing public ACLs are ignored."""
    return _unblocked(found, "IgnorePublicAcls")


@check(put("buckets", ANY, "public_access", "BlockPublicPolicy", value=False))
def buckets_take_no_public_policy(found: Snapshot) -> list[str]:
    """Public policies are rejected."""
    return _unblocked(found, "BlockPublicPolicy")


@check(drop("buckets", ANY, "public_access", "RestrictPublicBuckets"))
def buckets_restrict_public_policies(found: Snapshot) -> list[str]:
    """An existing public policy is restricted."""
    return _unblocked(found, "RestrictPublicBuckets")


@check(put("buckets", ANY, "ownership", 0, "ObjectOwnership", value="ObjectWriter"))
def buckets_own_their_objects(found: Snapshot) -> list[str]:
    """ACLs are off altogether."""
    wanted = [{"ObjectOwnership": "BucketOwnerEnforced"}]
    return [name for name, bucket in found.buckets.items() if bucket["ownership"] != wanted]


@check(
    add("buckets", ANY, "grants", value={"Grantee": {"Type": "Group", "URI": "AllUsers"}, "Permission": "READ"})
)
def buckets_grant_nothing_to_groups(found: Snapshot) -> list[str]:
    """AWS's groups are everybody, or everybody with an account."""
    return [
        name
        for name, bucket in found.buckets.items()
        if any(grant["Grantee"]["Type"] != "CanonicalUser" for grant in bucket["grants"])
    ]


@check(put("buckets", ANY, "encryption", value=[]))
def buckets_encrypt(found: Snapshot) -> list[str]:
    """Objects are encrypted at rest."""

    def encrypts(rule: dict[str, Any]) -> bool:
        return rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] in ("AES256", "aws:kms")

    return [name for name, bucket in found.buckets.items() if not any(map(encrypts, bucket["encryption"]))]


@check(put("buckets", ANY, "policy", "Statement", 0, "Resource", value=["arn:aws:s3:::x"]))
def buckets_refuse_plain_http(found: Snapshot) -> list[str]:
    """The denial covers the bucket, its objects and all principals."""
    return [
        name
        for name, bucket in found.buckets.items()
        if not refuses_plain_http(bucket["policy"], "s3:*", f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*")
    ]


@check(put("buckets", "~uploads-123456789012", "versioning", value="Suspended"))
def uploads_are_versioned(found: Snapshot) -> list[str]:
    """What was overwritten or deleted can be had again."""
    name = uploads(found)
    return [] if found.buckets[name]["versioning"] == "Enabled" else [name]


@check(drop("buckets", "~uploads-123456789012", "lifecycle", 0, "NoncurrentVersionExpiration"))
def old_versions_expire(found: Snapshot) -> list[str]:
    """What a person deleted is not kept for ever."""
    return [
        name
        for name, bucket in found.buckets.items()
        if bucket["versioning"] == "Enabled"
        and not any("NoncurrentVersionExpiration" in rule for rule in _tidy(bucket))
    ]


@check(put("buckets", ANY, "lifecycle", 0, "Status", value="Disabled"))
def half_uploads_are_removed(found: Snapshot) -> list[str]:
    """Parts that nobody put together."""
    return [
        name
        for name, bucket in found.buckets.items()
        if not any("AbortIncompleteMultipartUpload" in rule for rule in _tidy(bucket))
    ]


def _tidy(bucket: dict[str, Any]) -> list[dict[str, Any]]:
    return [rule for rule in bucket["lifecycle"] if rule["Status"] == "Enabled"]


@check(put("buckets", ANY, "cors", 0, "AllowedOrigins", value=["*"]))
def cors_names_its_origins(found: Snapshot) -> list[str]:
    """Only the gallery's own pages may send and read from a browser."""
    return [
        name
        for name, bucket in found.buckets.items()
        if any("*" in origin for rule in bucket["cors"] for origin in rule["AllowedOrigins"])
    ]


@check(put("buckets", ANY, "cors", 0, "AllowedMethods", value=["PUT", "GET", "DELETE"]))
def cors_lets_pages_upload_and_read(found: Snapshot) -> list[str]:
    """Pages send whole files and parts to the uploads, and read both buckets."""
    return [
        name
        for name, bucket in found.buckets.items()
        if any(set(rule["AllowedMethods"]) - _cors_methods(found, name) for rule in bucket["cors"])
    ]


def _cors_methods(found: Snapshot, name: str) -> set[str]:
    return {"POST", "PUT", "GET"} if name == uploads(found) else {"GET"}


@check(put("buckets", ANY, "website", value={"Suffix": "index.html"}))
def no_bucket_is_a_website(found: Snapshot) -> list[str]:
    """Derived images are shown by presigned links alone."""
    return [name for name, bucket in found.buckets.items() if bucket["website"]]


@check(add("buckets", "~derived-123456789012", "topics", value={"TopicArn": "x", "Events": []}))
def only_uploads_are_announced(found: Snapshot) -> list[str]:
    """What a function writes cannot wake a function."""
    return [
        name
        for name, bucket in found.buckets.items()
        if (bucket["topics"] and name != uploads(found)) or bucket["others"]
    ]


@check(put("buckets", "~uploads-123456789012", "topics", 0, "Filter", "Key", "FilterRules", value=[]))
def uploads_are_announced_to_the_topic(found: Snapshot) -> list[str]:
    """Those under raw/, and to this account's topic."""
    announced = found.buckets[uploads(found)]["topics"]
    right = [
        each
        for each in announced
        if each["TopicArn"] == found.topics[f"{found.look.prefix}-uploads"]["arn"]
        and [rule["Value"] for rule in each.get("Filter", {}).get("Key", {}).get("FilterRules", [])] == ["raw/"]
    ]
    return [] if len(announced) == len(right) == 1 else [uploads(found)]


@check(drop("buckets", ANY))
def there_are_two_buckets(found: Snapshot) -> list[str]:
    """Originals and what is made of them; their names hold the account, so that nobody has taken them."""
    wanted = {f"{found.look.prefix}-{kind}-{found.look.account}" for kind in ("uploads", "derived")}
    return list(wanted ^ set(found.buckets))
