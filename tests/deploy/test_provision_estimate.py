"""The estimate: arithmetic over the table of prices, and the playbook that needs no account."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from tests.deploy.plays import run_playbook
from tests.loading import module_at

ROOT = Path(__file__).parents[2]
ROLE = ROOT / "roles/estimate"
PRICES = yaml.safe_load((ROLE / "files/prices.yml").read_text())


@pytest.fixture(scope="module")
def estimate() -> ModuleType:
    """The filters."""
    return module_at(ROLE / "filter_plugins/estimate.py")


def settings(**changed: Any) -> dict[str, Any]:
    """Those of a small gallery."""
    return {
        "region": "us-east-1",
        "zones": 2,
        "nat": "one",
        "interface_endpoints": 0,
        "database_class": "db.t4g.micro",
        "multi_az": False,
        "database_gb": 20,
        "function_mb": 1769,
        "cloudfront": False,
        "bastion": False,
        "bastion_type": "t4g.nano",
        "host_type": "t3.micro",
        "host_credits": "unlimited",
        "hosts": 1,
        "images": 3,
        "flow_log_gb": 1.0,
        "alarms": 26,
        "metrics": 6,
        "secrets": 5,
        "photos": 5000,
        "megabytes": 4.0,
        "stored": 20000,
        "views": 100_000,
        "surplus_hours": 0,
        "log_gb": 2.0,
        **changed,
    }


def test_second_nat_gateway_adds_hours_and_address(estimate: ModuleType) -> None:
    more = estimate.total(settings(nat="per_zone"), PRICES) - estimate.total(settings(), PRICES)
    assert pytest.approx(730 * (0.045 + 0.005)) == more


def test_standby_doubles_database_and_storage(estimate: ModuleType) -> None:
    more = estimate.total(settings(multi_az=True), PRICES) - estimate.total(settings(), PRICES)
    assert pytest.approx(730 * 0.016 + 20 * 0.115) == more


def test_private_load_balancer_behind_cloudfront_has_no_public_addresses(estimate: ModuleType) -> None:
    """The traffic is within CloudFront's free tier."""
    less = estimate.total(settings(), PRICES) - estimate.total(settings(cloudfront=True), PRICES)
    assert pytest.approx(2 * 730 * 0.005) == less


def test_estimate_counts_what_cloudfront_serves_beyond_its_free_tier(estimate: ModuleType) -> None:
    busy = settings(cloudfront=True, views=40_000_000)
    items = [item for item in estimate.items(busy, PRICES) if item.name == "CloudFront"]
    expected = (200 - 10) * 2.2 + (40_000_000 * 0.05 / 1024 - 1024) * 0.12
    assert [pytest.approx(expected)] == [item.dollars for item in items]


def test_estimate_without_nat_counts_required_endpoints(estimate: ModuleType) -> None:
    endpoints = [
        item for item in estimate.items(settings(nat="none"), PRICES) if item.name == "Interface endpoints"
    ]
    assert [pytest.approx(8 * 730 * 0.01)] == [endpoint.dollars for endpoint in endpoints]


def test_estimate_counts_the_snapshots_of_the_images(estimate: ModuleType) -> None:
    more = estimate.total(settings(images=5), PRICES) - estimate.total(settings(), PRICES)
    assert pytest.approx(2 * 8 * 0.05) == more


@pytest.mark.parametrize(("kind", "price"), [("t3.micro", 0.05), ("t4g.small", 0.04)])
def test_estimate_counts_and_names_cpu_beyond_the_credits(
    estimate: ModuleType, kind: str, price: float
) -> None:
    bill = estimate.items(settings(host_type=kind, surplus_hours=100), PRICES)
    (item,) = (item for item in bill if item.name == "CPU beyond the credits")
    assert (f"100 vCPU h at {price:.2f}", pytest.approx(100 * price)) == (item.quantity, item.dollars)


def test_estimate_of_hosts_with_standard_credits_has_no_cpu_beyond_them(estimate: ModuleType) -> None:
    usual, slow = estimate.items(settings(), PRICES), estimate.items(settings(host_credits="standard"), PRICES)
    assert ["CPU beyond the credits"] == [item.name for item in usual if item not in slow]


def test_every_region_has_every_price_or_says_that_it_is_not_known() -> None:
    """A key that is forgotten would stop the estimate in that region."""
    assert len(PRICES["regions"]) >= 12
    first = PRICES["regions"]["us-east-1"]
    for prices in PRICES["regions"].values():
        assert list(prices) == list(first)
        for table in ("database_hour", "host_hour"):
            assert list(prices[table]) == list(first[table])
    assert None not in first.values()


def test_no_region_is_cheaper_than_half_or_dearer_than_twice_virginia() -> None:
    """A slip of a digit would show."""
    first = PRICES["regions"]["us-east-1"]
    for prices in PRICES["regions"].values():
        ratios = [price / first[name] for name, price in prices.items() if isinstance(price, float)]
        for table in ("database_hour", "host_hour"):
            ratios += [price / first[table][kind] for kind, price in prices[table].items()]
        assert min(ratios) >= 0.5
        assert max(ratios) <= 2


def test_unknown_price_is_named_and_left_out_of_the_sum(estimate: ModuleType) -> None:
    lines = estimate.monthly_cost(settings(region="us-west-1"), PRICES)
    assert next(line for line in lines if line.startswith("Database storage")).endswith("not known")
    assert "Database storage" in lines[-1]
    assert lines[-2].startswith("A month, at least, in US dollars")
    assert estimate.side_by_side(settings(region="us-west-1"), PRICES)[0].startswith("at least")
    assert not estimate.side_by_side(settings(), PRICES)[0].strip().startswith("at least")
    same = {**PRICES["regions"]["us-west-1"], "database_gb_month": 0.1}
    known = {**PRICES, "regions": {"us-west-1": same}}
    more = estimate.total(settings(region="us-west-1"), known)
    assert pytest.approx(20 * 0.1) == more - estimate.total(settings(region="us-west-1"), PRICES)


def test_unknown_price_of_nothing_is_no_gap(estimate: ModuleType) -> None:
    """Traffic within the free gigabytes costs nothing, whatever the price."""
    lines = estimate.monthly_cost(settings(region="us-west-1", views=1), PRICES)
    assert "internet" not in lines[-1]


def test_total_is_the_sum_of_the_items(estimate: ModuleType) -> None:
    lines = estimate.monthly_cost(settings(), PRICES)
    figures = [float(line.split()[-1]) for line in lines[1:-2]]
    assert pytest.approx(sum(figures), abs=0.1) == float(lines[-1].split()[-1])


def test_items_without_usage_are_not_negative(estimate: ModuleType) -> None:
    quiet = settings(views=0, photos=0, stored=0, metrics=0)
    assert [] == [item for item in estimate.items(quiet, PRICES) if item.dollars < 0]


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"region": "xx-north-1"}, "xx-north-1"),
        ({"database_class": "db.x9.huge"}, "db.x9.huge"),
        ({"host_type": "t9.huge"}, "t9.huge"),
    ],
)
def test_missing_price_raises_with_its_name(estimate: ModuleType, changed: dict[str, str], named: str) -> None:
    with pytest.raises(AnsibleFilterError, match=named):
        estimate.monthly_cost(settings(**changed), PRICES)


@pytest.mark.parametrize(
    ("env", "more", "chosen", "region"),
    [
        ("staging", (), "one zone", "us-east-1"),
        ("production", (), "Multi-AZ", "eu-west-2"),
        ("production", ("-i", "inventory/free"), "one zone", "ap-northeast-1"),
    ],
)
def test_estimate_playbook_runs_without_credentials(
    env: str, more: tuple[str, ...], chosen: str, region: str, tmp_path: Path
) -> None:
    output = run_playbook(
        "playbooks/estimate.yml", *more, "-e", f"region={region}", home=tmp_path, inventory=env, timeout=120
    )
    starred = [
        line for line in output.splitlines() if "*" in line and ("one zone" in line or "Multi-AZ" in line)
    ]
    assert [chosen] == [line.strip().strip('"').rsplit("  ")[0].strip() for line in starred]
    assert f"{region}, list prices as of" in output
    assert ("The sum leaves out" in output) == (None in needed(region).values())


def needed(region: str) -> dict[str, float | None]:
    """Return the prices of a region that the estimates need, which is all but traffic beyond the free one."""
    return {name: price for name, price in PRICES["regions"][region].items() if name != "internet_gb"}
