"""How the modules for CloudFront write, compare and merge configurations."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

changes = importlib.import_module("ansible.module_utils.cloudfront_changes")


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ([], {"Quantity": 0}),
        (["a"], {"Quantity": 1, "Items": ["a"]}),
        ({"Aliases": []}, {"Aliases": {"Quantity": 0}}),
        ({"Quantity": 2, "Items": ["GET", "HEAD"]}, {"Quantity": 2, "Items": ["GET", "HEAD"]}),
        (
            {"Quantity": 1, "Items": ["GET"], "CachedMethods": ["GET"]},
            {"Quantity": 1, "Items": ["GET"], "CachedMethods": {"Quantity": 1, "Items": ["GET"]}},
        ),
        (
            [{"Id": "a", "Headers": ["x"]}],
            {"Quantity": 1, "Items": [{"Id": "a", "Headers": changes.shaped(["x"])}]},
        ),
    ],
)
def test_lists_are_sent_as_quantity_and_items(written: Any, sent: Any) -> None:
    assert sent == changes.shaped(written)


CURRENT = {
    "A": 1,
    "Default": True,
    "Items": ["x", "y"],
    "Origins": {"Quantity": 1, "Items": [{"Id": "o", "Timeout": 5}]},
}


@pytest.mark.parametrize(
    ("wanted", "contained"),
    [
        ({}, True),
        ({"A": 1}, True),
        ({"A": 2}, False),
        ({"B": 1}, False),
        ({"Items": ["y", "x"]}, True),
        ({"Items": ["y"]}, False),
        ({"Items": []}, False),
        ({"B": []}, True),
        ({"Origins": {"Items": [{"Id": "o"}]}}, True),
        ({"Origins": {"Items": [{"Id": "p"}]}}, False),
        ({"Origins": {"Items": [{"Id": "o"}, {"Id": "p"}]}}, False),
        ({"A": {"B": 1}}, False),
    ],
)
def test_configuration_is_compared_without_the_defaults_of_aws(wanted: Any, contained: bool) -> None:
    assert contained is changes.contains(CURRENT, wanted)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"A": 2}, CURRENT | {"A": 2}),
        ({"Origins": {"Quantity": 1, "Items": [{"Id": "p"}]}},
         CURRENT | {"Origins": {"Quantity": 1, "Items": [{"Id": "p"}]}}),
        ({"Origins": {"Quantity": 2, "Items": [{"Id": "p"}, {"Id": "o"}]}},
         CURRENT | {"Origins": {"Quantity": 2, "Items": [{"Id": "p"}, {"Id": "o", "Timeout": 5}]}}),
        ({"Origins": {"Quantity": 0}}, CURRENT | {"Origins": {"Quantity": 0}}),
        ({"Items": ["z"]}, CURRENT | {"Items": ["z"]}),
        ({"Headers": ["z"]}, CURRENT | {"Headers": ["z"]}),
        ({"Items": None}, CURRENT | {"Items": None}),
    ],
)  # fmt: skip
def test_update_keeps_what_is_not_wanted_otherwise(wanted: Any, expected: Any) -> None:
    assert expected == changes.merged(CURRENT, wanted)


def test_origins_are_compared_by_their_ids_and_behaviors_by_their_order() -> None:
    current = {
        "Origins": [{"Id": "a", "Path": ""}, {"Id": "b", "Path": ""}],
        "Behaviors": [{"Path": 1}, {"Path": 2}],
    }
    assert changes.contains(current, {"Origins": [{"Id": "b"}, {"Id": "a"}]})
    assert not changes.contains(current, {"Origins": [{"Id": "a"}, {"Id": "a"}, {"Id": "b"}]})
    assert not changes.contains(current, {"Behaviors": [{"Path": 2}, {"Path": 1}]})


DEFAULT = {"CloudFrontDefaultCertificate": True}
OWN = {"ACMCertificateArn": "arn:c", "SSLSupportMethod": "sni-only", "MinimumProtocolVersion": "TLSv1.2_2021"}
OTHER = OWN | {"ACMCertificateArn": "arn:other"}
# The same as AWS returns them.
READ_DEFAULT = DEFAULT | {
    "SSLSupportMethod": "vip",
    "MinimumProtocolVersion": "TLSv1",
    "CertificateSource": "cloudfront",
}
READ_OWN = OWN | {
    "CloudFrontDefaultCertificate": False,
    "Certificate": "arn:c",
    "CertificateSource": "acm",
}


@pytest.mark.parametrize(("current", "wanted"), [(READ_DEFAULT, OWN), (READ_OWN, OTHER), (READ_OWN, DEFAULT)])
def test_update_replaces_the_certificate_whole(current: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert not changes.contains({"ViewerCertificate": current}, {"ViewerCertificate": wanted})
    update = changes.merged({"A": 1, "ViewerCertificate": current}, {"ViewerCertificate": wanted})
    assert {"A": 1, "ViewerCertificate": wanted} == update


@pytest.mark.parametrize(("current", "wanted"), [(READ_DEFAULT, DEFAULT), (READ_OWN, OWN)])
def test_certificate_is_compared_without_what_aws_adds(current: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert changes.contains({"ViewerCertificate": current}, {"ViewerCertificate": wanted})


@pytest.mark.parametrize(
    ("current", "wanted", "kept"),
    [
        ({"CustomOriginConfig": {}, "OriginPath": ""}, {"VpcOriginConfig": {}}, {"OriginPath": ""}),
        ({"VpcOriginConfig": {}, "OriginPath": ""}, {"CustomOriginConfig": {}}, {"OriginPath": ""}),
        ({"VpcOriginConfig": {}}, {"S3OriginConfig": {}}, {}),
        ({"S3OriginConfig": {}}, {"Id": "o"}, {"S3OriginConfig": {}}),
        (
            {"ForwardedValues": {}, "MinTTL": 0, "DefaultTTL": 1, "MaxTTL": 2, "Compress": True},
            {"CachePolicyId": "p"},
            {"Compress": True},
        ),
        ({"CachePolicyId": "p"}, {"ForwardedValues": {}, "MinTTL": 0}, {}),
        ({"DefaultTTL": 1}, {"ForwardedValues": {}, "MinTTL": 0}, {"DefaultTTL": 1}),
    ],
)
def test_update_leaves_out_the_alternatives_of_what_is_wanted(
    current: dict[str, Any], wanted: dict[str, Any], kept: dict[str, Any]
) -> None:
    assert kept | wanted == changes.merged(current, wanted)
