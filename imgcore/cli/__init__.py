"""The command line: ``imgcore caption``, ``thumbnail``, ``migrate``, ``user`` and so on."""
