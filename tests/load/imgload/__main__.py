"""``python -m imgload``: the same as the command ``imgload``."""

from imgload.cli import command

command()
