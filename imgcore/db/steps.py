"""The migrations, in order. A new one is a function at the end, named in STEPS.

MySQL commits each change of the schema by itself, so a step must be able to run again after an interruption.
A step adds freely and drops only what the previous release no longer uses, because that release goes on working
while and after the step is applied. docs/release.md describes the one exception, m004_drop_outbox.
"""

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


def m002_accounts(schema: Schema) -> None:
    """Accounts, the owner and the batch of an image, and the place where it was taken.

    Images from before have no owner: administrators see them, and everybody in open mode.
    """
    schema.column("images", "batch_id", "{word}")
    schema.column("images", "latitude", "{real}")
    schema.column("images", "longitude", "{real}")
    schema.index("images_owner", "images", "owner_id, listed_id")
    schema.index("images_batch", "images", "batch_id")
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS accounts (
          id {serial},
          public_id {word} NOT NULL UNIQUE,
          name {word} NOT NULL UNIQUE,
          role {word} NOT NULL,
          password {name} NOT NULL,
          created_at {time} NOT NULL,
          password_at {time} NOT NULL,
          CONSTRAINT accounts_role CHECK (role IN ('person', 'administrator'))
        ) {options}
        """
    )
    schema.index("accounts_role_id", "accounts", "role, id")
    _sessions_and_keys(schema)
    _throttles_and_set_up(schema)


def _sessions_and_keys(schema: Schema) -> None:
    # token: the hexadecimal SHA-256 of what the browser or the program holds, never the secret itself
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS sessions (
          id {serial},
          public_id {word} NOT NULL UNIQUE,
          account_id {int} NOT NULL,
          token {word} NOT NULL UNIQUE,
          created_at {time} NOT NULL,
          seen_at {time} NOT NULL,
          expires_at {time} NOT NULL,
          address {word} NOT NULL,
          agent {name} NOT NULL,
          CONSTRAINT sessions_account FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE
        ) {options}
        """
    )
    schema.index("sessions_of", "sessions", "account_id, id")
    schema.index("sessions_expire", "sessions", "expires_at")
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS api_keys (
          id {serial},
          public_id {word} NOT NULL UNIQUE,
          account_id {int} NOT NULL,
          token {word} NOT NULL UNIQUE,
          label {name} NOT NULL,
          scopes {word} NOT NULL,
          hint {word} NOT NULL,
          created_at {time} NOT NULL,
          used_at {time} NULL,
          CONSTRAINT api_keys_account FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE
        ) {options}
        """
    )
    schema.index("api_keys_of", "api_keys", "account_id, id")


def _throttles_and_set_up(schema: Schema) -> None:
    # name: a hash of the account's name or of the client's address
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS throttles (
          name {word} NOT NULL PRIMARY KEY,
          tries {int} NOT NULL,
          blocked_until {time} NULL,
          updated_at {time} NOT NULL
        ) {options}
        """
    )
    schema.index("throttles_updated", "throttles", "updated_at")
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS set_up_tokens (
          token {word} NOT NULL PRIMARY KEY,
          expires_at {time} NOT NULL
        ) {options}
        """
    )


def m003_notices(schema: Schema) -> None:
    """One notification a batch, and the e-mail addresses that notifications are sent to."""
    # name: the owner's id (0 without an owner) and the batch, because UNIQUE ignores NULL. addresses.account_id
    # has no foreign key: the row outlives the account until the address is unsubscribed from the topic.
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS notices (
          id {serial},
          name {name} NOT NULL UNIQUE,
          owner_id {int} NULL,
          batch_id {word} NOT NULL,
          created_at {time} NOT NULL,
          tries {int} NOT NULL DEFAULT 0,
          lease_token {word} NULL,
          lease_until {time} NULL,
          told_at {time} NULL,
          subject {name} NULL,
          body {text} NULL,
          CONSTRAINT notices_owner FOREIGN KEY (owner_id) REFERENCES accounts (id) ON DELETE CASCADE,
          CONSTRAINT notices_told CHECK (told_at IS NULL OR lease_token IS NULL)
        ) {options}
        """
    )
    schema.index("notices_untold", "notices", "told_at, id")
    schema.index("notices_of", "notices", "owner_id, told_at")
    schema.run(
        """
        CREATE TABLE IF NOT EXISTS addresses (
          id {serial},
          account_id {int} NOT NULL,
          address {name} NOT NULL,
          arn {name} NOT NULL UNIQUE,
          asked_at {time} NOT NULL,
          ended_at {time} NULL
        ) {options}
        """
    )
    schema.index("addresses_of", "addresses", "account_id, id")


def m004_drop_outbox(schema: Schema) -> None:
    """Drop the outbox, which nothing reads: the rows of ``notices`` do its work.

    Functions of 0.1.0 that still run while this is applied fail to store their results; the queues deliver
    their messages again, to the functions of this release.
    """
    schema.run("DROP TABLE IF EXISTS outbox")


STEPS = (m001_images_and_tasks, m002_accounts, m003_notices, m004_drop_outbox)
