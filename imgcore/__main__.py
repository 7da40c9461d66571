"""``python -m imgcore`` is ``imgcore``."""

from imgcore.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
