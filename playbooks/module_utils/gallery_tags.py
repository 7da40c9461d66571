"""Tag handling that several modules of this repository share; the comparison itself is amazon.aws's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_list_to_ansible_dict,
    compare_aws_tags,
)

TagList = list[dict[str, str]]


def update_tags(
    current: TagList,
    wanted: dict[str, Any],
    tag: Callable[[TagList], object],
    untag: Callable[[list[str]], object],
    check_mode: bool,
) -> bool:
    """Replace the tags of a resource and return whether they differed.

    current: tags as AWS returns them, ``[{"Key": …, "Value": …}]``. wanted: tags as Ansible writes them. tag
    and untag: functions that call AWS with the tags to set and with the keys to remove; neither is called in
    check mode. Tags that AWS itself sets (``aws:…``) are kept.
    """
    changed, removed = compare_aws_tags(boto3_tag_list_to_ansible_dict(current), wanted, purge_tags=True)
    if removed and not check_mode:
        untag(removed)
    if changed and not check_mode:
        tag(ansible_dict_to_boto3_tag_list(changed))
    return bool(changed or removed)
