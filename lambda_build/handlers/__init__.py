"""What AWS Lambda calls: ``lambda_build.handlers.caption.handler`` and the thumbnail's."""
