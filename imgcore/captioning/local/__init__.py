"""The keyless default: photographs described on this very machine. Needs the extra ``local``."""

from imgcore.captioning.local.describer import LocalDescriber

__all__ = ["LocalDescriber"]
