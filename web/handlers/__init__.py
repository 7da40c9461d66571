"""The routes: pages and API, by feature."""
