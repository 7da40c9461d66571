"""The limits that server and browser share: one file, which both read and the core agrees with."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml

from imgcore.accounts.models import LONGEST_PASSWORD, SHORTEST_PASSWORD
from imgcore.gallery.keys import DISPLAY_SIDE, THUMBNAIL_SIDE
from imgcore.gallery.models import TRASH_SECONDS
from imgcore.gallery.part_models import PART_BYTES
from imgcore.gallery.service import ALT_TEXT_LENGTH, CAPTION_LENGTH, PAGE_LIMIT, QUERY_LENGTH, TAG_LENGTH, TAGS
from tests.web.client import Client
from web.handlers.api import DESCRIPTION
from web.limits import FILE, LIMITS

WEB = Path(__file__).parents[2] / "web"
PAGE_DATA = re.compile(r'<body data-limits="([^"]+)"')
SCRIPTS = "\n".join(path.read_text() for path in (WEB / "static" / "js").rglob("*.js"))
SERVER = "\n".join(path.read_text() for path in (*WEB.rglob("*.tpl"), *WEB.glob("h*/*.py")))


def test_limits_agree_with_the_core() -> None:
    assert (
        PAGE_LIMIT,
        QUERY_LENGTH,
        CAPTION_LENGTH,
        ALT_TEXT_LENGTH,
        TAG_LENGTH,
        TAGS,
        TRASH_SECONDS / 86_400,
        SHORTEST_PASSWORD,
        LONGEST_PASSWORD,
        [THUMBNAIL_SIDE, 2 * THUMBNAIL_SIDE],
        DISPLAY_SIDE,
        PART_BYTES,
    ) == (
        LIMITS.max_ids,
        LIMITS.search_length,
        LIMITS.caption_length,
        LIMITS.alt_text_length,
        LIMITS.tag_length,
        LIMITS.max_tags,
        LIMITS.trash_days,
        LIMITS.min_password_length,
        LIMITS.max_password_length,
        LIMITS.thumbnail_sides,
        LIMITS.display_side,
        LIMITS.part_bytes,
    )


def test_limits_agree_with_the_description_of_the_api() -> None:
    described = yaml.safe_load(DESCRIPTION.read_text("utf-8"))
    schemas = described["components"]["schemas"]
    edit, account = schemas["Edit"]["properties"], schemas["NewAccount"]["properties"]
    query = described["components"]["parameters"]["Query"]
    parameters = [*described["paths"]["/images"]["get"]["parameters"][:2], query]
    listing = {each["name"]: each["schema"] for each in parameters}
    assert (LIMITS.page_size, LIMITS.max_ids) == (listing["limit"]["default"], listing["limit"]["maximum"])
    assert LIMITS.search_length == listing["q"]["maxLength"]
    assert LIMITS.caption_length == edit["caption"]["maxLength"]
    assert LIMITS.alt_text_length == edit["alt_text"]["maxLength"]
    assert (LIMITS.max_tags, LIMITS.tag_length) == (
        edit["tags"]["maxItems"],
        edit["tags"]["items"]["maxLength"],
    )
    assert LIMITS.account_name_length == account["name"]["maxLength"]
    lengths = (account["password"]["minLength"], account["password"]["maxLength"])
    assert (LIMITS.min_password_length, LIMITS.max_password_length) == lengths


def test_page_carries_the_limits_for_its_scripts(client: Client) -> None:
    for path in ("/", "/upload"):
        [text] = PAGE_DATA.findall(client.get(path).text)
        assert json.loads(FILE.read_text()) == json.loads(text.replace("&quot;", '"'))


def test_scripts_use_limits_that_exist() -> None:
    used = set(re.findall(r"\blimits\.(\w+)", SCRIPTS)) - {"js", "json"}
    used |= {
        name
        for names in re.findall(r"const \{([^}]+)\} = limits;", SCRIPTS)
        for name in re.findall(r"(\w+)(?:: \w+)?", names)
        if name.islower()
    }
    assert used
    assert set() == used - json.loads(FILE.read_text()).keys()


def test_every_limit_is_used() -> None:
    assert [] == [name for name in json.loads(FILE.read_text()) if name not in SCRIPTS + SERVER]
