"""The two Lambda functions: their handlers, and what packs them. A zip holds the handlers alone."""
