"""OpenAICaptioner: descriptions by a model behind an OpenAI-compatible API."""

from __future__ import annotations

from typing import Any

from imgcore.captioning.model import Key, ModelCaptioner
from imgcore.captioning.openai.client import LOAD_SECONDS, OpenAIClient
from imgcore.captioning.openai.responses import WHO
from imgcore.captioning.retry import Policy
from imgcore.errors import Misconfigured
from imgcore.gallery.models import Source

POLICY = Policy(timeout=LOAD_SECONDS)


class OpenAICaptioner(ModelCaptioner):
    """Describes pictures with one model. May be shared by threads.

    base_url: such as ``http://127.0.0.1:11434/v1``. model: its name there. api_key: if the server requires one.
    options: those of ModelCaptioner, such as ``language``. Misconfigured where a setting cannot be right.
    """

    def __init__(self, *, base_url: str, model: str, api_key: Key | None = None, **options: Any) -> None:
        if not model.isprintable():
            raise Misconfigured("OPENAI_MODEL is not the name of a model.")
        client = OpenAIClient(base_url, api_key.reveal().strip() if api_key is not None else None)
        super().__init__(Source.OPENAI, WHO, [model], client.describe, **{"policy": POLICY, **options})
