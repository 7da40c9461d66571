"""Images, hosts and Auto Scaling groups, as AWS has them: further corrections, for aws_corrections.

It has no CreateImage, its groups drop half of their properties, and its instance refresh replaces nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Answer = tuple[int, dict[str, str], bytes]
Action = Callable[[Any], Answer]
DEBIAN = (
    "ami-0deb13a0000000002",
    "debian-13-amd64-20260101-1",
    "Debian 13",
    "",
    "/dev/xvda",
    "136693071363",
    None,
)


def member_lists(params: Any, prefix: str) -> list[str]:
    """The values of ``prefix.member.1`` and so on."""
    found = sorted(key for key in params if re.fullmatch(rf"{re.escape(prefix)}\.member\.\d+", key))
    return [params[key] for key in found]


def machine_images() -> None:
    """CreateImage: an image and a snapshot of the instance's disk, encrypted as the disk is; no name twice."""
    from ministack.services import ec2

    ec2._STUB_AMIS.append(DEBIAN)
    describe: Action = ec2._ACTION_MAP["DescribeImages"]

    def create(params: Any) -> Answer:
        instance = ec2._instances.get(ec2._p(params, "InstanceId"))
        if instance is None or instance["State"]["Name"] not in ("running", "stopped"):
            return ec2._error("InvalidInstanceID.NotFound", "There is no such instance", 400)
        answer = ec2._register_image(params | {"Architecture": "x86_64", "VirtualizationType": "hvm"})
        if found := re.search(r"<imageId>([^<]+)</imageId>", answer[2].decode()):
            volume = ec2._volumes[instance["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]]
            snapshot = ec2._create_snapshot(params | {"VolumeId": volume["VolumeId"]})
            (key,) = re.findall(r"<snapshotId>([^<]+)</snapshotId>", snapshot[2].decode())
            disk = {"SnapshotId": key, "VolumeSize": str(volume["Size"]), "VolumeType": "gp3"}
            mapping = {"DeviceName": "/dev/xvda", "Ebs": disk | {"Encrypted": volume["Encrypted"]}}
            ec2._images[found[1]]["BlockDeviceMappings"] = [mapping]
        return answer

    def extended(found: re.Match[str]) -> str:
        image = ec2._images.get(found[1])
        made = image["CreationDate"] if image else "2026-01-01T00:00:00.000Z"
        return f"{found[0]}<creationDate>{made}</creationDate>"

    def encrypted(found: re.Match[str]) -> str:
        answer = str(ec2._snapshots[found[1]]["Encrypted"]).lower() if found[1] in ec2._snapshots else "false"
        return f"{found[0]}<encrypted>{answer}</encrypted>"

    def corrected(params: Any) -> Answer:
        status, headers, body = describe(params)
        text = re.sub(r"<creationDate>[^<]*</creationDate>", "", body.decode())
        text = re.sub(r"<imageId>([^<]+)</imageId>", extended, text)
        return status, headers, re.sub(r"<snapshotId>([^<]+)</snapshotId>", encrypted, text).encode()

    attribute: Action = ec2._ACTION_MAP["DescribeImageAttribute"]

    def attributes(params: Any) -> Answer:
        if ec2._p(params, "Attribute") != "productCodes":
            return attribute(params)
        return ec2._xml(200, "DescribeImageAttributeResponse", "<productCodes/>")  # images of our own have none

    ec2._ACTION_MAP |= {
        "CreateImage": create,
        "DescribeImages": corrected,
        "DescribeImageAttribute": attributes,
    }


def disks() -> None:
    """RunInstances: AWS encrypts the disk where that was asked for. An image of ours starts as any other."""
    from ministack.services import ec2

    run: Action = ec2._ACTION_MAP["RunInstances"]

    def corrected(params: Any) -> Answer:
        answer = run(params)
        for key in re.findall(r"<instanceId>([^<]+)</instanceId>", answer[2].decode()):
            disk = ec2._instances[key]["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
            asked = ec2._p(params, "BlockDeviceMapping.1.Ebs.Encrypted")
            ec2._volumes[disk]["Encrypted"] = asked.lower() == "true"
        return answer

    ec2._ACTION_MAP["RunInstances"] = corrected


def template_versions() -> None:
    """DeleteLaunchTemplateVersions."""
    from ministack.services import ec2

    def delete(params: Any) -> Answer:
        template = ec2._launch_templates[ec2._p(params, "LaunchTemplateId")]
        gone = ec2._parse_member_list(params, "LaunchTemplateVersion")
        template["Versions"] = [each for each in template["Versions"] if str(each["VersionNumber"]) not in gone]
        items = "".join(f"<item><versionNumber>{number}</versionNumber></item>" for number in gone)
        done = "successfullyDeletedLaunchTemplateVersionSet"
        extended = f"<{done}>{items}</{done}><un{done}/>"
        return ec2._xml(200, "DeleteLaunchTemplateVersionsResponse", extended)

    ec2._ACTION_MAP["DeleteLaunchTemplateVersions"] = delete


def groups() -> None:
    """Auto Scaling groups: AWS remembers target groups, metrics and warm-up, and registers every instance."""
    from ministack.services import alb, autoscaling

    create, update, describe = (
        autoscaling._ACTION_MAP[f"{verb}AutoScalingGroup{s}"]
        for verb, s in (("Create", ""), ("Update", ""), ("Describe", "s"))
    )

    def register(group: Any) -> None:
        for arn in group.get("TargetGroupARNs", []):
            alb._targets[arn] = [{"Id": instance["InstanceId"]} for instance in group["Instances"]]

    def keep(params: Any) -> None:
        if (group := autoscaling._asgs.get(params["AutoScalingGroupName"])) is not None:
            if arns := member_lists(params, "TargetGroupARNs"):
                group["TargetGroupARNs"] = arns
            if "DefaultInstanceWarmup" in params:
                group["DefaultInstanceWarmup"] = params["DefaultInstanceWarmup"]
            register(group)

    def created(params: Any) -> Answer:
        answer = create(params)
        keep(params)
        return answer

    def updated(params: Any) -> Answer:
        answer = update(params)
        keep(params)
        return answer

    def attach(params: Any) -> Answer:
        keep(params)
        action = "AttachLoadBalancerTargetGroups"
        return autoscaling._xml(200, f"{action}Response", f"<{action}Result/>")

    def measure(params: Any) -> Answer:
        metrics = member_lists(params, "Metrics")
        autoscaling._asgs[params["AutoScalingGroupName"]]["EnabledMetrics"] = metrics
        return autoscaling._xml(200, "EnableMetricsCollectionResponse", "")

    def extended(found: re.Match[str]) -> str:
        group = autoscaling._asgs[found[1]]
        arns = "".join(f"<member>{arn}</member>" for arn in group.get("TargetGroupARNs", []))
        metrics = "".join(
            f"<member><Metric>{name}</Metric><Granularity>1Minute</Granularity></member>"
            for name in group.get("EnabledMetrics", [])
        )
        warmup = group.get("DefaultInstanceWarmup")
        return (
            f"{found[0]}<TargetGroupARNs>{arns}</TargetGroupARNs><EnabledMetrics>{metrics}</EnabledMetrics>"
            + (f"<DefaultInstanceWarmup>{warmup}</DefaultInstanceWarmup>" if warmup else "")
        )

    def described(params: Any) -> Answer:
        status, headers, body = describe(params)
        text = re.sub(r"<AutoScalingGroupName>([^<]+)</AutoScalingGroupName>", extended, body.decode())
        text = text.replace("<LaunchConfigurationName></LaunchConfigurationName>", "")
        return status, headers, text.encode()

    autoscaling._ACTION_MAP |= {
        "CreateAutoScalingGroup": created,
        "UpdateAutoScalingGroup": updated,
        "AttachLoadBalancerTargetGroups": attach,
        "EnableMetricsCollection": measure,
        "DescribeAutoScalingGroups": described,
    }


def refreshes() -> None:
    """StartInstanceRefresh: AWS brings the group and its instances to the wanted version of the template."""
    from ministack.services import autoscaling

    start: Action = autoscaling._ACTION_MAP["StartInstanceRefresh"]

    def corrected(params: Any) -> Answer:
        answer = start(params)
        group = autoscaling._asgs.get(params["AutoScalingGroupName"])
        wanted = "DesiredConfiguration.LaunchTemplate."
        if group is not None and f"{wanted}Version" in params:
            fields = ("LaunchTemplateId", "Version")
            group["LaunchTemplate"] = {name: params[wanted + name] for name in fields}
            group["Instances"].clear()
            autoscaling._reconcile_instances(group)
            again = {"AutoScalingGroupName": params["AutoScalingGroupName"]}
            autoscaling._ACTION_MAP["UpdateAutoScalingGroup"](again)
        return answer

    autoscaling._ACTION_MAP["StartInstanceRefresh"] = corrected


def terminations() -> None:
    """TerminateInstances: AWS deletes the disks that were to go with the host."""
    from ministack.services import ec2

    terminate: Action = ec2._ACTION_MAP["TerminateInstances"]

    def corrected(params: Any) -> Answer:
        hosts = [ec2._instances.get(key, {}) for key in ec2._parse_member_list(params, "InstanceId")]
        disks = [disk["Ebs"] for host in hosts for disk in host.get("BlockDeviceMappings", [])]
        answer = terminate(params)
        for disk in disks:
            if answer[0] == 200 and disk.get("DeleteOnTermination"):
                ec2._volumes.pop(disk["VolumeId"], None)
        return answer

    ec2._ACTION_MAP["TerminateInstances"] = corrected


CORRECTIONS = (machine_images, disks, terminations, template_versions, groups, refreshes)
