"""Adapters for Amazon S3, SQS and SNS. The only importer of botocore."""
