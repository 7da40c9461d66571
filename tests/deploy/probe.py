"""A function in place of the real ones: makes the calls that it is asked for, with the role that it has."""

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


def handler(event, context):
    """``{"service", "operation", "parameters"}`` → ``{"code"}``, None where the call is allowed.

    A queue's message is done with; anything else that comes is taken for done too.
    """
    if "Records" in event or "task" in event:
        return {"batchItemFailures": []}
    client = boto3.client(event["service"], config=Config(retries={"max_attempts": 0}))
    try:
        getattr(client, event["operation"])(**event["parameters"])
    except ClientError as error:
        return {"code": error.response["Error"]["Code"]}
    return {"code": None}
