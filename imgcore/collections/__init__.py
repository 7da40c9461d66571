"""Collections: albums, share links, downloads, and actions on many images."""
