"""Values that follow from others: a timeout determines leases, queues and alarms; an alarm, the watch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cloud import ROOT
from tests.deploy.plays import answers, run_tasks
from web.app import API_RATE

pytestmark = pytest.mark.timeout(300)

ROLES = ("events", "functions", "observability", "fleet")
GIVEN = {
    "functions_caption_timeout": 300,
    "functions_thumbnail_timeout": 30,
    "functions_environment": {},
    "gallery_captions": {"CAPTIONER": "openai", "CAPTION_LANGUAGE": "en,de"},
    "functions_caption_environment": {"CAPTION_HINT": "Anna's wedding"},
    "__functions_caller": {"account": "123456789012", "arn": "arn:aws:iam::123456789012:root"},
    "observability_unhealthy_minutes": 5,
    "events_max_receives": 7,
    "alarms_file": str(ROOT / "roles/observability/templates/alarms.yml.j2"),
    "events_dead_retention_days": 9,
    "functions_subnet_ids": [],
    "functions_security_group_ids": [],
    "fleet_settings": {"CAPTION_LANGUAGE": "de"},
    "fleet_image_id": "",
    "fleet_release": "r1",
    # What the role observability looks up on AWS.
    "__observability_balancer": "app/edge/1",
    "__observability_target": "targetgroup/web/1",
}
SHOWN = {
    "visibility": "{{ [events_thumbnail_visibility, events_caption_visibility] }}",
    "leases": "{{ [__functions_lease.thumbnail, __functions_lease.caption] }}",
    "alarms": "{{ lookup('ansible.builtin.template', alarms_file) | from_yaml }}",
    "functions": "{{ __functions_all | map(attribute='environment') }}",
    "hosts": "{{ __fleet_given_settings }}",
    "bake": "{{ fleet_bake_seconds }}",
    "filters": "{{ __observability_metric_filters }}",
    "namespace": "{{ __observability_namespace }}",
}


@pytest.fixture(scope="module")
def derived(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The values of the roles with other timeouts than the default ones."""
    folder = tmp_path_factory.mktemp("derived")
    roles = [
        {"ansible.builtin.include_role": {"name": role, "tasks_from": "validate", "public": True}}
        for role in ROLES
    ]
    shown = {"ansible.builtin.copy": {"content": "{{ values | to_json }}", "dest": str(folder / "values.json")}}
    tasks = [*roles, shown | {"vars": {"values": SHOWN}}]
    run_tasks(tasks, "-e", json.dumps(GIVEN | {"release": "r1"}), home=folder)
    return dict(json.loads((folder / "values.json").read_text()))


OWN = "d111111abcdef8.cloudfront.net"
# The domain name, CloudFront's own address, and the origins whose pages may use the buckets.
ORIGINS = [
    ("", "", []),
    ("", OWN, [f"https://{OWN}"]),
    ("gallery.example.org", "", ["https://gallery.example.org"]),
    ("gallery.example.org", OWN, ["https://gallery.example.org", f"https://{OWN}"]),
]


@pytest.mark.parametrize("inventory", ["staging", "production"])
def test_buckets_allow_the_domain_and_the_address_before_it(inventory: str, tmp_path: Path) -> None:
    """The buckets get their rule half an hour before the hosts are rolled, which serve the old address."""
    tasks = [
        {
            "ansible.builtin.debug": {"msg": f"{number}: {{{{ storage_cors_origins | join(' ') }}}}"},
            "vars": {"gallery_domain": domain, "cloudfront_domain_name": own},
        }
        for number, (domain, own, _) in enumerate(ORIGINS)
    ]
    said = answers(run_tasks(tasks, home=tmp_path, inventory=inventory), len(ORIGINS))
    assert [found for _, _, found in ORIGINS] == [line.rstrip('"').split() for line in said]


def test_visibility_timeouts_are_six_times_the_functions_timeouts(derived: dict[str, Any]) -> None:
    assert [180, 1800] == derived["visibility"]


def test_leases_are_longer_than_the_functions_timeouts(derived: dict[str, Any]) -> None:
    assert [45, 315] == derived["leases"]


def test_queues_leave_an_execution_of_each_function_for_its_other_calls() -> None:
    """The backfill, the sweep and campaigns: a large upload keeps all workers of the queues busy."""
    defaults = yaml.safe_load((ROOT / "roles/functions/defaults/main.yml").read_text())
    workers = [defaults[f"functions_{kind}_concurrency"] for kind in ("thumbnail", "caption")]
    assert max(workers) < defaults["functions_reserved_concurrency"]


def test_alarms_and_their_texts_follow_the_functions_timeouts(derived: dict[str, Any]) -> None:
    alarms = derived["alarms"]
    assert (27_000, 270_000) == (alarms["thumbnail-slow"]["Threshold"], alarms["caption-slow"]["Threshold"])
    assert "close to its timeout of 300 s" in alarms["caption-slow"]["AlarmDescription"]


def test_alarm_texts_follow_the_queues(derived: dict[str, Any]) -> None:
    alarms = derived["alarms"]
    assert "delivered up to 7 times" in alarms["caption-errors"]["AlarmDescription"]
    assert "kept for 9 days" in alarms["caption-dead"]["AlarmDescription"]


def test_release_is_watched_longer_than_the_alarm_of_unhealthy_hosts_takes(derived: dict[str, Any]) -> None:
    alarm = derived["alarms"]["web-unhealthy"]
    assert (5, 60) == (alarm["EvaluationPeriods"], alarm["Period"])
    assert "for 5 minutes" in alarm["AlarmDescription"]
    assert 420 == derived["bake"]


def test_database_connections_alarm_follows_the_instance_class(derived: dict[str, Any]) -> None:
    assert 50 == derived["alarms"]["database-connections"]["Threshold"]  # db.t4g.micro: 1 GiB


def test_alarm_of_the_sweep_counts_completed_ones(derived: dict[str, Any]) -> None:
    """No data is an alarm too. The pattern is the one of the line that the function logs."""
    alarm = derived["alarms"]["sweep-silent"]
    assert (derived["namespace"], {}) == (alarm["Namespace"], alarm["Dimensions"])
    assert ("LessThanThreshold", 1, "breaching") == (
        alarm["ComparisonOperator"], alarm["Threshold"], alarm["TreatMissingData"],
    )  # fmt: skip
    [swept] = [
        each for each in derived["filters"] if f"{each['function']}-{each['name']}" == alarm["MetricName"]
    ]
    assert '{ $.message = "delivery" && $.outcome = "done" && $.task = "sweep" }' == swept["pattern"]


def test_metrics_of_alarms_have_filters(derived: dict[str, Any]) -> None:
    counted = {f"{each['function']}-{each['name']}" for each in derived["filters"]}
    own = {
        each["MetricName"] for each in derived["alarms"].values() if each["Namespace"] == derived["namespace"]
    }
    assert own <= counted


def test_estimate_counts_the_metrics_of_the_filters(derived: dict[str, Any]) -> None:
    estimated = yaml.safe_load((ROOT / "roles/estimate/defaults/main.yml").read_text())
    assert estimated["estimate_metrics"] == len(derived["filters"])


def test_estimate_counts_the_alarms_and_those_of_target_tracking(derived: dict[str, Any]) -> None:
    estimated = yaml.safe_load((ROOT / "roles/estimate/defaults/main.yml").read_text())
    assert estimated["estimate_alarms"] == len(derived["alarms"]) + 2


@pytest.mark.parametrize("role", ["web_acl", "edge"])
def test_firewall_allows_an_address_more_than_the_gallery_allows_one_of_its_people(role: str) -> None:
    defaults = yaml.safe_load((ROOT / f"roles/{role}/defaults/main.yml").read_text())
    assert defaults[f"{role}_requests_per_5_minutes"] > 5 * API_RATE


def test_firewall_refuses_as_the_gallery_does() -> None:
    """The page waits for 429, and ends an upload that is answered with 403."""
    [rule] = yaml.safe_load((ROOT / "roles/web_acl/vars/main.yml").read_text())["__web_acl_rules"]
    response = rule["action"]["block"]["custom_response"]
    assert 429 == response["response_code"]
    assert ["retry-after"] == [header["name"] for header in response["response_headers"]]


def test_settings_of_captions_are_those_of_the_caption_function_and_the_hosts(derived: dict[str, Any]) -> None:
    """Settings of one of them alone are added, and win."""
    thumbnail, caption = derived["functions"]
    del caption["NOTICES_TOPIC_ARN"]
    assert {} == thumbnail
    assert {**GIVEN["gallery_captions"], "CAPTION_HINT": "Anna's wedding"} == caption
    assert {"CAPTIONER": "openai", "CAPTION_LANGUAGE": "de"} == derived["hosts"]
