"""Share links."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m020_shares(schema: Schema) -> None:
    """Links, by the hash of their token, and the images of those that do not show an album."""
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS shares (
          id {serial},
          public_id {word} NOT NULL UNIQUE,
          token_hash {word} NOT NULL UNIQUE,
          owner_id {int} NULL,
          kind {word} NOT NULL,
          album_id {int} NULL,
          title {name} NOT NULL,
          password {name} NULL,
          download {int} NOT NULL,
          created_at {time} NOT NULL,
          expires_at {time} NOT NULL,
          revoked_at {time} NULL,
          opened {int} NOT NULL,
          last_opened_at {time} NULL,
          CONSTRAINT shares_owner FOREIGN KEY (owner_id) REFERENCES accounts (id) ON DELETE CASCADE,
          CONSTRAINT shares_album FOREIGN KEY (album_id) REFERENCES albums (id) ON DELETE CASCADE,
          CONSTRAINT shares_kind CHECK (kind IN ('image', 'selection', 'album'))
        ) {options}
        """
    )
    schema.index("shares_owner_id", "shares", "owner_id, id")
    schema.index("shares_album_id", "shares", "album_id")
    schema.index("shares_expires_at", "shares", "expires_at")
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS share_images (
          share_id {int} NOT NULL,
          image_id {int} NOT NULL,
          position {int} NOT NULL,
          PRIMARY KEY (share_id, image_id),
          CONSTRAINT share_images_share FOREIGN KEY (share_id) REFERENCES shares (id) ON DELETE CASCADE,
          CONSTRAINT share_images_image FOREIGN KEY (image_id) REFERENCES images (id) ON DELETE CASCADE
        ) {options}
        """
    )
    schema.index("share_images_image_id", "share_images", "image_id")
