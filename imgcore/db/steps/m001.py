"""The images, their tasks, and what the pipeline needs beside them."""

from __future__ import annotations

from imgcore.db.schema import Schema


def m001_images_and_tasks(schema: Schema) -> None:
    """Images and their tasks, the circuit breakers, and the view ``captions`` with the seven public columns."""
    # listed_id: the id again while the gallery lists the row, else NULL. A page is a range of this one index,
    # however deep it is and however full the trash is. (With a flag and the id in one index, MariaDB uses the
    # flag alone and reads every row down to the page.)
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS images (
          id {serial},
          public_id {word} NOT NULL UNIQUE,
          image_key {key} NOT NULL UNIQUE,
          owner_id {int} NULL,
          name {name} NOT NULL,
          upload_status {word} NOT NULL,
          uploaded_at {time} NOT NULL,
          upload_expires_at {time} NOT NULL,
          checked_at {time} NULL,
          deleted_at {time} NULL,
          listed_id {int} NULL UNIQUE,
          etag {name} NULL,
          version_id {text} NULL,
          sequencer {name} NULL,
          media_type {word} NULL,
          size {int} NULL,
          width {int} NULL,
          height {int} NULL,
          format {word} NULL,
          sha256 {word} NULL,
          taken_at {time} NULL,
          camera {name} NULL,
          caption {text} NULL,
          alt_text {text} NULL,
          tags {text} NULL,
          visible_text {text} NULL,
          safety {word} NULL,
          source {word} NULL,
          model {name} NULL,
          prompt_version {word} NULL,
          input_tokens {int} NULL,
          output_tokens {int} NULL,
          price_usd {real} NULL,
          caption_generated_at {time} NULL,
          thumbnail_key {key} NULL,
          thumbnail_2x_key {key} NULL,
          display_key {key} NULL,
          display_width {int} NULL,
          display_height {int} NULL,
          placeholder {text} NULL,
          thumbnail_generated_at {time} NULL,
          search_text {text} NOT NULL,
          CONSTRAINT images_upload_status CHECK
            (upload_status IN ('awaiting', 'received', 'rejected', 'expired')),
          CONSTRAINT images_listed CHECK
            (listed_id IS NULL OR (deleted_at IS NULL AND upload_status <> 'expired')),
          CONSTRAINT images_source CHECK (source IN ('human', 'gemini', 'embedded', 'local')),
          CONSTRAINT images_safety CHECK (safety IN ('ok', 'sensitive', 'unsafe')),
          CONSTRAINT images_words CHECK
            ((caption IS NULL AND alt_text IS NULL AND tags IS NULL) = (source IS NULL)),
          CONSTRAINT images_caption_time CHECK (caption IS NULL OR caption_generated_at IS NOT NULL),
          CONSTRAINT images_thumbnail_time CHECK
            ((thumbnail_key IS NULL) = (thumbnail_generated_at IS NULL))
        ) {options}
        """
    )
    schema.index("images_upload", "images", "upload_status, uploaded_at")
    schema.index("images_deleted", "images", "deleted_at")
    _tasks(schema)
    _outbox_and_gates(schema)
    schema.run(
        """
        {create_view} captions AS
        SELECT id, image_key, caption, thumbnail_key, uploaded_at, caption_generated_at, thumbnail_generated_at
        FROM images WHERE deleted_at IS NULL AND upload_status = 'received'
        """
    )


def _tasks(schema: Schema) -> None:
    # next_at: of a pending task: since when it can be claimed (NULL until the upload is received);
    #          of a retry: when it is due. The sweeper's index needs no other time.
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS tasks (
          image_id {int} NOT NULL,
          kind {word} NOT NULL,
          status {word} NOT NULL,
          attempts {int} NOT NULL DEFAULT 0,
          lease_token {word} NULL,
          lease_until {time} NULL,
          next_at {time} NULL,
          dispatched_at {time} NULL,
          error {word} NULL,
          message {text} NULL,
          started_at {time} NULL,
          finished_at {time} NULL,
          PRIMARY KEY (image_id, kind),
          CONSTRAINT tasks_image FOREIGN KEY (image_id) REFERENCES images (id) ON DELETE CASCADE,
          CONSTRAINT tasks_kind CHECK (kind IN ('thumbnail', 'caption')),
          CONSTRAINT tasks_status CHECK
            (status IN ('pending', 'processing', 'retry', 'done', 'failed', 'blocked', 'skipped')),
          CONSTRAINT tasks_attempts CHECK (attempts >= 0),
          CONSTRAINT tasks_token CHECK ((status = 'processing') = (lease_token IS NOT NULL)),
          CONSTRAINT tasks_lease CHECK ((status = 'processing') = (lease_until IS NOT NULL)),
          CONSTRAINT tasks_retry CHECK (status <> 'retry' OR next_at IS NOT NULL),
          CONSTRAINT tasks_reason CHECK
            ((status IN ('retry', 'failed', 'blocked', 'skipped')) = (error IS NOT NULL)),
          CONSTRAINT tasks_finished CHECK
            ((status IN ('done', 'failed', 'blocked', 'skipped')) = (finished_at IS NOT NULL))
        ) {options}
        """
    )
    schema.index("tasks_open", "tasks", "status, next_at")


def _outbox_and_gates(schema: Schema) -> None:
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS outbox (
          id {serial},
          image_id {int} NOT NULL,
          kind {word} NOT NULL,
          created_at {time} NOT NULL,
          sent_at {time} NULL,
          CONSTRAINT outbox_once UNIQUE (image_id, kind),
          CONSTRAINT outbox_image FOREIGN KEY (image_id) REFERENCES images (id) ON DELETE CASCADE
        ) {options}
        """
    )
    schema.index("outbox_unsent", "outbox", "sent_at, id")
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS gates (
          name {word} NOT NULL PRIMARY KEY,
          closed_until {time} NULL,
          reason {word} NULL,
          message {text} NULL,
          CONSTRAINT gates_reason CHECK ((closed_until IS NULL) = (reason IS NULL))
        ) {options}
        """
    )
