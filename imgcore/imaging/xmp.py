"""XMP packets (ISO 16684-1) from untrusted files, with the prefixes that writers use by convention. Pure."""

from __future__ import annotations

import contextlib
from xml.parsers import expat

MAX_TEXT = 8000  # characters
MAX_SUBJECTS = 50
TAKEN = ("exif:DateTimeOriginal", "photoshop:DateCreated")
DIGITIZED = ("exif:DateTimeDigitized", "xmp:CreateDate", "xap:CreateDate")
_DATES = frozenset({*TAKEN, *DIGITIZED})


class _RefusedError(Exception):
    pass


class Packet:
    """Collects dc:description, dc:subject and dates. A document type, and so any entity, is refused.

    captions: the default language first. dates: the property's name → its text.
    """

    def __init__(self) -> None:
        self.captions: list[str] = []
        self.keywords: list[str] = []
        self.dates: dict[str, str] = {}
        self._path: list[str] = []
        self._text = ""
        self._default = False
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters

    def _refuse(self, *_: object) -> None:
        raise _RefusedError

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._path) >= 32:
            raise _RefusedError
        self._path.append(name)
        self._text = ""
        self._default = attributes.get("xml:lang") == "x-default"
        if name == "rdf:Description":
            for key in _DATES & attributes.keys():
                self.dates.setdefault(key, attributes[key][:64])

    def _end(self, name: str) -> None:
        if name == "rdf:li" or name == "dc:description":
            if "dc:description" in self._path and self._text.strip():
                self.captions.insert(0 if self._default else len(self.captions), self._text)
            elif "dc:subject" in self._path and len(self.keywords) < MAX_SUBJECTS:
                self.keywords.append(self._text)
        elif name in _DATES:
            self.dates.setdefault(name, self._text.strip()[:64])
        self._path.pop()
        self._text = ""

    def _characters(self, text: str) -> None:
        if len(self._text) < MAX_TEXT:
            self._text += text


def read_xmp(data: bytes) -> Packet:
    """Return what can be read of a packet. What came before a fault is as good as it would be without it."""
    packet = Packet()
    with contextlib.suppress(expat.ExpatError, _RefusedError, ValueError, LookupError):
        packet.parser.Parse(data.strip(b"\0 \r\n\t"), True)
    return packet
