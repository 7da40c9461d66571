"""The handlers that AWS Lambda calls: one module for each function, and what they share."""
