"""What AWS Lambda calls. In a zip this package lies at the top: ``handlers.caption.handler``."""
