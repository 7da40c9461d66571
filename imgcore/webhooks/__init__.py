"""Webhooks: signed HTTP requests that tell other programs what happened to photos."""
