"""The passwords that attackers try first: a package of its own, so that no Lambda zip holds the list."""
