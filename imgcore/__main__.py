"""``python -m imgcore`` is ``imgcore``."""

from imgcore.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
