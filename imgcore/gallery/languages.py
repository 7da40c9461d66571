"""The languages of captions: their codes and names, and the choice of one for a reader. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from imgcore.errors import Misconfigured

ENGLISH = "en"
MOST = 5  # languages of one gallery: each is paid for with every photo

# ISO 639-1 code: the name in English, as prompts use it, and the language's own name
_NAMES = {
    "ar": ("Arabic", "العربية"), "bg": ("Bulgarian", "Български"), "ca": ("Catalan", "Català"),
    "cs": ("Czech", "Čeština"), "da": ("Danish", "Dansk"), "de": ("German", "Deutsch"),
    "el": ("Greek", "Ελληνικά"), "en": ("English", "English"), "es": ("Spanish", "Español"),
    "et": ("Estonian", "Eesti"), "eu": ("Basque", "Euskara"), "fa": ("Persian", "فارسی"),
    "fi": ("Finnish", "Suomi"), "fr": ("French", "Français"), "ga": ("Irish", "Gaeilge"),
    "he": ("Hebrew", "עברית"), "hi": ("Hindi", "हिन्दी"), "hr": ("Croatian", "Hrvatski"),
    "hu": ("Hungarian", "Magyar"), "id": ("Indonesian", "Bahasa Indonesia"), "is": ("Icelandic", "Íslenska"),
    "it": ("Italian", "Italiano"), "ja": ("Japanese", "日本語"), "ko": ("Korean", "한국어"),
    "lt": ("Lithuanian", "Lietuvių"), "lv": ("Latvian", "Latviešu"), "nl": ("Dutch", "Nederlands"),
    "no": ("Norwegian", "Norsk"), "pl": ("Polish", "Polski"), "pt": ("Portuguese", "Português"),
    "ro": ("Romanian", "Română"), "ru": ("Russian", "Русский"), "sk": ("Slovak", "Slovenčina"),
    "sl": ("Slovenian", "Slovenščina"), "sr": ("Serbian", "Српски"), "sv": ("Swedish", "Svenska"),
    "th": ("Thai", "ไทย"), "tr": ("Turkish", "Türkçe"), "uk": ("Ukrainian", "Українська"),
    "vi": ("Vietnamese", "Tiếng Việt"), "zh": ("Chinese", "中文"),
}  # fmt: skip
_CODES = {name.casefold(): code for code, names in _NAMES.items() for name in names}
_TAG = re.compile(r"([a-z]{2})((?:-[a-z0-9]{2,8})*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Language:
    """One language. name: in English. code: BCP 47; None where it is unknown. own_name: in the language."""

    name: str
    code: str | None
    own_name: str


def parse(text: str) -> tuple[Language, ...]:
    """Return the languages of CAPTION_LANGUAGE, the first of which is the gallery's own.

    text: codes separated by commas ("en,pt-BR"), or names. A single one may have any name. Misconfigured.
    """
    parts = [part for part in (part.strip() for part in text.split(",")) if part]
    found = tuple({language.code or language.name: language for language in map(_language, parts)}.values())
    if not found or len(found) > MOST:
        raise Misconfigured(f"CAPTION_LANGUAGE names {len(found)} languages; 1 to {MOST} are possible.")
    unknown = [language.name for language in found if language.code is None]
    if unknown and len(found) > 1:
        raise Misconfigured(
            f"CAPTION_LANGUAGE names {unknown[0]!r}: separate codes by commas, for example en,de."
        )
    return found


def choose(languages: Sequence[Language], wanted: Iterable[str]) -> str | None:
    """Return the code of the first wanted language that the gallery has, else of the gallery's own.

    wanted: codes, the most wanted first; "de" is also met by "de-AT" and the other way round.
    """
    codes = [language.code for language in languages if language.code is not None]
    for code in wanted:
        for same in (str.lower, _primary):
            for known in codes:
                if same(known) == same(code):
                    return known
    return codes[0] if codes else None


def accepted(header: str) -> list[str]:
    """Return the codes of an Accept-Language header (RFC 9110), the most wanted first."""
    weighted = []
    for part in header.split(",")[:50]:
        code, _, quality = part.strip().partition(";")
        weight = re.fullmatch(r"\s*q=([01](?:\.\d{0,3})?)\s*", quality) if quality else None
        value = float(weight[1]) if weight else 0.0 if quality else 1.0
        if value > 0 and _TAG.fullmatch(code.strip()):
            weighted.append((value, code.strip()))
    return [code for _, code in sorted(weighted, key=lambda one: -one[0])]


def _language(text: str) -> Language:
    tag = _TAG.fullmatch(text)
    code = tag[1].lower() if tag else _CODES.get(text.casefold())
    if code not in _NAMES:
        return Language(text, None, text)
    name, own_name = _NAMES[code]
    if tag is None or not tag[2]:
        return Language(name, code, own_name)
    code += tag[2]
    return Language(f"{name} ({code})", code, f"{own_name} ({code})")


def _primary(code: str) -> str:
    return code.lower().partition("-")[0]
