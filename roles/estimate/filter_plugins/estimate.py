"""Filters monthly_cost and side_by_side: the monthly cost of an inventory, computed from a table of prices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ansible.errors import AnsibleFilterError

Settings = dict[str, Any]
Prices = dict[str, Any]

NATS = ("none", "one", "per_zone")
THUMBNAILS = 30  # per page view of the gallery
THUMBNAIL_MB, DISPLAY_MB = 0.012, 0.25
PAGE_REQUESTS, PAGE_MB = 5, 0.05  # of pages, scripts and styles, most of which a browser has already
# Per photo, rounded up: function seconds, SQS requests, S3 writes, S3 reads.
THUMBNAIL_SECONDS, CAPTION_SECONDS, REQUESTS, WRITES, READS = 1.5, 5.0, 12, 6, 4
POLLS = 2 * 5 * 3 * 43_800  # two queues, five pollers each, three long polls a minute
REQUIRED_ENDPOINTS = 4  # without NAT: Secrets Manager, SQS, SNS and CloudWatch Logs
SWEEPS, SWEEP_SECONDS = 43_800, 0.3
# Dollars for an hour of a vCPU with Linux beyond the CPU credits, in most regions: AWS's announcement of T3 of
# 2018-08; for T4g, merge request 118 of gitlab-org/ci-cd/docker-machine.
SURPLUS = {"t2": 0.05, "t3": 0.05, "t3a": 0.05, "t4g": 0.04}


class Item(NamedTuple):
    """One line of the bill: name, quantity as text, US dollars per month; None if a price is not known."""

    name: str
    quantity: str
    dollars: float | None


def items(settings: Settings, prices: Prices) -> list[Item]:
    """Return every item of the bill. Raises AnsibleFilterError if the table lacks the region or a class."""
    if settings["region"] not in prices["regions"]:
        known = ", ".join(prices["regions"])
        raise AnsibleFilterError(
            f"roles/estimate/files/prices.yml has no prices for {settings['region']}; it has {known}."
        )
    local = {**prices, **prices["regions"][settings["region"]]}
    return [
        *network(settings, local),
        *instances(settings, local),
        *pipeline(settings, local),
        *monitoring(settings, local),
    ]


def cost(*terms: tuple[float, float | None]) -> float | None:
    """Return the sum of quantities times prices; None if the price of a quantity above 0 is not known."""
    dollars = 0.0
    for quantity, price in terms:
        if quantity and price is None:
            return None
        dollars += quantity * (price or 0.0)
    return dollars


def network(settings: Settings, prices: Prices) -> Iterator[Item]:
    """Yield the items of NAT gateways, endpoints, addresses, load balancer, web ACL and traffic."""
    hours, zones = prices["hours_per_month"], settings["zones"]
    gateways = {"none": 0, "one": 1, "per_zone": zones}[settings["nat"]]
    to_gemini_gb = settings["photos"] * 0.4 / 1024  # 0.4 MB: a JPEG of 1536 pixels
    if gateways:
        yield Item(
            f"NAT gateways: {settings['nat']}",
            f"{gateways} × {hours} h",
            cost((gateways * hours, prices["nat_gateway_hour"])),
        )
        traffic = to_gemini_gb + 5
        yield Item("NAT traffic", f"{traffic:.0f} GB", cost((traffic, prices["nat_gateway_gb"])))
    endpoints = max(settings["interface_endpoints"], 0 if gateways else REQUIRED_ENDPOINTS) * zones
    if endpoints:
        yield Item(
            "Interface endpoints",
            f"{endpoints} × {hours} h",
            cost((endpoints * hours, prices["interface_endpoint_hour"])),
        )
    addresses = gateways + (0 if settings["cloudfront"] else zones) + int(settings["bastion"])
    yield Item(
        "Public addresses",
        f"{addresses} × {hours} h",
        cost((addresses * hours, prices["public_address_hour"])),
    )
    yield Item("Load balancer", f"{hours} h", cost((hours, prices["load_balancer_hour"])))
    yield Item(
        "Load balancer's capacity", f"one unit, {hours} h", cost((hours, prices["load_balancer_capacity_hour"]))
    )
    requests = settings["views"] * 2 / 1e6
    yield Item(
        "Web ACL",
        f"one rule, {requests:.1f} M requests",
        cost(
            (1, prices["firewall_month"]),
            (1, prices["firewall_rule_month"]),
            (requests, prices["firewall_million_requests"]),
        ),
    )
    if settings["cloudfront"]:
        yield from distribution(settings, prices)
    out = settings["views"] * (THUMBNAILS * THUMBNAIL_MB + DISPLAY_MB) / 1024
    billed = max(0.0, out - prices["internet_free_gb"])
    yield Item(
        "Traffic to the internet",
        f"{out:.0f} GB, {prices['internet_free_gb']} free",
        cost((billed, prices["internet_gb"])),
    )


def distribution(settings: Settings, prices: Prices) -> Iterator[Item]:
    """Yield the item of CloudFront, which serves pages and static files; photos come from S3."""
    requests, gigabytes = settings["views"] * PAGE_REQUESTS / 1e6, settings["views"] * PAGE_MB / 1024
    billed = max(0.0, requests - prices["cloudfront_free_million_requests"])
    more = max(0.0, gigabytes - prices["cloudfront_free_gb"])
    yield Item(
        "CloudFront",
        f"{gigabytes:.0f} GB and {requests:.1f} M requests",
        cost((billed, prices["cloudfront_million_requests"]), (more, prices["cloudfront_gb"])),
    )


def instances(settings: Settings, prices: Prices) -> Iterator[Item]:
    """Yield the items of the database, the web hosts and the bastion."""
    hours, copies = prices["hours_per_month"], 2 if settings["multi_az"] else 1
    zones = "two zones" if settings["multi_az"] else "one zone"
    kind, gigabytes = settings["database_class"], settings["database_gb"]
    yield Item(
        f"Database {kind}", f"{zones}, {hours} h", cost((copies * hours, _price(prices, "database_hour", kind)))
    )
    yield Item(
        "Database storage", f"{gigabytes} GB, {zones}", cost((copies * gigabytes, prices["database_gb_month"]))
    )
    hosts, kind = settings["hosts"], settings["host_type"]
    hourly = _price(prices, "host_hour", kind)
    yield Item(f"Web hosts {kind}", f"{hosts} × {hours} h", cost((hosts * hours, hourly)))
    surplus = SURPLUS.get(kind.partition(".")[0])
    if surplus and settings["host_credits"] == "unlimited":
        used = settings["surplus_hours"]
        yield Item("CPU beyond the credits", f"{used:g} vCPU h at {surplus:.2f}", cost((used, surplus)))
    yield Item("Volumes of the web hosts", f"{hosts} × 8 GB", cost((hosts * 8, prices["disk_gb_month"])))
    images = settings["images"]
    yield Item("Snapshots of the images", f"{images} × 8 GB", cost((images * 8, prices["snapshot_gb_month"])))
    if settings["bastion"]:
        kind = settings["bastion_type"]
        hourly = _price(prices, "host_hour", kind)
        yield Item(f"Bastion {kind}", f"{hours} h, 8 GB", cost((hours, hourly), (8, prices["disk_gb_month"])))


def pipeline(settings: Settings, prices: Prices) -> Iterator[Item]:
    """Yield the items of functions, messages, buckets and Gemini."""
    photos, gigabytes = settings["photos"], settings["function_mb"] / 1024
    seconds = photos * (THUMBNAIL_SECONDS + CAPTION_SECONDS) + SWEEPS * SWEEP_SECONDS
    calls = (2 * photos + SWEEPS) / 1e6
    yield Item(
        "Functions",
        f"{seconds:,.0f} s of {gigabytes:.1f} GB",
        cost(
            (seconds * gigabytes, prices["function_gb_second"]),
            (calls, prices["function_million_calls"]),
        ),
    )
    requests = (photos * REQUESTS + POLLS) / 1e6
    messages = photos / 1e6
    yield Item(
        "Events and queues",
        f"{requests:.1f} M requests",
        cost((requests, prices["queue_million_requests"]), (messages, prices["topic_million_messages"])),
    )
    stored = settings["stored"] * (settings["megabytes"] + DISPLAY_MB + THUMBNAIL_MB) / 1024
    reads = (photos * READS + settings["views"] * THUMBNAILS) / 1000
    dollars = cost(
        (stored, prices["bucket_gb_month"]),
        (photos * WRITES / 1000, prices["bucket_thousand_writes"]),
        (reads, prices["bucket_thousand_reads"]),
    )
    yield Item("Buckets", f"{stored:.0f} GB", dollars)
    yield Item("Captions by Gemini", f"{photos:,} photos", cost((photos / 1000, prices["caption_thousand"])))


def monitoring(settings: Settings, prices: Prices) -> Iterator[Item]:
    """Yield the items of secrets, logs and alarms."""
    secrets, logs = settings["secrets"], settings["log_gb"] + settings["flow_log_gb"]
    yield Item("Secrets", str(secrets), cost((secrets, prices["secret_month"])))
    yield Item("Logs", f"{logs} GB", cost((logs, prices["log_gb"]), (logs, prices["log_gb_month"])))
    metrics = max(0, settings["metrics"] - prices["metrics_free"])
    yield Item(
        "Alarms",
        str(settings["alarms"]),
        cost((settings["alarms"], prices["alarm_month"]), (metrics, prices["metric_month"])),
    )


def _price(prices: Prices, table: str, kind: str) -> float:
    try:
        return float(prices[table][kind])
    except KeyError:
        known = ", ".join(prices[table])
        raise AnsibleFilterError(
            f"roles/estimate/files/prices.yml has no price for {kind}; it has {known}."
        ) from None


def total(settings: Settings, prices: Prices) -> float:
    """Return the sum of all items in US dollars, without those whose price is not known."""
    return sum(item.dollars or 0.0 for item in items(settings, prices))


def monthly_cost(settings: Settings, prices: Prices) -> list[str]:
    """Return the bill as lines of text, one for each item, with the sum and what it leaves out at the end."""
    bill = items(settings, prices)
    lines = [
        f"{item.name:<28} {item.quantity:<32} "
        + (f"{'not known':>9}" if item.dollars is None else f"{item.dollars:>9.2f}")
        for item in bill
    ]
    unknown = ", ".join(item.name for item in bill if item.dollars is None)
    name = "A month, at least, in US dollars" if unknown else "A month, in US dollars"
    total_line = f"{name:<61} {total(settings, prices):>9.2f}"
    return [
        f"{settings['region']}, list prices as of {prices['as_of']}",
        *lines,
        "-" * len(total_line),
        total_line,
        *([f"The sum leaves out, because their price here is not known: {unknown}"] if unknown else []),
    ]


def side_by_side(settings: Settings, prices: Prices) -> list[str]:
    """Return a table of the sums for every choice of NAT and Multi-AZ; a star marks the inventory's choice."""
    gap = any(item.dollars is None for item in items(settings, prices))
    lines = [f"{'at least' if gap else '':<12}" + "".join(f"{'NAT ' + nat:>16}" for nat in NATS)]
    for multi_az, name in ((False, "one zone"), (True, "Multi-AZ")):
        line = f"{name:<12}"
        for nat in NATS:
            chosen = (nat, multi_az) == (settings["nat"], settings["multi_az"])
            dollars = total({**settings, "nat": nat, "multi_az": multi_az}, prices)
            line += f"{dollars:>15.2f}{'*' if chosen else ' '}"
        lines.append(line.rstrip())
    return lines


class FilterModule:
    """Register the filters with Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"monthly_cost": monthly_cost, "side_by_side": side_by_side}
