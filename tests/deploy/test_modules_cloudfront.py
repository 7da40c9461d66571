"""The Ansible modules for CloudFront: what they write, what they wait for, and their check mode."""

from __future__ import annotations

import importlib
import itertools
import re
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock, call

import pytest
from botocore.exceptions import ClientError

from tests.deploy.module_run import Failed, denied, pages, run, writes
from tests.loading import module_at

distribution = module_at("playbooks/library/distribution.py")
prefix_list = module_at("roles/network/library/managed_prefix_list.py")
vpc_origin = module_at("playbooks/library/vpc_origin.py")
changes = importlib.import_module("ansible.module_utils.cloudfront_changes")

TAGS = [{"Key": "Project", "Value": "p"}]
check_or_not = pytest.mark.parametrize("check", [False, True])


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let each pause take no time; what the pauses were."""
    pauses: list[float] = []
    fake = SimpleNamespace(sleep=pauses.append, monotonic=itertools.count(0, 300).__next__)
    monkeypatch.setattr(changes, "time", fake)
    return pauses


# what both share


def test_wait_ends_with_a_sentence_after_the_timeout(clock: list[float]) -> None:
    with pytest.raises(TimeoutError, match=r"not finished after 900 s: it is not deployed. Run it again"):
        changes.wait_for(lambda: False, "it is not deployed", 900)
    assert [15, 15, 15] == clock
    with pytest.raises(TimeoutError, match=r"not finished after 2400 s: "):
        changes.wait_for(lambda: False, "it is not deployed")
    assert [15] * 11 == clock


# vpc_origin

ORIGIN = {"Id": "vo_1", "Name": "n", "Arn": "arn:o"}
SECOND = {"Id": "vo_2", "Name": "n-c9756072", "Arn": "arn:o2"}
ENDPOINT = {"Name": "n", "Arn": "arn:lb", "HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}


def gone() -> ClientError:
    return ClientError({"Error": {"Code": "EntityNotFound", "Message": "None."}}, "GetVpcOrigin")


def origins(*stored: dict[str, Any], states: tuple[Any, ...] = ("Deployed",), **endpoint: Any) -> Mock:
    """Return a client of an account with these VPC origins, on two pages."""
    client = Mock()
    items = [[{"Name": "other"}], list(stored)]
    client.list_vpc_origins.side_effect = lambda Marker="": {  # noqa: N803 - boto3's name
        "VpcOriginList": {"Items": items[bool(Marker)], "NextMarker": "" if Marker else "m"}
    }
    client.delete_vpc_origin.side_effect = lambda **_: items[1].clear()
    answers = itertools.chain(states, itertools.repeat(states[-1]))

    def read(Id: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        if isinstance(state := next(answers), Exception):
            raise state
        named = next((each for each in stored if each["Id"] == Id), {"Name": "n"})
        config = ENDPOINT | {"OriginSslProtocols": {"Quantity": 1}} | endpoint | {"Name": named["Name"]}
        config |= {"Arn": named["Endpoint"]} if "Endpoint" in named else {}
        return {"ETag": f"e-{state}", "VpcOrigin": {"Status": state, "VpcOriginEndpointConfig": config}}

    client.get_vpc_origin.side_effect = read
    client.create_vpc_origin.return_value = {"VpcOrigin": ORIGIN}
    client.list_tags_for_resource.return_value = {"Tags": {"Items": TAGS}}
    return client


def keep_origin(client: Mock, *, check: bool = False, **given: Any) -> dict[str, Any]:
    return run(vpc_origin, client, check=check, name="n", endpoint_arn="arn:lb", tags={"Project": "p"}, **given)


@check_or_not
def test_origin_that_is_missing_is_created_and_waited_for(check: bool, clock: list[float]) -> None:
    client = origins(states=("Deploying", "Deploying", "Deployed"))
    assert {"changed": True, "id": "" if check else "vo_1"} == keep_origin(client, check=check)
    created = [] if check else [call(VpcOriginEndpointConfig=ENDPOINT, Tags={"Items": TAGS})]
    assert created == client.create_vpc_origin.call_args_list
    assert [call(), call(Marker="m")] == client.list_vpc_origins.call_args_list
    assert ([] if check else [15, 15]) == clock


@check_or_not
def test_origin_that_is_right_is_left(check: bool) -> None:
    client = origins(ORIGIN)
    assert {"changed": False, "id": "vo_1"} == keep_origin(client, check=check)
    assert [] == writes(client)


def test_origin_of_an_interrupted_run_is_waited_for(clock: list[float]) -> None:
    client = origins(ORIGIN, states=("Deploying", "Deploying", "Deployed"))
    assert not keep_origin(client)["changed"]
    assert [15] == clock


@check_or_not
@pytest.mark.parametrize("other", [{"Arn": "arn:old"}, {"HTTPPort": 8080}])
def test_origin_of_another_load_balancer_is_left_and_a_second_one_created(
    other: dict[str, Any], check: bool
) -> None:
    """AWS changes and deletes none that a distribution uses, and takes each name once."""
    client = origins(ORIGIN, **other)
    client.create_vpc_origin.return_value = {"VpcOrigin": SECOND}
    assert {"changed": True, "id": "" if check else "vo_2"} == keep_origin(client, check=check)
    assert ([] if check else ["create_vpc_origin"]) == writes(client)
    if not check:
        given = client.create_vpc_origin.call_args.kwargs
        assert ENDPOINT | {"Name": SECOND["Name"]} == given["VpcOriginEndpointConfig"]


def test_origin_of_a_replaced_load_balancer_is_found_again() -> None:
    client = origins(ORIGIN | {"Endpoint": "arn:old"}, SECOND)
    assert {"changed": False, "id": "vo_2"} == keep_origin(client)
    client = origins(SECOND)
    assert {"changed": False, "id": "vo_2"} == keep_origin(client)
    assert [] == writes(client)


@pytest.mark.parametrize("name", ["n-x", "n-0123456", "n-01234567-edge", "m-01234567"])
def test_origin_of_another_name_is_none_of_ours(name: str) -> None:
    client = origins(ORIGIN | {"Name": name})
    assert keep_origin(client)["changed"]
    assert ENDPOINT == client.create_vpc_origin.call_args.kwargs["VpcOriginEndpointConfig"]


def test_name_of_a_second_origin_is_as_long_as_aws_takes() -> None:
    name = vpc_origin.replacement("n" * 64, "arn:lb")
    assert 64 == len(name)
    assert [ORIGIN | {"Name": name}] == vpc_origin.find(origins(ORIGIN | {"Name": name}), "n" * 64)


@check_or_not
def test_origins_that_were_replaced_are_deleted_and_one_is_kept(check: bool) -> None:
    client = origins(ORIGIN, SECOND, states=("Deployed", "Deployed", gone()))
    assert keep_origin(client, check=check, state="absent", keep_id="vo_2")["changed"]
    deleted = [] if check else [call(Id="vo_1", IfMatch="e-Deployed")]
    assert deleted == client.delete_vpc_origin.call_args_list
    client = origins(SECOND)
    assert not keep_origin(client, check=check, state="absent", keep_id="vo_2")["changed"]
    assert [] == writes(client)


@check_or_not
def test_origin_with_other_tags_is_tagged(check: bool) -> None:
    client = origins(ORIGIN)
    client.list_tags_for_resource.return_value = {"Tags": {}}
    assert keep_origin(client, check=check)["changed"]
    assert client.tag_resource.call_args_list == (
        [] if check else [call(Resource="arn:o", Tags={"Items": TAGS})]
    )


@check_or_not
def test_origin_is_deleted_and_waited_for(check: bool, clock: list[float]) -> None:
    client = origins(ORIGIN, states=("Deploying", "Deployed", "Deployed", "Deploying", gone()))
    assert {"changed": True, "id": ""} == keep_origin(client, check=check, state="absent")
    assert client.delete_vpc_origin.call_args_list == ([] if check else [call(Id="vo_1", IfMatch="e-Deployed")])
    assert ([] if check else [15, 15]) == clock


def test_origin_that_does_not_exist_is_not_deleted() -> None:
    client = origins()
    assert not keep_origin(client, state="absent")["changed"]
    assert [] == writes(client)


def test_origin_whose_deletion_was_begun_is_waited_for() -> None:
    client = origins(ORIGIN, states=(gone(),))
    assert keep_origin(client, state="absent")["changed"]
    client = origins(ORIGIN, states=("Deployed", "Deployed", gone()))
    client.delete_vpc_origin.side_effect = gone()
    assert keep_origin(client, state="absent")["changed"]


def test_origin_that_is_denied_or_late_fails() -> None:
    client = origins()
    client.create_vpc_origin.side_effect = denied("CreateVpcOrigin")
    with pytest.raises(Failed, match=r"Failed to manage the VPC origin n: .*Not allowed"):
        keep_origin(client)
    client = origins(ORIGIN)
    client.delete_vpc_origin.side_effect = denied("DeleteVpcOrigin")
    with pytest.raises(Failed, match="Not allowed"):
        keep_origin(client, state="absent")
    with pytest.raises(Failed, match="the VPC origin n is not deployed"):
        keep_origin(origins(ORIGIN, states=("Deploying",)))
    client = origins(ORIGIN)
    client.get_vpc_origin.side_effect = denied("GetVpcOrigin")
    for state in ("present", "absent"):
        with pytest.raises(Failed, match="Not allowed"):
            keep_origin(client, state=state)


# distribution

SUMMARY = {"Id": "E1", "ARN": "arn:d", "Comment": "n", "DomainName": "d1.cloudfront.net"}
STORED = {
    "Comment": "n",
    "Enabled": True,
    "Aliases": {"Quantity": 0},
    "CallerReference": "c",
    "PriceClass": "x",
}
CONFIG = {"Enabled": True, "Aliases": []}


def site(*stored: dict[str, Any], states: tuple[str, ...] = ("Deployed",), **config: Any) -> Mock:
    """Return a client of an account with these distributions."""
    found: list[dict[str, Any]] = [
        {"DistributionList": {}},
        {"DistributionList": {"Items": [{"Comment": "other"}, *stored]}},
    ]
    client = Mock(get_paginator=pages(list_distributions=found))
    answers = itertools.chain(states, itertools.repeat(states[-1]))
    client.get_distribution.side_effect = lambda **_: {"Distribution": {"Status": next(answers)}}
    read = iter(range(9))
    client.get_distribution_config.side_effect = lambda **_: {
        "ETag": f"e{next(read)}",
        "DistributionConfig": STORED | config,
    }
    client.create_distribution_with_tags.return_value = {"Distribution": SUMMARY}
    client.list_tags_for_resource.return_value = {"Tags": {"Items": TAGS}}
    return client


def keep(client: Mock, *, check: bool = False, **given: Any) -> dict[str, Any]:
    return run(distribution, client, check=check, name="n", config=CONFIG, tags={"Project": "p"}, **given)


@check_or_not
def test_distribution_that_is_missing_is_created_and_waited_for(check: bool, clock: list[float]) -> None:
    client = site(states=("InProgress", "Deployed"))
    expected = {"id": "", "domain_name": ""} if check else {"id": "E1", "domain_name": "d1.cloudfront.net"}
    assert {"changed": True, **expected} == keep(client, check=check)
    if check:
        assert [] == writes(client)
        return
    sent = client.create_distribution_with_tags.call_args.kwargs["DistributionConfigWithTags"]
    assert {"Items": TAGS} == sent["Tags"]
    assert re.fullmatch("n-[0-9a-f]{16}", sent["DistributionConfig"].pop("CallerReference"))
    assert {"Comment": "n", "Enabled": True, "Aliases": {"Quantity": 0}} == sent["DistributionConfig"]
    assert [15] == clock


@check_or_not
def test_distribution_that_is_right_is_left(check: bool) -> None:
    client = site(SUMMARY)
    expected = {"changed": False, "id": "E1", "domain_name": "d1.cloudfront.net"}
    assert expected == keep(client, check=check)
    assert [] == writes(client)


@check_or_not
def test_distribution_that_differs_is_updated_with_everything_else_kept(check: bool) -> None:
    client = site(SUMMARY, Enabled=False)
    assert keep(client, check=check)["changed"]
    updated = [] if check else [call(Id="E1", IfMatch="e0", DistributionConfig=STORED)]
    assert updated == client.update_distribution.call_args_list


@check_or_not
def test_distribution_with_other_tags_is_tagged(check: bool) -> None:
    client = site(SUMMARY)
    client.list_tags_for_resource.return_value = {"Tags": {"Items": [{"Key": "Old", "Value": "o"}]}}
    assert keep(client, check=check)["changed"]
    assert sorted(writes(client)) == ([] if check else ["tag_resource", "untag_resource"])


@check_or_not
def test_distribution_is_disabled_deployed_and_then_deleted(check: bool, clock: list[float]) -> None:
    client = site(SUMMARY, states=("InProgress", "InProgress", "Deployed"))
    assert {"changed": True, "id": "", "domain_name": ""} == keep(client, check=check, state="absent")
    assert writes(client) == ([] if check else ["update_distribution", "delete_distribution"])
    if not check:
        disabled = STORED | {"Enabled": False}
        assert call(Id="E1", IfMatch="e0", DistributionConfig=disabled) == client.update_distribution.call_args
        assert call(Id="E1", IfMatch="e1") == client.delete_distribution.call_args
        assert [15, 15] == clock


def test_distribution_that_is_disabled_already_is_deleted() -> None:
    client = site(SUMMARY, Enabled=False)
    keep(client, state="absent")
    assert ["delete_distribution"] == writes(client)


def test_distribution_that_does_not_exist_is_not_deleted() -> None:
    assert not keep(client := site(), state="absent")["changed"]
    assert [] == writes(client)


def test_distribution_that_is_denied_or_late_fails() -> None:
    client = site()
    client.create_distribution_with_tags.side_effect = denied("CreateDistribution")
    with pytest.raises(Failed, match=r"Failed to manage the distribution n: .*Not allowed"):
        keep(client)
    with pytest.raises(Failed, match="the distribution n is not deployed"):
        keep(site(SUMMARY, states=("InProgress",)))


# managed_prefix_list


@check_or_not
def test_prefix_list_is_found_by_its_name(check: bool) -> None:
    client = Mock()
    client.describe_managed_prefix_lists.return_value = {"PrefixLists": [{"PrefixListId": "pl-1"}]}
    assert {"changed": False, "id": "pl-1"} == run(prefix_list, client, check=check, name="n")
    asked = [{"Name": "prefix-list-name", "Values": ["n"]}]
    assert call(Filters=asked) == client.describe_managed_prefix_lists.call_args


def test_prefix_list_that_a_region_lacks_or_that_may_not_be_read_fails() -> None:
    client = Mock()
    client.describe_managed_prefix_lists.return_value = {"PrefixLists": []}
    with pytest.raises(Failed, match="This region has no prefix list n"):
        run(prefix_list, client, name="n")
    client.describe_managed_prefix_lists.side_effect = denied("DescribeManagedPrefixLists")
    with pytest.raises(Failed, match=r"Failed to look up the prefix list n: .*Not allowed"):
        run(prefix_list, client, name="n")
