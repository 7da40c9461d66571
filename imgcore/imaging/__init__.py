"""Decode, check and render image files. The only importer of Pillow."""
