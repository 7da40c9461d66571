"""Test playbooks/bake.yml and playbooks/release.yml, from sources to an image to hosts, on the emulator.

The builder is a stand-in too, and so is the role web_host; tests/host proves that one. All failures of a
bake, and releases one after another, are a drill: tests/drills/releases.py.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.deploy.fleet_ground import ALARMS, PREFIX, Done, Ground, ground
from tests.deploy.provision_account import changed, recap

pytestmark = pytest.mark.timeout(1800)  # Ansible on a busy machine
STEPS = [
    "ping",
    "command",
    "command",
    "command",
    "command",
    "systemd_service",
    "uri",
    "systemd_service",
    "command",
]
BASTION = {"bastion_enabled": True, "bastion_key_name": f"{PREFIX}-own"}


@dataclass(frozen=True)
class Story:
    """What was done, in this order, and what was called."""

    aws: Ground
    before: Done  # release.yml --check, without an image
    lost: Done  # bake.yml, the builder lost while web_host is applied
    left: list[str]
    baked: Done
    sent: list[tuple[str, dict]]
    builder: dict[str, str]
    again: tuple[Done, list[str]]
    keyless: tuple[Done, list[str]]  # release.yml with a bastion, whose key pair does not exist
    keyed: Done  # and with --check, where it exists
    first: Done  # release.yml
    template: dict[str, str]
    second: tuple[Done, list[str]]
    checked: tuple[Done, list[str]]
    cooler: tuple[Done, list[str]]  # release.yml with another CPU target
    warmer: tuple[Done, list[str]]  # and as it was
    ahead: tuple[Done, list[str]]  # bake.yml --check, where the sources are newer


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """All of it."""
    with ground(tmp_path_factory.mktemp("fleet") / "home") as aws:

        def watched(done: Done) -> tuple[Done, list[str]]:
            return done, aws.door.writes

        before = aws.roll("--check")
        lost = aws.bake(lost=3)
        left = aws.left() + [image["Name"] for image in aws.images()]
        baked = aws.bake()
        assert baked.returncode == 0, baked.stdout[-3000:] + baked.stderr
        builder, sent = aws.door.asked("RunInstances"), aws.sent()
        again = watched(aws.bake())
        keyless = watched(aws.roll(**BASTION))
        key_pair = {"KeyName": BASTION["bastion_key_name"]}
        aws.client("ec2").create_key_pair(**key_pair)
        keyed = aws.roll("--check", **BASTION)
        aws.client("ec2").delete_key_pair(**key_pair)
        first = aws.roll()
        assert first.returncode == 0, first.stdout[-3000:] + first.stderr
        template = aws.door.asked("CreateLaunchTemplate")
        second, checked = watched(aws.roll()), watched(aws.roll("--check"))
        cooler, warmer = watched(aws.roll(fleet_cpu_target=60)), watched(aws.roll())
        release = aws.release()
        aws.write("2")
        ahead = watched(aws.bake("--check"))
        aws.write("1")
        assert aws.release() == release
        made = (before, lost, left, baked, sent, builder, again)
        released = (keyless, keyed, first, template, second, checked)
        yield Story(aws, *made, *released, cooler, warmer, ahead)


def test_check_mode_without_ami_reports_what_is_missing(story: Story) -> None:
    assert f"an image of the release {story.aws.release()}" in story.before.stdout
    assert 0 == recap(story.before)["failed"]


def test_lost_builder_leaves_nothing_behind(story: Story) -> None:
    assert [] == story.left
    assert 0 != story.lost.returncode
    assert "No AMI was created: the builder did not become a web host" in story.lost.stdout


def test_ami_has_release_in_name_and_tag(story: Story) -> None:
    (image,) = story.aws.images()
    tags = {tag["Key"]: tag["Value"] for tag in image["Tags"]}
    assert f"{PREFIX}-web-{story.aws.release()}" == image["Name"] == tags["Name"]
    assert (story.aws.release(), "ami") == (tags["Release"], tags["Role"])
    assert image["BlockDeviceMappings"][0]["Ebs"]["Encrypted"] is True


def test_bake_removes_the_builder(story: Story) -> None:
    assert [] == story.aws.left()


def test_builder_uses_imdsv2_and_terminates_on_shutdown(story: Story) -> None:
    asked = story.builder
    options = {name: value for name, value in asked.items() if name.startswith("MetadataOptions")}
    assert ("required", "1") == (
        options["MetadataOptions.HttpTokens"],
        options["MetadataOptions.HttpPutResponseHopLimit"],
    )
    assert "terminate" == asked["InstanceInitiatedShutdownBehavior"]
    assert "true" == asked["BlockDeviceMapping.1.Ebs.Encrypted"]
    names = {line.partition("=")[0] for line in base64.b64decode(asked["UserData"]).decode().splitlines()}
    assert not [name for name in names if name.endswith(("PASSWORD", "KEY", "TOKEN", "URL"))]


def test_builder_is_set_up_tested_and_cleaned_in_order(story: Story) -> None:
    assert STEPS == [module for module, _ in story.sent]
    commands = [arguments["argv"] for module, arguments in story.sent if module == "command"]
    assert ["shutdown", "-P", "+60"] == commands[0]
    assert "install" == commands[2][0]
    assert story.aws.release() == commands[2][1]
    assert ["/bin/sh", "-s", "/"] == commands[-1]


def test_second_bake_writes_nothing(story: Story) -> None:
    done, writes = story.again
    assert ([], []) == (changed(done), writes)


def test_check_mode_with_new_sources_reports_a_new_ami(story: Story) -> None:
    done, writes = story.ahead
    assert f"would create the image {PREFIX}-web-" in done.stdout
    assert (0, [], []) == (done.returncode, changed(done), writes)


def test_release_without_the_bastions_key_pair_is_refused_before_it_writes(story: Story) -> None:
    done, writes = story.keyless
    assert f"These are missing: the key pair {BASTION['bastion_key_name']}. Run" in done.stdout
    assert (1, []) == (recap(done)["failed"], writes)


def test_release_accepts_an_existing_key_pair_of_the_bastion(story: Story) -> None:
    assert f"would roll {PREFIX}-web to a new version" in story.keyed.stdout
    assert 0 == recap(story.keyed)["failed"]


def test_first_release_creates_resources_without_refresh(story: Story) -> None:
    made = [task.rpartition("| ")[2] for task in changed(story.first)]
    assert [
        f"service_role : Create the IAM role {PREFIX}-web",
        f"service_role : Create the policy of the IAM role {PREFIX}-web",
        "Create the instance profile",
        "Create a launch template version",
        "Create or update the Auto Scaling group",
    ] == made


def test_group_has_requested_properties(story: Story) -> None:
    group = story.aws.group()
    assert (1, 1, "ELB", 300) == tuple(
        group[name] for name in ("MinSize", "MaxSize", "HealthCheckType", "HealthCheckGracePeriod")
    )
    assert 2 == len(group["VPCZoneIdentifier"].split(","))
    assert "1" == group["LaunchTemplate"]["Version"]
    assert 1 == len(group["TargetGroupARNs"])


def test_group_has_cpu_scaling_policy(story: Story) -> None:
    asked = {"AutoScalingGroupName": f"{PREFIX}-web"}
    (policy,) = story.aws.client("autoscaling").describe_policies(**asked)["ScalingPolicies"]
    tracking = policy["TargetTrackingConfiguration"]
    assert 70 == tracking["TargetValue"]
    assert "ASGAverageCPUUtilization" == tracking["PredefinedMetricSpecification"]["PredefinedMetricType"]


def test_launch_template_is_complete_and_secure(story: Story) -> None:
    (version,) = story.aws.versions()
    data = version["LaunchTemplateData"]
    assert ("required", 1) == (
        data["MetadataOptions"]["HttpTokens"],
        data["MetadataOptions"]["HttpPutResponseHopLimit"],
    )
    assert data["BlockDeviceMappings"][0]["Ebs"]["Encrypted"] is True
    assert data["NetworkInterfaces"][0]["AssociatePublicIpAddress"] is False
    assert (story.aws.images()[0]["ImageId"], "t3.micro") == (data["ImageId"], data["InstanceType"])
    assert "KeyName" not in data


def test_hosts_and_builder_may_use_more_cpu_than_their_credits(story: Story) -> None:
    """They begin with none; and without them, CPU stays below the target that adds hosts."""
    assert "unlimited" == story.template["LaunchTemplateData.CreditSpecification.CpuCredits"]
    assert "unlimited" == story.builder["CreditSpecification.CpuCredits"]


def test_user_data_contains_no_secret(story: Story) -> None:
    text = base64.b64decode(story.aws.versions()[0]["LaunchTemplateData"]["UserData"]).decode()
    user_data = dict(line.split("=", 1) for line in text.splitlines())
    assert f"{PREFIX}/database/app" == user_data["DB_SECRET_ID"]
    assert f"{PREFIX}/web" == user_data["SECRET_KEY_ID"]
    assert {"AWS_REGION", "CAPTION_QUEUE_URL", "DERIVED_BUCKET", "LOG_GROUP", "PORT", "THUMBNAIL_QUEUE_URL",
            "UPLOADS_BUCKET"} <= set(user_data)  # fmt: skip
    assert not [name for name in user_data if name.endswith(("PASSWORD", "KEY", "TOKEN", "DATABASE_URL"))]


def test_second_release_writes_nothing(story: Story) -> None:
    done, writes = story.second
    assert ([], []) == (changed(done), writes)


def test_check_mode_after_release_reports_no_change(story: Story) -> None:
    done, writes = story.checked
    assert (0, [], []) == (recap(done)["failed"], changed(done), writes)


def test_changed_cpu_target_changes_only_the_scaling_policy(story: Story) -> None:
    assert [["PutScalingPolicy"]] * 2 == [writes for _, writes in (story.cooler, story.warmer)]


def test_host_policy_grants_exactly_the_required_actions(story: Story) -> None:
    policy = story.aws.client("iam").get_role_policy(RoleName=f"{PREFIX}-web", PolicyName="work")[
        "PolicyDocument"
    ]
    assert {
        "logs:CreateLogStream", "logs:PutLogEvents", "s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket",
        "s3:PutObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload",
        "secretsmanager:GetSecretValue", "sns:GetSubscriptionAttributes", "sns:Subscribe", "sns:Unsubscribe",
        "sqs:GetQueueAttributes", "sqs:SendMessage",
    } == {action for statement in policy["Statement"] for action in statement["Action"]}  # fmt: skip
    anywhere = [statement["Sid"] for statement in policy["Statement"] if statement["Resource"] == "*"]
    assert ["ManageSubscriptions"] == anywhere  # these actions have no resource types


def test_release_policy_grants_exactly_the_required_actions(story: Story) -> None:
    aws, keys = story.aws, story.aws.keys
    iam = aws.client("iam", keys)
    with pytest.raises(iam.exceptions.ClientError, match="AccessDenied"):
        iam.create_role(RoleName="another", AssumeRolePolicyDocument="{}")
    sqs = aws.client("sqs", keys)
    with pytest.raises(sqs.exceptions.ClientError, match="AccessDenied"):
        sqs.create_queue(QueueName=f"{PREFIX}-another")


def test_release_alarms_exist_in_observability() -> None:
    import yaml

    from tests.cloud import ROOT

    named = yaml.safe_load((ROOT / "roles/fleet/defaults/main.yml").read_text())["fleet_alarms"]
    text = (ROOT / "roles/observability/templates/alarms.yml.j2").read_text()
    assert list(ALARMS) == [name.replace("{{ project }}-{{ env }}", PREFIX) for name in named]
    assert all(f"\n{name.removeprefix(PREFIX + '-')}:\n" in text for name in ALARMS)
