"""Captioners: Google Gemini and the local describer, one package each."""
