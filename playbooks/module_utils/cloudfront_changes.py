"""What the modules distribution and vpc_origin share: CloudFront's lists, tags, and slow deployments."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ansible.module_utils.gallery_tags import update_tags
from botocore.exceptions import BotoCoreError, ClientError

# CloudFront deploys a change in some minutes, a VPC origin in up to 15.
TIMEOUT_SECONDS, PAUSE_SECONDS = 2400, 15

# AWS adds Certificate, CertificateSource and defaults to the certificate in effect, and refuses them beside
# another one (InvalidViewerCertificate).
REPLACED_WHOLE = frozenset({"ViewerCertificate"})
# Fields of which AWS takes those of one set only: the kind of an origin, and how a cache behavior caches.
ALTERNATIVES = (
    (frozenset({"S3OriginConfig"}), frozenset({"CustomOriginConfig"}), frozenset({"VpcOriginConfig"})),
    (frozenset({"CachePolicyId"}), frozenset({"ForwardedValues", "MinTTL", "DefaultTTL", "MaxTTL"})),
)


def shaped(value: Any, key: str = "") -> Any:
    """Return a configuration with each list as CloudFront takes it: ``{"Quantity": …, "Items": […]}``.

    A list under the key Items is one of these already, with a quantity beside it.
    """
    if isinstance(value, dict):
        return {name: shaped(each, name) for name, each in value.items()}
    if not isinstance(value, list):
        return value
    items = [shaped(each) for each in value]
    if key == "Items":
        return items
    return {"Quantity": len(items), **({"Items": items} if items else {})}


def paired(current: list[Any], wanted: list[Any]) -> list[tuple[Any, Any]]:
    """Return each wanted item with its current one, found by its Id, else by its place; None where it is new.

    Origins have an Id and no documented order. The order of cache behaviors is their precedence.
    """
    by_id = {each["Id"]: each for each in current if isinstance(each, dict) and "Id" in each}
    places = [*current, *[None] * len(wanted)]
    return [
        (by_id.get(each["Id"]) if isinstance(each, dict) and "Id" in each else places[number], each)
        for number, each in enumerate(wanted)
    ]


def contains(current: Any, wanted: Any) -> bool:
    """Return whether the current configuration has all that is wanted; it has defaults of AWS beside it.

    CloudFront does not keep the order of lists of plain values, such as methods.
    """
    if isinstance(wanted, dict):
        current = current if isinstance(current, dict) else {}
        return all(contains(current.get(name), each) for name, each in wanted.items())
    if isinstance(wanted, list):
        current = current or []
        if not any(isinstance(each, dict) for each in wanted):
            return sorted(map(str, current)) == sorted(map(str, wanted))
        return len(current) == len(wanted) and all(contains(*pair) for pair in paired(current, wanted))
    return bool(current == wanted)


def excluded(wanted: dict[str, Any]) -> set[str]:
    """Return the fields that AWS does not take beside those that are wanted."""
    return {
        name
        for sets in ALTERNATIVES
        if any(each & wanted.keys() for each in sets)
        for each in sets
        if not each & wanted.keys()
        for name in each
    }


def merged(current: Any, wanted: Any) -> Any:
    """Return the current configuration with what is wanted in its place: an update has to name everything.

    Alternatives to what is wanted are left out.
    """
    if isinstance(wanted, dict) and isinstance(current, dict):
        dropped = excluded(wanted) | wanted.keys()
        kept = {name: each for name, each in current.items() if name not in dropped}
        if wanted.get("Quantity") == 0:
            kept.pop("Items", None)
        return kept | {
            name: each if name in REPLACED_WHOLE else merged(current.get(name), each)
            for name, each in wanted.items()
        }
    if isinstance(wanted, list) and isinstance(current, list):
        return [merged(*pair) for pair in paired(current, wanted)]
    return wanted


def wait_for(read: Callable[[], bool], what: str, timeout: float = TIMEOUT_SECONDS) -> None:
    """Call ``read`` until it returns true. TimeoutError that names ``what`` after the timeout in seconds."""
    deadline = time.monotonic() + timeout
    while not read():
        if time.monotonic() > deadline:
            raise TimeoutError(f"CloudFront has not finished after {timeout:.0f} s: {what}. Run it again.")
        time.sleep(PAUSE_SECONDS)


def set_tags(client: Any, arn: str, tags: dict[str, Any], check_mode: bool) -> bool:
    """Replace the tags of a resource and return whether they differed."""
    current = client.list_tags_for_resource(Resource=arn)["Tags"].get("Items", [])
    return bool(
        update_tags(
            current,
            tags,
            lambda changed: client.tag_resource(Resource=arn, Tags={"Items": changed}),
            lambda removed: client.untag_resource(Resource=arn, TagKeys={"Items": removed}),
            check_mode,
        )
    )


@contextmanager
def report_failures(module: Any, what: str) -> Iterator[None]:
    """Fail the module, naming ``what``, on an error of AWS or a TimeoutError in the block."""
    try:
        yield
    except TimeoutError as error:
        module.fail_json(msg=str(error))
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"Failed to manage {what}")
