"""Images and what people do with them: upload, list, edit, delete."""
