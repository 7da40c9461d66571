"""Wrong values are refused at the door of a role, with a sentence, before anybody is asked for anything."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.cloud import ROOT
from tests.deploy.plays import answer_to, answers, run_tasks

pytestmark = pytest.mark.timeout(600)

DAYS = "must be one of: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, got: 8"
# Without what the playbook publish looks up.
ALONE: dict[str, Any] = {
    "functions_subnet_ids": [],
    "functions_security_group_ids": [],
    "functions_environment": {},
    "functions_caption_environment": {},
}
HOSTS: dict[str, Any] = {"fleet_image_id": "ami-1", "fleet_release": "r1", "fleet_settings": {}}
# The role, the wrong value, what it says.
CASES: list[tuple[str, dict[str, Any], str]] = [
    ("account", {"project": "Caption_Gallery"}, "lowercase letters, digits and single hyphens"),
    ("account", {"project": "gallery\n"}, "lowercase letters, digits and single hyphens"),
    ("account", {"env": "a-very-long-environment"}, "at most 26 characters"),
    ("network", {"network_nat": "two"}, "value of network_nat must be one of: none, one, per_zone, got: two"),
    ("network", {"network_nat": "none"}, "the private subnets have no route to AWS services"),
    (
        "network",
        {"network_nat": "none"},
        "secretsmanager, sqs, sns, logs. Missing: secretsmanager, sqs, sns, logs",
    ),
    ("network", {"network_nat": "none"}, "has no route to Gemini, so no photo gets a caption"),
    ("network", {"network_zones": ["us-east-1a"]}, "at least two different zones; it names 1"),
    (
        "network",
        {"network_isolated_cidrs": ["10.20.8.0/24", "10.20.9.0/33"]},
        "These do not: 10.20.9.0/33",
    ),
    (
        "network",
        {"network_private_cidrs": ["10.20.16.0/20"]},
        "one CIDR block for each zone: 2, not 1",
    ),
    (
        "network",
        {"network_isolated_cidrs": ["10.20.8.0/24", "10.21.9.0/24"]},
        "inside network_cidr, 10.20.0.0/16. These are not: 10.21.9.0/24",
    ),
    ("network", {"network_isolated_cidrs": ["10.20.8.0/24", "10.20.8.0/25"]}, "two subnets must not overlap"),
    ("network", {"network_private_cidrs": ["10.20.16.0/20", "10.20.33.0/20"]}, "These do not: 10.20.33.0/20"),
    ("network", {"network_flow_log_days": 8}, DAYS),
    ("edge", {"edge_requests_per_5_minutes": 5}, "must be at least 10; it is 5"),
    ("edge", {"edge_certificate_arn": "arn:aws:acm:eu-west-1:1:x"}, "AWS Certificate Manager in us-east-1"),
    ("edge", {"edge_name": "a-name-of-more-than-thirty-two-letters"}, "at most 32 characters"),
    ("edge", {"edge_certificate_arn": "arn:aws:acm:us-east-1:1:x", "edge_internal": True}, "must be empty"),
    ("web_acl", {"web_acl_name": "x", "web_acl_tags": {}, "web_acl_scope": "GLOBAL"}, "REGIONAL, CLOUDFRONT"),
    ("cloudfront", {"cloudfront_domain": "a.example.org"}, "belong together: set both, or neither"),
    (
        "cloudfront",
        {"cloudfront_domain": "a.example.org", "cloudfront_certificate_arn": "arn:aws:acm:eu-west-1:1:x"},
        "AWS Certificate Manager in us-east-1",
    ),
    ("cloudfront", {"cloudfront_name": "a name"}, "must have 1 to 64 letters"),
    ("cloudfront", {"cloudfront_name": "a-line\n"}, "must have 1 to 64 letters"),
    ("cloudfront", {"cloudfront_requests_per_5_minutes": 5}, "must be at least 10; it is 5"),
    ("secrets", {"secrets_tags": 7}, "secrets_tags"),
    ("database", {"database_instance_class": "t4g.micro"}, "must look like db.t4g.small; it is t4g.micro"),
    ("database", {"database_instance_class": "db.t4g.small\n"}, "must look like db.t4g.small"),
    ("database", {"database_name": "a-database\n"}, "database_name must"),
    ("database", {"database_schema": "gallery\n"}, "database_schema must"),
    ("database", {"database_storage_gb": 10}, "must be at least 20"),
    ("database", {"database_backup_days": 0}, "value of database_backup_days must be one of"),
    ("database", {"database_performance_insights": True}, "is not available on db.t4g.micro"),
    (
        "bastion",
        {"bastion_enabled": True, "bastion_cidr": "0.0.0.0/0"},
        "must be a single address with /32",
    ),
    (
        "bastion",
        {"bastion_enabled": True, "bastion_cidr": "0.0.0.0/32"},
        "must be a single address with /32",
    ),
    ("bastion", {"bastion_enabled": True, "bastion_cidr": "999.0.113.7/32"}, "a single address with /32"),
    ("bastion", {"bastion_enabled": True, "bastion_cidr": "203.0.113.7/32"}, "an SSH public key in one line"),
    (
        "bastion",
        {
            "bastion_enabled": True,
            "bastion_cidr": "203.0.113.7/32",
            "bastion_public_key": "ssh-ed25519 AAAA me",
        },
        "an SSH public key in one line, of type ssh-ed25519 or ssh-rsa",
    ),
    ("storage", {"storage_require_tls": "perhaps"}, "storage_require_tls"),
    ("zips", {"zips_profile": "windows"}, "value of zips_profile must be one of: production, local"),
    ("events", {"events_router": "pigeons"}, "value of events_router must be one of"),
    ("events", {"events_caption_visibility": 700}, "six times functions_caption_timeout (720 s)"),
    (
        "events",
        {"functions_thumbnail_timeout": 90, "events_thumbnail_visibility": 360},
        "six times functions_thumbnail_timeout (540 s)",
    ),
    ("notices", {"notices_require_tls": "perhaps"}, "notices_require_tls"),
    ("functions", ALONE | {"functions_architecture": "mips"}, "must be one of: arm64, x86_64, got: mips"),
    ("functions", ALONE | {"functions_memory": "plenty"}, "functions_memory"),
    ("functions", ALONE | {"functions_caption_timeout": 901}, "must be from 1 to 900 s; they are 60 and 901"),
    ("functions", ALONE | {"functions_lease_margin": 0}, "must be at least 1 s"),
    ("functions", ALONE | {"functions_caption_concurrency": 1}, "must be from 2 to 1000; they are 4 and 1"),
    ("functions", ALONE | {"functions_reserved_concurrency": 3}, "must be -1 or at least 4"),
    ("functions", ALONE | {"functions_log_retention_days": 8}, DAYS),
    ("observability", {"observability_log_days": 8}, DAYS),
    ("observability", {"observability_emails": ["ops@example.org", "ops"]}, "these are not: ops"),
    ("fleet", HOSTS | {"fleet_grace_seconds": 60}, "at least fleet_warmup_seconds (120)"),
    ("fleet", HOSTS | {"fleet_bake_seconds": 180}, "must be more than 180"),
    ("fleet", HOSTS | {"fleet_settings": {"API_TOKEN": "x"}}, "API_TOKEN is the name of a secret: store it"),
    (
        "fleet",
        HOSTS | {"fleet_settings": {"PUBLIC_URL": "a\nB=c"}},
        "value of PUBLIC_URL contains a line break",
    ),
    ("fleet", HOSTS | {"fleet_settings": {"public_url": "x"}}, "public_url is not a name of capital letters"),
    ("fleet", HOSTS | {"fleet_settings": {"KEEP_LOCATION": True}}, "KEEP_LOCATION is neither a text nor a"),
    ("redrive", {"redrive_queues": ["web"]}, "value of redrive_queues must be one or more of"),
    (
        "smoke",
        {"smoke_url": "gallery"},
        "must be an address such as https://gallery.example.org; it is gallery",
    ),
    ("smoke", {"smoke_url": "https://gallery.example.org\n"}, "must be an address such as"),
    ("estimate", {"estimate_nat": "two"}, "must be one of: none, one, per_zone, got: two"),
    ("estimate", {"estimate_region": "eu-north-1"}, "eu-north-1"),
    ("teardown", {"teardown_patience_minutes": "long"}, "teardown_patience_minutes"),
]
ROLES = sorted({role for role, _, _ in CASES})
PARTS = ("README.md", "defaults/main.yml", "meta/argument_specs.yml", "meta/main.yml", "tasks/main.yml")


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What each case was answered; the cloud's address leads nowhere."""
    folder = tmp_path_factory.mktemp("refusals")
    tasks = [
        answer_to(number, {"ansible.builtin.include_role": {"name": role}, "vars": wrong})
        for number, (role, wrong, _) in enumerate(CASES)
    ]
    nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    return answers(run_tasks(tasks, "-e", "release=r1", home=folder, environ=nowhere, timeout=500), len(CASES))


@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda number: f"{CASES[number][0]}-{number}")
def test_invalid_input_is_refused_with_a_message(said: list[str], number: int) -> None:
    assert CASES[number][2] in said[number]


def test_invalid_inputs_cover_every_role() -> None:
    books = [yaml.safe_load((ROOT / f"playbooks/{name}.yml").read_text()) for name in ("provision", "publish")]
    named = {
        role["role"] if isinstance(role, dict) else role
        for book in books
        for play in book
        for role in play.get("roles", [])
    } | {
        task["ansible.builtin.import_role"]["name"]
        for book in books
        for play in book
        for task in play.get("tasks", [])
    }
    assert set() == named - set(ROLES)


@pytest.mark.parametrize("role", ROLES)
def test_role_has_readme_defaults_and_argument_specs(role: str) -> None:
    assert [] == [part for part in PARTS if not (ROOT / "roles" / role / part).is_file()]
