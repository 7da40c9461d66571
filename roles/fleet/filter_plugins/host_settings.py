"""Filter refused_settings: the settings that a web host would refuse at boot, known before a release."""

from __future__ import annotations

import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROGRAM = Path(__file__).resolve().parents[2] / "web_host/files/settings.py"


def refused_settings(settings: Mapping[str, Any]) -> list[str]:
    """Return a message for each setting that the program of the hosts refuses, or that YAML reads otherwise."""
    program = runpy.run_path(str(PROGRAM))

    def reason(name: str, value: Any) -> str:
        if not program["NAME"].fullmatch(name):
            return f"{name} is not a name of capital letters, digits and underscores"
        if value is None or isinstance(value, bool | list | dict):
            return f'{name} is neither a text nor a number: write it in quotes, such as "on", "1" or ""'
        return str(program["problem"](name, str(value)))

    return [found for name, value in settings.items() if (found := reason(str(name), value))]


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        """Return them by their names."""
        return {"refused_settings": refused_settings}
