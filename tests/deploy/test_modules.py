"""Ansible modules of the roles, run in this process: what they write, what they leave, and their check mode."""

from __future__ import annotations

import json
from http.client import HTTPMessage
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import Mock, call, patch
from urllib.error import HTTPError, URLError

import pytest
import yaml

from tests.deploy.module_run import Failed, denied, pages, run, writes
from tests.loading import ROOT, module_at

alarms = module_at("roles/observability/library/metric_alarms.py")
dashboard = module_at("roles/observability/library/metric_dashboard.py")
leftover = module_at("roles/teardown/library/leftover.py")
letters = module_at("roles/redrive/library/dead_letters.py")
redrive = module_at("roles/events/library/sqs_redrive_allow.py")
upload = module_at("roles/smoke/library/form_upload.py")


FILES = sorted(
    str(path.relative_to(ROOT))
    for folder in ("roles/*/library", "playbooks/library")
    for path in ROOT.glob(f"{folder}/*.py")
)
EXAMPLES = {"str": "x", "list": ["x"], "dict": {}, "int": 1, "float": 1.5, "bool": False, "path": "x"}


def required(file: str) -> dict[str, Any]:
    """Return a value for each required option of a module, by its documentation."""
    options = yaml.safe_load(module_at(file).DOCUMENTATION)["options"]
    needed = {name: option for name, option in options.items() if option.get("required")}
    return {name: option.get("choices", [EXAMPLES[option["type"]]])[0] for name, option in needed.items()}


@pytest.mark.parametrize("file", FILES)
def test_module_refuses_to_run_without_each_option_that_it_documents_as_required(file: str) -> None:
    given, module = required(file), module_at(file)
    for name in given:
        rest = {key: value for key, value in given.items() if key != name}
        with pytest.raises(Failed, match=f"missing required arguments: {name}$"):
            run(module, Mock(), **rest)


class Constructed(Exception):
    """The module has made its AnsibleAWSModule."""


@pytest.mark.parametrize("file", FILES)
def test_module_takes_the_options_that_it_documents_with_the_same_defaults(file: str) -> None:
    module = module_at(file)
    kind = "AnsibleAWSModule" if hasattr(module, "AnsibleAWSModule") else "AnsibleModule"
    with patch.object(module, kind, side_effect=Constructed) as made, pytest.raises(Constructed):
        module.main()
    documented = yaml.safe_load(module.DOCUMENTATION)["options"]
    assert comparable(made.call_args[1]["argument_spec"]) == comparable(documented)


def comparable(options: dict[str, Any]) -> dict[str, Any]:
    """Return documented options or those of an argument_spec in one form."""
    compared: dict[str, Any] = {}
    for name, option in options.items():
        inner = option.get("options") or option.get("suboptions") or {}
        plain = {key: option.get(key) for key in ("type", "elements", "required", "default")}
        compared[name] = plain | {"choices": set(option.get("choices", ())), "options": comparable(inner)}
    return compared


# metric_alarms

ALARM = {"Namespace": "AWS/SQS", "Dimensions": {"Queue": "q", "A": "b"}, "Threshold": 3}
DIMENSIONS = [{"Name": "A", "Value": "b"}, {"Name": "Queue", "Value": "q"}]
STORED = {
    "AlarmName": "x-dead", "AlarmArn": "arn:dead", "Namespace": "AWS/SQS", "Dimensions": DIMENSIONS[::-1],
    "Threshold": 3.0, "TreatMissingData": "missing", "AlarmActions": ["arn:t"], "OKActions": ["arn:t"],
}  # fmt: skip
TAGS = [{"Key": "Project", "Value": "p"}]


def cloudwatch(*stored: dict[str, Any], tags: object = TAGS) -> Mock:
    client = Mock(get_paginator=pages(describe_alarms=[{"MetricAlarms": list(stored)}]))
    client.list_tags_for_resource.return_value = {"Tags": tags}
    return client


def set_alarms(client: Mock, *, check: bool = False) -> dict[str, Any]:
    given = {"prefix": "x-", "alarms": {"dead": ALARM}, "actions": ["arn:t"], "tags": {"Project": "p"}}
    return run(alarms, client, check=check, **given)


@pytest.mark.parametrize("check", [False, True])
def test_alarm_that_is_missing_is_created_with_tags(check: bool) -> None:
    client = cloudwatch()
    assert {"changed": True, "set": ["x-dead"], "removed": []} == set_alarms(client, check=check)
    wanted = {key: value for key, value in STORED.items() if key != "AlarmArn"}
    created = [] if check else [call(**{**wanted, "Dimensions": DIMENSIONS}, Tags=TAGS)]
    assert created == client.put_metric_alarm.call_args_list


def test_alarm_that_is_right_is_left() -> None:
    client = cloudwatch(STORED)
    assert {"changed": False, "set": [], "removed": []} == set_alarms(client)
    assert [] == writes(client)


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("change", [{"Threshold": 4.0}, {"AlarmActions": []}, {"Namespace": "other"}])
def test_alarm_that_differs_is_updated(change: dict[str, Any], check: bool) -> None:
    client = cloudwatch(STORED | change)
    assert set_alarms(client, check=check) == {"changed": True, "set": ["x-dead"], "removed": []}
    assert writes(client) == ([] if check else ["put_metric_alarm"])
    assert "Tags" not in str(client.put_metric_alarm.call_args)


@pytest.mark.parametrize("check", [False, True])
def test_alarm_with_other_tags_is_tagged(check: bool) -> None:
    client = cloudwatch(STORED, tags=[{"Key": "Old", "Value": "o"}])
    assert set_alarms(client, check=check)["set"] == ["x-dead"]
    assert sorted(writes(client)) == ([] if check else ["tag_resource", "untag_resource"])


@pytest.mark.parametrize("check", [False, True])
def test_alarm_that_is_not_wanted_is_deleted(check: bool) -> None:
    client = cloudwatch(STORED, STORED | {"AlarmName": "x-old", "AlarmArn": "arn:old"})
    assert {"changed": True, "set": [], "removed": ["x-old"]} == set_alarms(client, check=check)
    assert client.delete_alarms.call_args_list == ([] if check else [call(AlarmNames=["x-old"])])


def test_alarms_that_are_denied_fail() -> None:
    client = cloudwatch()
    client.put_metric_alarm.side_effect = denied("PutMetricAlarm")
    with pytest.raises(Failed, match=r"Failed to manage the alarms x-\*.*Not allowed"):
        set_alarms(client)


# metric_dashboard


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize(
    ("stored", "changed"), [({"widgets": []}, False), ({"widgets": [1]}, True), (None, True)]
)
def test_dashboard_is_written_where_it_differs(stored: object, changed: bool, check: bool) -> None:
    entries = [{"DashboardName": "gallery-2"}] + ([{"DashboardName": "gallery"}] if stored else [])
    client = Mock(get_paginator=pages(list_dashboards=[{"DashboardEntries": entries}]))
    client.get_dashboard.side_effect = lambda DashboardName: {  # noqa: N803 - as AWS names it
        "DashboardBody": json.dumps(stored if DashboardName == "gallery" else {"widgets": []})
    }
    client.put_dashboard.return_value = {}
    assert {"changed": changed} == run(dashboard, client, check=check, name="gallery", body={"widgets": []})
    assert client.put_dashboard.call_count == (changed and not check)


def test_dashboard_that_is_rejected_fails() -> None:
    client = Mock(get_paginator=pages(list_dashboards=[]))
    client.put_dashboard.return_value = {"DashboardValidationMessages": [{"Message": "No width."}]}
    with pytest.raises(Failed, match="No width"):
        run(dashboard, client, name="gallery", body={})


def test_dashboard_that_is_denied_fails() -> None:
    client = Mock(get_paginator=pages(list_dashboards=[]))
    client.put_dashboard.side_effect = denied("PutDashboard")
    with pytest.raises(Failed, match=r"Failed to manage the dashboard gallery.*Not allowed"):
        run(dashboard, client, name="gallery", body={})


@pytest.mark.parametrize(
    ("module", "given"),
    [
        (leftover, {"kind": "protection", "ids": ["x"]}),
        (letters, {"source": "x", "destination": "y"}),
        (redrive, {"sources": {"x": []}}),
    ],
)
def test_module_whose_first_call_is_denied_fails(module: ModuleType, given: dict[str, Any]) -> None:
    client = Mock(
        **{
            f"{name}.side_effect": denied(name)
            for name in ("describe_load_balancer_attributes", "get_queue_url")
        }
    )
    client.exceptions.QueueDoesNotExist = Missing
    with pytest.raises(Failed, match=r"Failed to .* x.*Not allowed"):
        run(module, client, **given)


# leftover

FOUND = {
    "flow_log": ("describe_flow_logs", "FlowLogs", "FlowLogId", "delete_flow_logs", "FlowLogIds"),
    "dashboard": (
        "list_dashboards", "DashboardEntries", "DashboardName", "delete_dashboards", "DashboardNames",
    ),
    "alarm": ("describe_alarms", "MetricAlarms", "AlarmName", "delete_alarms", "AlarmNames"),
}  # fmt: skip


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("kind", FOUND)
def test_leftover_of_these_ids_alone_is_deleted(kind: str, check: bool) -> None:
    operation, listed, key, delete, argument = FOUND[kind]
    client = Mock(get_paginator=pages(**{operation: [{listed: [{key: "ours"}, {key: "theirs"}]}]}))
    result = run(leftover, client, check=check, kind=kind, ids=["ours", "gone"])
    assert {"changed": True, "removed": ["ours"]} == result
    assert getattr(client, delete).call_args_list == ([] if check else [call(**{argument: ["ours"]})])
    assert {"changed": False, "removed": []} == run(leftover, client, kind=kind, ids=["gone"])
    assert {"changed": False, "removed": []} == run(leftover, Mock(), kind=kind, ids=[])


@pytest.mark.parametrize("check", [False, True])
def test_leftover_protection_is_disabled_where_it_is_on(check: bool) -> None:
    on = {"on": "true", "off": "false"}
    client = Mock()
    client.describe_load_balancer_attributes.side_effect = lambda LoadBalancerArn: {  # noqa: N803
        "Attributes": [
            {"Key": "deletion_protection.enabled", "Value": on[LoadBalancerArn]},
            {"Key": "idle_timeout.timeout_seconds", "Value": "true"},
        ]
    }
    result = run(leftover, client, check=check, kind="protection", ids=["on", "off"])
    assert {"changed": True, "removed": ["on"]} == result
    off = [{"Key": "deletion_protection.enabled", "Value": "false"}]
    expected = [] if check else [call(LoadBalancerArn="on", Attributes=off)]
    assert expected == client.modify_load_balancer_attributes.call_args_list


# dead_letters


def queue(count: int, hidden: int = 0) -> Mock:
    """A dead-letter queue with so many messages, of which others are not visible now."""
    waiting = [{"Body": f"b{n}", "ReceiptHandle": f"r{n}", "MessageAttributes": {"n": n}} for n in range(count)]
    client = Mock()
    client.get_queue_url.side_effect = lambda QueueName: {"QueueUrl": f"url:{QueueName}"}  # noqa: N803
    client.get_queue_attributes.return_value = {
        "Attributes": {
            "ApproximateNumberOfMessages": str(count),
            "ApproximateNumberOfMessagesNotVisible": str(hidden),
        }
    }

    def receive(MaxNumberOfMessages: int, **_: object) -> dict[str, Any]:  # noqa: N803
        assert 1 <= MaxNumberOfMessages <= 10
        batch = waiting[:MaxNumberOfMessages]
        del waiting[:MaxNumberOfMessages]
        return {"Messages": batch} if batch else {}

    client.receive_message.side_effect = receive
    return client


@pytest.mark.parametrize(("limit", "moved"), [(1000, 12), (11, 11), (3, 3), (1, 1)])
def test_letters_are_sent_before_they_are_deleted(limit: int, moved: int) -> None:
    client = queue(12, hidden=2)
    result = run(letters, client, source="dead", destination="queue", limit=limit)
    assert {"changed": True, "waiting": 14, "moved": moved} == result
    assert ["send_message", "delete_message"] * moved == writes(client)
    sent = {"QueueUrl": "url:queue", "MessageBody": "b0", "MessageAttributes": {"n": 0}}
    assert call(**sent) == client.send_message.call_args_list[0]
    assert call(QueueUrl="url:dead", ReceiptHandle="r0") == client.delete_message.call_args_list[0]
    received = client.receive_message.call_args_list[0][1]
    assert {"QueueUrl": "url:dead", "WaitTimeSeconds": 1, "VisibilityTimeout": 30}.items() <= received.items()
    assert received["MaxNumberOfMessages"] == min(10, limit)


def test_letters_are_counted_in_check_mode() -> None:
    client = queue(12, hidden=2)
    assert run(letters, client, check=True, source="dead", destination="queue")["moved"] == 14
    assert run(letters, client, check=True, source="dead", destination="queue", limit=5)["moved"] == 5
    assert 1000 == run(letters, queue(0, hidden=2000), check=True, source="dead", destination="queue")["moved"]
    assert [] == writes(client)
    assert not client.receive_message.called


def test_letters_that_are_slow_to_send_become_visible_again() -> None:
    """Half of the visibility timeout has passed after the second one."""
    client = queue(3)
    with patch.object(letters.time, "monotonic", Mock(side_effect=[0.0, 1.0, 15.0, 15.1, *[16.0] * 9])):
        assert 2 == run(letters, client, source="dead", destination="queue")["moved"]
    assert 2 == client.delete_message.call_count


def test_no_letters_change_nothing() -> None:
    result = run(letters, queue(0), source="dead", destination="queue")
    assert {"changed": False, "waiting": 0, "moved": 0} == result


# sqs_redrive_allow


class Missing(Exception):
    """The queue does not exist."""


def dead(policy: str | None) -> Mock:
    client = Mock()
    client.exceptions.QueueDoesNotExist = Missing
    client.get_queue_url.return_value = {"QueueUrl": "url"}
    client.get_queue_attributes.return_value = (
        {} if policy is None else {"Attributes": {"RedriveAllowPolicy": policy}}
    )
    return client


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize(
    ("policy", "changed"),
    [
        ('{"redrivePermission": "byQueue", "sourceQueueArns": ["b", "a"]}', False),
        ('{"redrivePermission": "byQueue", "sourceQueueArns": ["a"]}', True),
        ('{"redrivePermission": "allowAll"}', True),
        (None, True),
    ],
)
def test_redrive_is_allowed_for_these_queues(policy: str | None, changed: bool, check: bool) -> None:
    client = dead(policy)
    result = run(redrive, client, check=check, sources={"dead": ["a", "b"]})
    assert {"changed": changed, "queues": ["dead"] * changed} == result
    assert client.set_queue_attributes.call_count == (changed and not check)
    if changed and not check:
        written = json.loads(client.set_queue_attributes.call_args[1]["Attributes"]["RedriveAllowPolicy"])
        assert {"redrivePermission": "byQueue", "sourceQueueArns": ["a", "b"]} == written


def test_redrive_of_a_missing_queue_is_a_change_in_check_mode_alone() -> None:
    client = dead(None)
    client.get_queue_url.side_effect = Missing
    assert run(redrive, client, check=True, sources={"dead": ["a"]})["changed"]
    with pytest.raises(Missing):
        run(redrive, client, sources={"dead": ["a"]})


# form_upload


def test_form_has_its_fields_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a.jpg"
    file.write_bytes(b"\r\ndata")
    given = {"url": "http://x/", "fields": {"key": "k"}, "src": str(file), "media_type": "image/jpeg"}
    with patch.object(upload, "open_url", return_value=Mock(status=201)) as sent:
        assert {"changed": True, "status": 0} == run(upload, Mock(), check=True, **given)
        assert not sent.called
        assert {"changed": True, "status": 201} == run(upload, Mock(), **given)
    body = sent.call_args[1]["data"]
    boundary = sent.call_args[1]["headers"]["Content-Type"].partition("boundary=")[2]
    assert len(boundary) == 32  # of 16 random bytes: not one of the file's
    assert sent.call_args[1]["timeout"] == 60
    assert (
        body
        == (
            f'--{boundary}\r\nContent-Disposition: form-data; name="key"\r\n\r\nk\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n'
            f"Content-Type: image/jpeg\r\n\r\n\r\ndata\r\n--{boundary}--\r\n"
        ).encode()
    )
    for error, said in (
        (HTTPError("u", 403, "no", HTTPMessage(), BytesIO(b"denied")), "status 403: denied$"),
        (HTTPError("u", 403, "no", HTTPMessage(), BytesIO(b"x" * 3000)), "status 403: x{2000}$"),
        (URLError("away"), "could not be sent"),
    ):
        with patch.object(upload, "open_url", side_effect=error), pytest.raises(Failed, match=said):
            run(upload, Mock(), **given)
