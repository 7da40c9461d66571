"""The handlers of pages and API, one module for each feature."""
