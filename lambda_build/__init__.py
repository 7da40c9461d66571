"""The two Lambda functions: their handlers, and what packs them."""
