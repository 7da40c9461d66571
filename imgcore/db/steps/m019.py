"""Albums."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m019_albums(schema: Schema) -> None:
    """Albums, the images in them, and the accounts that they are shared with."""
    # added_by has no foreign key: without the account that added it, an image is not shared any more
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS albums (
          id {serial},
          public_id {word} NOT NULL UNIQUE,
          owner_id {int} NULL,
          name {name} NOT NULL,
          description {text} NOT NULL,
          ordering {word} NOT NULL,
          cover_id {int} NULL,
          created_at {time} NOT NULL,
          updated_at {time} NOT NULL,
          CONSTRAINT albums_owner FOREIGN KEY (owner_id) REFERENCES accounts (id) ON DELETE CASCADE,
          CONSTRAINT albums_cover FOREIGN KEY (cover_id) REFERENCES images (id) ON DELETE SET NULL,
          CONSTRAINT albums_ordering CHECK (ordering IN ('date', 'hand'))
        ) {options}
        """
    )
    schema.index("albums_owner_id", "albums", "owner_id, id")
    schema.index("albums_cover_id", "albums", "cover_id")
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS album_images (
          album_id {int} NOT NULL,
          image_id {int} NOT NULL,
          position {int} NOT NULL,
          added_by {int} NULL,
          added_at {time} NOT NULL,
          PRIMARY KEY (album_id, image_id),
          CONSTRAINT album_images_album FOREIGN KEY (album_id) REFERENCES albums (id) ON DELETE CASCADE,
          CONSTRAINT album_images_image FOREIGN KEY (image_id) REFERENCES images (id) ON DELETE CASCADE
        ) {options}
        """
    )
    schema.index("album_images_position", "album_images", "album_id, position")
    schema.index("album_images_image_id", "album_images", "image_id")
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS album_members (
          album_id {int} NOT NULL,
          account_id {int} NOT NULL,
          may {word} NOT NULL,
          PRIMARY KEY (album_id, account_id),
          CONSTRAINT album_members_album FOREIGN KEY (album_id) REFERENCES albums (id) ON DELETE CASCADE,
          CONSTRAINT album_members_account FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE,
          CONSTRAINT album_members_may CHECK (may IN ('view', 'add'))
        ) {options}
        """
    )
    schema.index("album_members_account_id", "album_members", "account_id")
