"""The gallery in the browser and its HTTP API: a thin face on imgcore's use cases."""
