"""The local describer: descriptions without an API key, computed on this machine. Needs imgcore[local]."""

from imgcore.captioning.local.describer import LocalDescriber

__all__ = ["LocalDescriber"]
