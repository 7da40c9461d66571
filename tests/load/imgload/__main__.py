"""``python -m imgload``: the same as the command ``imgload``."""

import sys

from imgload.cli import main

sys.exit(main(sys.argv[1:]))
