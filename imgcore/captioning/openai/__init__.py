"""Captions, alt texts and tags by any model with an OpenAI-compatible API, such as one of one's own."""

from __future__ import annotations

from imgcore.captioning.openai.captioner import OpenAICaptioner

__all__ = ["OpenAICaptioner"]
