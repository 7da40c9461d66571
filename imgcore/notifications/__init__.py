"""E-mail notifications: their text, and who is subscribed."""
