"""The role preflight: each thing that cannot work is refused with a sentence, and what is unknown is not."""

from __future__ import annotations

import runpy
from typing import Any
from unittest.mock import Mock

import botocore.session
import pytest
import yaml
from botocore.exceptions import ClientError
from botocore.parsers import create_parser
from ministack.services import ec2

from imgcore import bootstrap
from tests.cloud import ROOT
from tests.deploy.plays import answer_to, answers, run_tasks
from tests.loading import module_at

pytestmark = pytest.mark.timeout(300)

account_facts = module_at("roles/preflight/library/account_facts.py")
TYPE = {"vcpus": 2, "architectures": ["x86_64"]}
# An account in which the inventory staging works.
FACTS: dict[str, Any] = {
    "zones": {"us-east-1a": "use1-az4", "us-east-1b": "use1-az6", "us-east-1c": "use1-az3"},
    "limited_zones": {},
    "concurrency": {"total": 1000, "unreserved": 1000},
    "vcpus": 32,
    "addresses": 5,
    "addresses_used": ["caption-gallery-staging-network-nat-us-east-1a", "of somebody else"],
    "vpcs": 5,
    "vpcs_used": ["", "caption-gallery-staging-network"],
    "plan": "PAID",
    "images": {"debian-13-amd64-*": "x86_64"},
    "instance_types": {"t3.micro": TYPE, "t3.small": TYPE},
    "database_class": True,
    "buckets": {"caption-gallery-staging-uploads-1": "free", "caption-gallery-staging-derived-1": "own"},
    "boundary": "same",
    "secret": "stored",
    "balancer": "internal",
    "clock_skew": 1,
}
ARM = {"vcpus": 2, "architectures": ["arm64"]}


def inventory(name: str, part: str) -> dict[str, Any]:
    """Return the variables of a file of an inventory."""
    found = yaml.safe_load((ROOT / f"inventory/{name}/group_vars/all/{part}.yml").read_text())
    return dict(found)


PRODUCTION_DATABASE = {
    "database_instance_class": inventory("production", "database")["database_instance_class"]
}
MANY_HOSTS = "792 connections to the database are needed during a release with 9 web hosts"
# What differs from FACTS, the variables, and all that is said.
ROUNDS: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    (
        {
            "clock_skew": -600,
            "zones": {"us-east-1a": "use1-az4", "us-east-1c": "use1-az3"},
            "concurrency": {"total": 10, "unreserved": 10},
            "vcpus": 5,
            "addresses": 1,
            "vpcs": 1,
            "boundary": "missing",
            "database_class": False,
            "images": {"debian-13-amd64-*": None},
            "buckets": {"caption-gallery-staging-uploads-1": "taken"},
        },
        {"gallery_domain": "gallery.example.org", "fleet_max_size": 3},
        [
            "140 connections to the database are needed during a release with 3 web hosts; db.t4g.micro accepts"
            " about 65",
            "exists and is internal, which AWS cannot change. Set gallery_cloudfront to True",
            "clock of this machine differs from that of AWS by -600 s",
            "no zone us-east-1b. Set network_zones to two or more of us-east-1a, us-east-1c",
            "set both, or neither. Only gallery_domain is set",
            "reserve 10 concurrent executions, and AWS keeps 100 unreserved; the account may use 10",
            "12 vCPUs are needed for 3 web hosts with as many again during a release, or the builder",
            "2 elastic IPs are needed, including 1 that exist for other purposes",
            "has 1 other VPCs in us-east-1 and may have 1",
            "RDS does not offer db.t4g.micro for MySQL in us-east-1",
            "136693071363 owns no available image debian-13-amd64-*",
            "Another account has the bucket caption-gallery-staging-uploads-1",
            "The account has no policy caption-gallery-boundary",
        ],
    ),
    (
        {"plan": "FREE", "instance_types": {"t3.micro": TYPE, "m7i.large": TYPE}},
        {
            "database_backup_days": 14,
            "database_multi_az": True,
            "database_instance_class": "db.t4g.medium",
            "fleet_instance_type": "m7i.large",
        },
        [
            "one day of backups and one zone for the database; the inventory asks for 14 days and two zones",
            "the inventory asks for db.t4g.medium",
            "not allow the instance types m7i.large",
            "does not offer the instance types t3.small",
        ],
    ),
    (
        {"instance_types": {"t3.micro": ARM, "t3.small": TYPE}, "boundary": "different"},
        {
            "cloudfront_certificate_arn": "arn:aws:acm:us-east-1:1:certificate/x",
            "secrets_gemini_key": "a key that was pasted with a space",
        },
        [
            "The key of Gemini is incomplete, or contains a space",
            "Only cloudfront_certificate_arn is set",
            "is for x86_64, which these instance types do not run: t3.micro",
            "The policy caption-gallery-boundary differs from docs/operator/boundary.json",
        ],
    ),
    ({"balancer": ""}, {"gallery_cloudfront": False}, ["Nobody can sign in to a gallery without HTTPS"]),
    (
        {"balancer": "internet-facing"},
        {},
        ["is internet-facing, which AWS cannot change. Set gallery_cloudfront to False"],
    ),
    (
        {},
        {"network_zones": ["us-east-1a", "us-east-1c"]},
        ["no VPC origins in the zones us-east-1c. Set network_zones to two or more of us-east-1a, us-east-1b."],
    ),
    (
        {},
        {"preflight_region": "ap-southeast-6"},
        ["no VPC origins in ap-southeast-6. Use another region; or set gallery_domain"],
    ),
    (
        {"instance_types": {"t3.micro": TYPE | {"vcpus": 4}, "t3.small": TYPE}},
        {"fleet_max_size": 9, "database_instance_class": "db.m7g.large", "functions_caption_concurrency": 30},
        [MANY_HOSTS],
    ),
    # Accepted: as many hosts as the database has connections for,
    ({}, {"fleet_max_size": 3, "database_instance_class": "db.t4g.small"}, []),
    ({}, {"fleet_max_size": 7, "database_instance_class": "db.m7g.2xlarge"}, []),
    ({}, {"fleet_max_size": 2, "fleet_settings": {"WEB_PROCESSES": "1"}}, []),
    ({}, inventory("free", "free") | {"network_zones": ["us-east-1a", "us-east-1b"]}, []),
    ({}, {"fleet_max_size": inventory("production", "fleet")["fleet_max_size"], **PRODUCTION_DATABASE}, []),
    # an account where AWS limits zones, one where all works, one of which nothing is known, a new
    # one, one with a domain.
    ({"limited_zones": {"us-east-1b": "constrained", "us-east-1c": "unavailable"}}, {}, []),
    ({}, {}, []),
    (dict.fromkeys(FACTS), {}, []),
    ({"secret": "empty", "balancer": ""}, {"secrets_gemini_key": ""}, []),
    (
        {"secret": "empty"},
        {"secrets_gemini_key": "", "gallery_captions": {"CAPTIONER": "openai"}},
        [],
    ),
    ({"secret": "empty"}, {"secrets_gemini_key": "a-made-up-key-of-gemini"}, []),
    (
        {},
        {
            "gallery_domain": "gallery.example.org",
            "gallery_cloudfront": True,
            "cloudfront_certificate_arn": "arn:aws:acm:us-east-1:1:certificate/x",
        },
        [],
    ),
    (
        {"plan": "FREE", "concurrency": {"total": 10, "unreserved": 10}, "balancer": "internet-facing"},
        {
            "functions_reserved_concurrency": -1,
            "network_zones": ["us-east-1a", "us-east-1c"],
            "gallery_domain": "gallery.example.org",
            "edge_certificate_arn": "arn:aws:acm:us-east-1:1:certificate/x",
        },
        [],
    ),
]
# Of requirements that have another sentence already.
TWICE = {MANY_HOSTS, "set both, or neither. Only gallery_domain is set", ROUNDS[4][2][0]}
SAID = [(number, sentence) for number, (_, _, sentences) in enumerate(ROUNDS) for sentence in sentences]


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The output of all rounds."""
    folder = tmp_path_factory.mktemp("preflight")
    tasks = [
        answer_to(
            number,
            {
                "ansible.builtin.include_role": {"name": "preflight", "tasks_from": "require"},
                "vars": {
                    "preflight_region": "us-east-1",
                    **variables,
                    "__preflight_found": {"facts": FACTS | changed},
                },
            },
            {"ansible.builtin.debug": {"msg": f"{number}: accepted"}},
        )
        for number, (changed, variables, _) in enumerate(ROUNDS)
    ]
    return run_tasks(tasks, "-e", "release=r1", home=folder)


@pytest.fixture(scope="module")
def said(output: str) -> list[str]:
    """What each round was answered."""
    return answers(output, len(ROUNDS))


@pytest.mark.parametrize(("number", "sentence"), SAID)
def test_preflight_refuses_with_a_sentence(said: list[str], number: int, sentence: str) -> None:
    assert said[number].startswith("Nothing was created. ")
    assert sentence in " ".join(said[number].split())


def test_preflight_has_a_test_for_every_requirement() -> None:
    requirements = yaml.safe_load((ROOT / "roles/preflight/vars/main.yml").read_text())[
        "__preflight_requirements"
    ]
    assert len(requirements) == len({sentence for _, sentence in SAID} - TWICE)


@pytest.mark.parametrize("number", [number for number, (_, _, said) in enumerate(ROUNDS) if not said])
def test_preflight_accepts_what_works_or_is_unknown(said: list[str], number: int) -> None:
    assert "accepted" in said[number]


def test_preflight_without_any_key_of_gemini_says_that_captions_wait(output: str) -> None:
    """One round has neither a stored key nor a given one; others have a given one, or another describer."""
    assert 1 == output.count("photos get thumbnails and wait for their captions")


def test_preflight_reports_the_zones_of_the_network_that_aws_limits(output: str) -> None:
    assert 1 == " ".join(output.split()).count("AWS does not fully offer us-east-1b: it reports constrained.")


def test_zones_of_every_state_exist() -> None:
    """EC2's model names the states available, information, impaired, unavailable and constrained."""
    shape = botocore.session.get_session().get_service_model("ec2").shape_for("AvailabilityZoneState")
    zones = [
        {"ZoneName": f"us-east-1{letter}", "ZoneId": f"use1-az{letter}", "State": state}
        for letter, state in zip("abcdef", shape.enum, strict=False)
    ]
    local = {"ZoneName": "us-east-1-atl-2a", "State": "available", "ZoneType": "local-zone"}
    client = Mock(**{"describe_availability_zones.return_value": {"AvailabilityZones": [*zones, local]}})
    assert {zone["ZoneName"] for zone in zones} == set(account_facts.zones(lambda service: client))
    limited = account_facts.limited_zones(lambda service: client)
    assert {zone["State"] for zone in zones} - {"available"} == set(limited.values())


def test_preflight_counts_the_connections_that_a_web_process_may_open() -> None:
    own = yaml.safe_load((ROOT / "roles/preflight/vars/main.yml").read_text())
    assert own["__preflight_process_connections"] == bootstrap.CONNECTIONS


def test_preflight_uses_every_fact_that_is_read() -> None:
    text = (ROOT / "roles/preflight/vars/main.yml").read_text()
    assert set(FACTS) == set(account_facts.readers({}))
    assert [] == [name for name in FACTS if f"__preflight_facts.{name}" not in text]


def refused(*_: object, **__: object) -> Any:
    """Be a client's method that the credentials may not call."""
    raise ClientError({"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}, "x")


class Refusing:
    """A client that may do nothing."""

    def __getattr__(self, name: str) -> Any:
        return refused


def test_facts_that_may_not_be_read_are_null() -> None:
    found = account_facts.facts(
        lambda service: Refusing(),
        {
            "images": {"a": "b"},
            "instance_types": [],
            "database_class": "x",
            "buckets": ["c"],
            "boundary": "arn:d",
            "boundary_document": {},
            "secret": "e",
            "balancer": "f",
        },
    )
    assert {"buckets": {"c": "taken"}} == {name: value for name, value in found.items() if value is not None}


@pytest.mark.parametrize(
    ("versions", "expected"), [({"1": ["AWSCURRENT"]}, "stored"), ({}, "empty"), (None, "empty")]
)
def test_secret_without_a_value_or_that_does_not_exist_is_empty(
    versions: dict[str, list[str]] | None, expected: str
) -> None:
    missing = ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "DescribeSecret")
    answer: Any = missing if versions is None else [{"VersionIdsToStages": versions}]
    client = Mock(**{"describe_secret.side_effect": answer})
    assert expected == account_facts.secret(lambda service: client, "gallery/gemini")


class Policies:
    """An IAM client of an account whose managed policy is this document; None for an account without it."""

    def __init__(self, document: Any) -> None:
        self.document = document

    def get_policy(self, **_: object) -> Any:
        if self.document is None:
            raise ClientError({"Error": {"Code": "NoSuchEntity"}}, "GetPolicy")
        return {"Policy": {"DefaultVersionId": "v2"}}

    def get_policy_version(self, **given: str) -> Any:
        assert given == {"PolicyArn": "arn:d", "VersionId": "v2"}
        return {"PolicyVersion": {"Document": self.document}}


@pytest.mark.parametrize(
    ("action", "expected"),
    [(["a:B", "a:C"], "same"), (["a:C", "a:B"], "same"), (["a:B"], "different"), (None, "missing")],
)
def test_boundary_is_compared_with_the_document(action: Any, expected: str) -> None:
    document = {"Statement": [{"Effect": "Allow", "Action": ["a:B", "a:C"], "Resource": "*"}]}
    found = action and {"Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}
    assert expected == account_facts.boundary(lambda service: Policies(found), "arn:d", document)


def test_boundary_may_be_written_in_another_form() -> None:
    """The order of keys differs, and a list of one value is that value, where another tool wrote it."""
    statement = {"Effect": "Allow", "Action": ["a:B"], "Resource": "*"}
    other = {"Resource": ["*"], "Action": "a:B", "Effect": "Allow"}
    second = {"Effect": "Deny", "Action": "a:C", "Resource": "*"}
    found = {"Statement": [second, other]}
    document = {"Statement": [statement, second]}
    assert "same" == account_facts.boundary(lambda service: Policies(found), "arn:d", document)


def test_stand_in_offers_the_instance_types_of_the_roles(monkeypatch: pytest.MonkeyPatch) -> None:
    """The preflight refuses others: it refused the bastion in every drill that enables one."""
    described = "DescribeInstanceTypes"
    monkeypatch.setitem(ec2._ACTION_MAP, described, ec2._ACTION_MAP[described])
    runpy.run_path(str(ROOT / "tests/deploy/service_corrections.py"))["instance_types"]()
    shape = botocore.session.get_session().get_service_model("ec2").operation_model(described).output_shape

    def page(Filters: Any) -> Any:  # noqa: N803 - boto3's name
        values = {f"Filter.1.Value.{place}": [name] for place, name in enumerate(Filters[0]["Values"], 1)}
        status, headers, body = ec2._ACTION_MAP[described]({"Filter.1.Name": [Filters[0]["Name"]], **values})
        answer = {"status_code": status, "headers": headers, "body": body}
        return [create_parser("ec2").parse(answer, shape)]

    client = Mock(**{"get_paginator.return_value.paginate": page})
    names = [
        yaml.safe_load((ROOT / f"roles/{role}/defaults/main.yml").read_text())[f"{role}_instance_type"]
        for role in ("ami", "bastion", "fleet")
    ]
    assert account_facts.instance_types(lambda service: client, [*names, "t4g.made-up"]) == {
        name: {"vcpus": 2, "architectures": ["arm64" if "g." in name else "x86_64"]} for name in names
    }
    assert {} == account_facts.instance_types(lambda service: client, ["t4g.made-up"])
