"""Campaigns: describe many images again, at a rate, each once."""
