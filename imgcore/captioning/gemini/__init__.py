"""Captions, alt texts and tags by Google Gemini. The SDK is imported when a captioner is created."""

from __future__ import annotations

from imgcore.captioning.gemini.captioner import GeminiCaptioner
from imgcore.captioning.retry import Policy

__all__ = ["GeminiCaptioner", "Policy"]
