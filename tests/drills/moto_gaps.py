"""moto's server, its gaps filled where AWS documents otherwise: ``python moto_gaps.py --host … --port … …``.

tests/drills/second_emulator.py starts it with the Python of an environment that has moto. Each function below
says what AWS does and which document says so, so that it can go when moto does the same. These variables are
required: ENDPOINT and CA_BUNDLE, where functions reach this server; FUNCTIONS_PYTHON, the interpreter that runs
them; DATABASE_SERVER, mysql://user:password@host:port, the server that stands for every RDS instance;
PYTHONPATH, the repository.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.deploy.balancer_corrections import LOAD_BALANCER_ATTRIBUTES

ACCOUNT = "123456789012"
DEBIAN = "136693071363"  # the account that publishes Debian's images


def images() -> None:
    """EC2 DescribeImages: Debian publishes images in every region (wiki.debian.org/Cloud/AmazonEC2Image)."""
    common = {
        "creation_date": "2026-01-01T00:00:00.000Z",
        "description": "Debian 13",
        "hypervisor": "xen",
        "image_type": "machine",
        "owner_id": DEBIAN,
        "public": True,
        "root_device_name": "/dev/xvda",
        "root_device_type": "ebs",
        "sriov": "simple",
        "state": "available",
        "virtualization_type": "hvm",
    }
    names = {"arm64": "debian-13-arm64-20260101-1", "x86_64": "debian-13-amd64-20260101-1"}
    found = [
        common | {"ami_id": f"ami-{number:017x}", "architecture": kind, "name": name, "image_location": name}
        for number, (kind, name) in enumerate(names.items(), 1)
    ]
    file = Path(tempfile.gettempdir(), "images.json")
    file.write_text(json.dumps(found))
    os.environ["MOTO_AMIS_PATH"] = str(file)  # read while moto is imported


def resource_types() -> None:
    """EC2 DescribeTags: the types are called elastic-ip and natgateway (ResourceType in TagSpecification)."""
    from moto.ec2.models import tags

    named = {"vpc-elastic-ip": "elastic-ip", "nat-gateway": "natgateway"}
    for prefix, name in tags.EC2_PREFIX_TO_RESOURCE.items():
        tags.EC2_PREFIX_TO_RESOURCE[prefix] = named.get(name, name)


def balancer_attributes() -> None:
    """ELB DescribeLoadBalancerAttributes: a new balancer has every attribute (type LoadBalancerAttribute)."""
    from moto.elbv2.models import FakeLoadBalancer

    create = FakeLoadBalancer.__init__

    def corrected(self: Any, *arguments: Any, **named: Any) -> None:
        create(self, *arguments, **named)
        cross_zone = "load_balancing.cross_zone.enabled"
        self.attrs = LOAD_BALANCER_ATTRIBUTES | self.attrs | {cross_zone: LOAD_BALANCER_ATTRIBUTES[cross_zone]}

    FakeLoadBalancer.__init__ = corrected


def firewall() -> None:
    """WAF ListResourcesForWebACL: the ARNs of what a web ACL is associated with (WAFV2 API reference)."""
    from moto.wafv2.responses import WAFV2Response

    def listed(self: Any) -> tuple[int, dict[str, str], str]:
        found = self.wafv2_backend.wacls.get(json.loads(self.body)["WebACLArn"])
        return 200, {}, json.dumps({"ResourceArns": found.associated_resources if found else []})

    WAFV2Response.list_resources_for_web_acl = listed


def queues() -> None:
    """SQS: queues have a RedriveAllowPolicy; SetQueueAttributes keeps what it does not name (API reference)."""
    from moto.sqs.models import Queue

    Queue.BASE_ATTRIBUTES = [*Queue.BASE_ATTRIBUTES, "RedriveAllowPolicy"]
    Queue.redrive_allow_policy = None
    change = Queue._set_attributes

    def corrected(self: Any, attributes: dict[str, Any], now: float | None = None) -> None:
        policy = getattr(self, "policy", None)
        change(self, attributes, now)
        self.policy = attributes.get("Policy", policy)

    Queue._set_attributes = corrected


def mappings() -> None:
    """Lambda ListEventSourceMappings: FunctionName is a name or an ARN, whichever created the mapping."""
    from moto.awslambda.models import LambdaBackend

    list_all = LambdaBackend.list_event_source_mappings

    def name(function: str) -> str:
        return function.rpartition(":function:")[2].partition(":")[0]

    def corrected(self: Any, event_source_arn: str, function_name: str) -> list[Any]:
        found = list_all(self, event_source_arn, None)
        return [each for each in found if not function_name or name(each.function_arn) == name(function_name)]

    LambdaBackend.list_event_source_mappings = corrected


def recursion() -> None:
    """Lambda GetFunctionRecursionConfig, PutFunctionRecursionConfig (API references): Terminate by default."""
    from moto.awslambda.responses import LambdaResponse
    from moto.awslambda.urls import url_paths

    def function(response: Any) -> Any:
        return response.backend.get_function(response.path.split("/")[-2])

    def read(self: Any) -> str:
        return json.dumps({"RecursiveLoop": getattr(function(self), "recursive_loop", "Terminate")})

    def written(self: Any) -> str:
        function(self).recursive_loop = json.loads(self.body)["RecursiveLoop"]
        return read(self)

    LambdaResponse.get_function_recursion_config = read
    LambdaResponse.put_function_recursion_config = written
    path = r"{0}/(?P<api_version>[^/]+)/functions/(?P<function_name>[\w-]+)/recursion-config$"
    url_paths[path] = LambdaResponse.dispatch


def functions() -> None:
    """Lambda Invoke: runs the code of the zip, in a process instead of a container."""
    from moto.awslambda.models import LambdaFunction

    program = (
        "import importlib, json, sys, types\n"
        "module, _, name = sys.argv[1].rpartition('.')\n"
        "context = types.SimpleNamespace(aws_request_id='r', get_remaining_time_in_millis=lambda: 60_000)\n"
        "handler = getattr(importlib.import_module(module.replace('/', '.')), name)\n"
        "print('\\n' + json.dumps(handler(json.load(sys.stdin), context)))\n"
    )

    def environ(function: Any, folder: str) -> dict[str, str]:
        keys = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"), "role")
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": folder,
            "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
            "AWS_REGION": function.region,
            "AWS_DEFAULT_REGION": function.region,
            "AWS_ENDPOINT_URL": os.environ["ENDPOINT"],
            "AWS_CA_BUNDLE": os.environ["CA_BUNDLE"],
            **keys,
            **function.environment_vars,
        }

    def invoked(self: Any, event: Any = None) -> tuple[str, bool, str]:
        with tempfile.TemporaryDirectory() as folder:
            zipfile.ZipFile(io.BytesIO(self.code_bytes)).extractall(folder)
            done = subprocess.run(
                [os.environ["FUNCTIONS_PYTHON"], "-c", program, self.handler],
                input=json.dumps(event or {}),
                env=environ(self, folder),
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
        if done.returncode == 0:
            return done.stdout.splitlines()[-1], False, done.stderr
        kind, _, message = (done.stderr.splitlines() or [""])[-1].partition(": ")
        return json.dumps({"errorType": kind, "errorMessage": message}), True, done.stderr

    LambdaFunction._invoke_lambda = invoked


def databases() -> None:
    """RDS: classes of MySQL, parameters of its family, defaults of gp3, an unknown group, and a real server.

    DescribeDBParameterGroups answers DBParameterGroupNotFound for an unknown name (API reference); gp3 below
    400 GiB has 3,000 operations and 125 MiB a second (RDS User Guide, "gp3 storage").
    """
    import pymysql
    from moto.rds.exceptions import DBParameterGroupNotFoundError
    from moto.rds.models import DBInstance, DBParameterGroup, RDSBackend

    server: Any = urlsplit(os.environ["DATABASE_SERVER"])
    offered, create = RDSBackend.describe_orderable_db_instance_options, RDSBackend.create_db_instance
    listed, create_group = RDSBackend.describe_db_parameter_groups, DBParameterGroup.__init__
    create_instance = DBInstance.__init__
    types = {
        "character_set_server": "string",
        "collation_server": "string",
        "log_output": "string",
        "long_query_time": "float",
        "require_secure_transport": "boolean",
        "slow_query_log": "boolean",
    }

    def options(self: Any, engine: str, engine_version: str) -> list[dict[str, Any]]:
        if engine != "mysql":
            return list(offered(self, engine, engine_version))
        common = {"Engine": engine, "EngineVersion": engine_version, "StorageType": "gp3", "Vpc": True}
        return [common | {"DBInstanceClass": name} for name in ("db.t4g.micro", "db.t4g.small", "db.m7g.large")]

    def group(self: Any, *arguments: Any, **named: Any) -> None:
        create_group(self, *arguments, **named)
        for name, kind in types.items():
            default = {"ParameterName": name, "DataType": kind, "IsModifiable": True}
            self.parameters[name] = default | {"ApplyType": "dynamic", "Source": "engine-default"}

    def groups(self: Any, asked: dict[str, Any]) -> list[Any]:
        found = list(listed(self, asked))
        if (name := asked.get("db_parameter_group_name")) and not found:
            raise DBParameterGroupNotFoundError(name)
        return found

    def instance(self: Any, *arguments: Any, **named: Any) -> None:
        given = {key: value for key, value in named.items() if value is not None}
        gp3 = {"iops": 3000, "storage_throughput": 125} if given.get("storage_type") == "gp3" else {}
        create_instance(self, *arguments, **gp3 | given)

    def created(self: Any, asked: dict[str, Any]) -> Any:
        made = create(self, asked)
        link = pymysql.connect(
            host=server.hostname, port=server.port, user=server.username, password=server.password
        )
        with link, link.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE `{made.db_name}`")
            master = (made.master_username, asked["master_user_password"])
            cursor.execute("CREATE USER %s@'%%' IDENTIFIED BY %s", master)
            cursor.execute("GRANT ALL ON *.* TO %s@'%%' WITH GRANT OPTION", master[:1])
        return made

    RDSBackend.describe_orderable_db_instance_options = options
    RDSBackend.describe_db_parameter_groups, RDSBackend.create_db_instance = groups, created
    DBParameterGroup.__init__, DBInstance.__init__ = group, instance
    DBInstance.endpoint = property(lambda _: {"Address": server.hostname, "Port": server.port})


def missing_operations() -> None:
    """Free Tier GetAccountPlanState, Lambda GetAccountSettings, CloudFront ListVpcOrigins (API references).

    The account is a paid one, and has no VPC origins.
    """
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication

    serve = DomainDispatcherApplication.__call__
    plan = {"accountId": ACCOUNT, "accountPlanType": "PAID", "accountPlanStatus": "ACTIVE"}
    limits = {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000}

    def corrected(self: Any, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if "/freetier/" in environ.get("HTTP_AUTHORIZATION", ""):
            answer: dict[str, Any] = plan
        elif environ["PATH_INFO"] == "/2016-08-19/account-settings":
            answer = {"AccountLimit": limits, "AccountUsage": {"TotalCodeSize": 0, "FunctionCount": 0}}
        elif environ["PATH_INFO"] == "/2020-05-31/vpc-origin":
            start("200 OK", [("Content-Type", "text/xml")])
            return [b"<VpcOriginList><MaxItems>100</MaxItems><Quantity>0</Quantity></VpcOriginList>"]
        else:
            return serve(self, environ, start)  # type: ignore[no-any-return]
        start("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(answer).encode()]

    DomainDispatcherApplication.__call__ = corrected


CORRECTIONS: tuple[Callable[[], None], ...] = (
    images,
    resource_types,
    balancer_attributes,
    firewall,
    queues,
    mappings,
    recursion,
    functions,
    databases,
    missing_operations,
)


if __name__ == "__main__":
    for correct in CORRECTIONS:
        correct()
    from moto.server import main

    main(sys.argv[1:])
