"""Adapters for SQLite, MySQL and MariaDB. Every SQL statement is in this package."""
