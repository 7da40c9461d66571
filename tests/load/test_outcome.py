"""What is written after a test: seconds, percentiles, plots, the group from CloudWatch."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from PIL import Image

from imgload import outcome, plots, scaling, timeline
from imgload.options import Options, Usage, parse
from imgload.scaling import Scaling
from imgload.timeline import Second

BEGUN = datetime(2025, 5, 1, 12, 0, 30, tzinfo=UTC)
CURVES = Scaling(instances=[(-30.0, 1.0), (90.0, 2.0), (150.0, 3.0)], cpu=[(-30.0, 12.0), (90.0, 95.5)])


def test_a_second_has_its_percentiles() -> None:
    """ab takes the value at that place of the sorted times."""
    rows = timeline.seconds((0.5, float(number), number == 7) for number in range(1, 101))

    assert [Second(0, 100, 1, 51.0, 96.0, 100.0, 100.0)] == rows


def test_a_second_without_requests_is_there() -> None:
    """A gap is a row of zeros."""
    rows = timeline.seconds([(2.1, 5.0, False), (0.0, 4.0, False)])

    assert [(0, 1), (1, 0), (2, 1)] == [(row.second, row.requests) for row in rows]


def test_the_csv_says_what_the_group_was_by_then(tmp_path: Path) -> None:
    """Beside each second the newest known instances and CPU."""
    rows = [Second(number, 1, 0, 1.0, 2.0, 3.0, 4.0) for number in (0, 90, 160)]

    timeline.write_csv(tmp_path / "out.csv", rows, CURVES)

    read = list(csv.DictReader((tmp_path / "out.csv").open()))
    assert [("1", "12"), ("2", "95.5"), ("3", "95.5")] == [
        (row["instances"], row["cpu_percent"]) for row in read
    ]


@pytest.mark.parametrize(("curves", "size"), [(None, (900, 600)), (CURVES, (900, 800))])
def test_the_plot_is_a_picture(tmp_path: Path, curves: Scaling | None, size: tuple[int, int]) -> None:
    """A plot with a group has a third part."""
    rows = [Second(number, number % 7, 0, 1.0, 2.0, 3.0, 4.0) for number in range(200)]

    plots.draw(tmp_path / "plot.png", rows, "a test", curves)

    with Image.open(tmp_path / "plot.png") as picture:
        assert ("PNG", size) == (picture.format, picture.size)
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 20


def cloudwatch() -> Any:
    """boto3's own client; nothing is ever sent."""
    return boto3.client(
        "cloudwatch", region_name="eu-central-1", aws_access_key_id="none", aws_secret_access_key="none"
    )


def answer(instances: list[tuple[int, float]], cpu: list[tuple[int, float]], **more: str) -> dict[str, Any]:
    """CloudWatch's, with values so many seconds after the test began."""
    curves = {"instances": instances, "cpu": cpu}
    results = [
        {
            "Id": name,
            "Timestamps": [BEGUN + timedelta(seconds=second) for second, _ in curve],
            "Values": [value for _, value in curve],
        }
        for name, curve in curves.items()
    ]
    return {"MetricDataResults": results, **more}


def test_the_group_is_asked_for_by_its_name() -> None:
    """Both metrics of the group from the minute before, page by page; checked against AWS's own description."""
    client = cloudwatch()
    dimension = [{"Name": "AutoScalingGroupName", "Value": "gallery-web"}]
    metrics = {
        "instances": {"Namespace": "AWS/AutoScaling", "MetricName": "GroupInServiceInstances"},
        "cpu": {"Namespace": "AWS/EC2", "MetricName": "CPUUtilization"},
    }
    expected = {
        "StartTime": BEGUN - timedelta(seconds=90),
        "EndTime": BEGUN + timedelta(seconds=180),
        "ScanBy": "TimestampAscending",
        "MetricDataQueries": [
            {
                "Id": name,
                "MetricStat": {"Metric": {**metric, "Dimensions": dimension}, "Period": 60, "Stat": "Average"},
            }
            for name, metric in metrics.items()
        ],
    }
    with Stubber(client) as stub:
        stub.add_response("get_metric_data", answer([(-30, 1)], [(-30, 12)], NextToken="more"), expected)
        stub.add_response(
            "get_metric_data", answer([(90, 2), (150, 3)], [(90, 95.5)]), {**expected, "NextToken": "more"}
        )

        found = scaling.fetch(client, "gallery-web", BEGUN, BEGUN + timedelta(seconds=120))

    assert CURVES == found


def test_cloudwatch_is_waited_for() -> None:
    """CloudWatch's figures are late: they are requested until they reach the test's end."""
    client = cloudwatch()
    slept: list[float] = []
    with Stubber(client) as stub:
        stub.add_response("get_metric_data", answer([(-30, 1)], []))
        stub.add_response("get_metric_data", answer([(-30, 1), (90, 3)], [(30, 80), (90, 85)]))

        found = scaling.await_curves(
            client, "gallery-web", BEGUN, BEGUN + timedelta(seconds=120), sleep=slept.append
        )

    assert ([15], (90.0, 3.0)) == (slept, found.instances[-1])


def test_a_group_that_cannot_be_asked_for_costs_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The CSV is written without it, and a sentence says why."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CONFIG_FILE", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    options = parse(["--csv", str(tmp_path / "out.csv"), "--aws", "gallery-web", "http://a/"])

    complaint = outcome.save(options, lambda: [(0.5, 4.0, False)], 0.0)

    assert complaint == "imgload: CloudWatch does not tell of gallery-web: You must specify a region."
    assert 2 == len((tmp_path / "out.csv").read_text().splitlines())


def test_an_open_loop_has_connections_enough() -> None:
    """A thousand where -c says nothing, and never more than there are requests."""
    many, few = parse(["--rate", "500", "http://a/"]), parse(["--rate", "5", "-t", "2", "http://a/"])

    assert (30_000, 1000, 60.0) == (many.requests, many.concurrency, many.time_limit)
    assert (10, 10, 2.0) == (few.requests, few.concurrency, few.time_limit)


def test_an_address_of_ipv6_is_understood() -> None:
    """IPv6 addresses have brackets in the URL and in Host, and none for the resolver."""
    target = parse(["http://[::1]:8080/a?b"]).target

    assert ("::1", 8080, "/a?b", "[::1]:8080") == (target.host, target.port, target.path, target.authority)


def test_two_kinds_of_test_are_not_one() -> None:
    """--users and --rate exclude each other."""
    with pytest.raises(Usage, match="two different tests"):
        parse(["--users", "5", "--rate", "5", "http://a/"])


def test_nothing_asked_for_is_one_request() -> None:
    """ab's own default."""
    assert (1, 1, "GET") == (parse(["a/"]).requests, Options().concurrency, parse(["a/"]).method)
