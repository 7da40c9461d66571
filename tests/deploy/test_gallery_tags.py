"""The comparison of tags that the modules share: what is set, what is removed, and whether that is a change."""

from __future__ import annotations

from unittest.mock import Mock, call

import pytest

from tests.loading import module_at

gallery_tags = module_at("playbooks/module_utils/gallery_tags.py")

CURRENT = [{"Key": "Project", "Value": "p"}, {"Key": "aws:cloudformation:stack-id", "Value": "s"}]


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize(
    ("wanted", "set_tags", "removed"),
    [
        ({"Project": "p"}, {}, []),
        ({"Project": "q"}, {"Project": "q"}, []),
        ({"Project": "p", "Env": "e"}, {"Env": "e"}, []),
        ({}, {}, ["Project"]),
        ({"Env": "e"}, {"Env": "e"}, ["Project"]),
    ],
)
def test_tags_that_differ_are_set_and_others_removed_except_those_of_aws(
    wanted: dict[str, str], set_tags: dict[str, str], removed: list[str], check: bool
) -> None:
    tag, untag = Mock(), Mock()
    changed = gallery_tags.update_tags(CURRENT, wanted, tag, untag, check)
    assert changed is bool(set_tags or removed)
    listed = [{"Key": key, "Value": value} for key, value in set_tags.items()]
    assert ([call(listed)] if set_tags and not check else []) == tag.call_args_list
    assert ([call(removed)] if removed and not check else []) == untag.call_args_list
