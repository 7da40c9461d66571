"""Texts that people and attackers write as names, captions and tags."""

from __future__ import annotations

PATHS = (
    "../../etc/passwd",
    "/etc/passwd",
    "C:\\Windows\\system.ini",
    "..",
    ".",
    "con",
    "a/b",
    "a\\b",
    "~/.ssh/id_rsa",
    "file:///etc/passwd",
)
MARKUP = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}",
    "% import os",
    "</title>",
    "&lt;b&gt;",
    "' OR 1=1 --",
    '=HYPERLINK("http://evil.example")',
    "]]>",
)
UNICODE = (
    "عنوان الألبوم",
    "\u202egpj.exe",  # turns the direction of what follows
    "👩\u200d👩\u200d👧\u200d👦 family",
    "e\u0301te\u0301",
    "\U0001f1e6\U0001f1f9",
    "a\u200bb",
    "\ufeffbom",
    "Ærø 日本語",
)
TEXTS = PATHS + MARKUP + UNICODE
