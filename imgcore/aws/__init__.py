"""Adapters for Amazon S3, SQS and SNS. The only importers of boto3 and botocore."""
