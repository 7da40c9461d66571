CREATE TABLE `migrations` (
  `name` varchar(64) NOT NULL,
  `applied_at` datetime(6) NOT NULL,
  PRIMARY KEY (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `images` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `public_id` varchar(64) NOT NULL,
  `image_key` varchar(768) NOT NULL,
  `owner_id` bigint(20) DEFAULT NULL,
  `name` varchar(512) NOT NULL,
  `upload_status` varchar(64) NOT NULL,
  `uploaded_at` datetime(6) NOT NULL,
  `upload_expires_at` datetime(6) NOT NULL,
  `checked_at` datetime(6) DEFAULT NULL,
  `deleted_at` datetime(6) DEFAULT NULL,
  `listed_id` bigint(20) DEFAULT NULL,
  `etag` varchar(512) DEFAULT NULL,
  `version_id` text DEFAULT NULL,
  `sequencer` varchar(512) DEFAULT NULL,
  `media_type` varchar(64) DEFAULT NULL,
  `size` bigint(20) DEFAULT NULL,
  `width` bigint(20) DEFAULT NULL,
  `height` bigint(20) DEFAULT NULL,
  `format` varchar(64) DEFAULT NULL,
  `sha256` varchar(64) DEFAULT NULL,
  `taken_at` datetime(6) DEFAULT NULL,
  `camera` varchar(512) DEFAULT NULL,
  `caption` text DEFAULT NULL,
  `alt_text` text DEFAULT NULL,
  `tags` text DEFAULT NULL,
  `visible_text` text DEFAULT NULL,
  `safety` varchar(64) DEFAULT NULL,
  `source` varchar(64) DEFAULT NULL,
  `model` varchar(512) DEFAULT NULL,
  `prompt_version` varchar(64) DEFAULT NULL,
  `input_tokens` bigint(20) DEFAULT NULL,
  `output_tokens` bigint(20) DEFAULT NULL,
  `price_usd` double DEFAULT NULL,
  `caption_generated_at` datetime(6) DEFAULT NULL,
  `thumbnail_key` varchar(768) DEFAULT NULL,
  `thumbnail_2x_key` varchar(768) DEFAULT NULL,
  `display_key` varchar(768) DEFAULT NULL,
  `display_width` bigint(20) DEFAULT NULL,
  `display_height` bigint(20) DEFAULT NULL,
  `placeholder` text DEFAULT NULL,
  `thumbnail_generated_at` datetime(6) DEFAULT NULL,
  `search_text` text NOT NULL,
  `batch_id` varchar(64) DEFAULT NULL,
  `latitude` double DEFAULT NULL,
  `longitude` double DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `public_id` (`public_id`),
  UNIQUE KEY `image_key` (`image_key`),
  UNIQUE KEY `listed_id` (`listed_id`),
  KEY `images_upload` (`upload_status`,`uploaded_at`),
  KEY `images_deleted` (`deleted_at`),
  KEY `images_owner` (`owner_id`,`listed_id`),
  KEY `images_batch` (`batch_id`),
  CONSTRAINT `images_upload_status` CHECK (`upload_status` in ('awaiting','received','rejected','expired')),
  CONSTRAINT `images_listed` CHECK (`listed_id` is null or `deleted_at` is null and `upload_status` <> 'expired'),
  CONSTRAINT `images_source` CHECK (`source` in ('human','gemini','embedded','local')),
  CONSTRAINT `images_safety` CHECK (`safety` in ('ok','sensitive','unsafe')),
  CONSTRAINT `images_words` CHECK ((`caption` is null and `alt_text` is null and `tags` is null) = (`source` is null)),
  CONSTRAINT `images_caption_time` CHECK (`caption` is null or `caption_generated_at` is not null),
  CONSTRAINT `images_thumbnail_time` CHECK (`thumbnail_key` is null = (`thumbnail_generated_at` is null))
) ENGINE=InnoDB AUTO_INCREMENT=13 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `tasks` (
  `image_id` bigint(20) NOT NULL,
  `kind` varchar(64) NOT NULL,
  `status` varchar(64) NOT NULL,
  `attempts` bigint(20) NOT NULL DEFAULT 0,
  `lease_token` varchar(64) DEFAULT NULL,
  `lease_until` datetime(6) DEFAULT NULL,
  `next_at` datetime(6) DEFAULT NULL,
  `dispatched_at` datetime(6) DEFAULT NULL,
  `error` varchar(64) DEFAULT NULL,
  `message` text DEFAULT NULL,
  `started_at` datetime(6) DEFAULT NULL,
  `finished_at` datetime(6) DEFAULT NULL,
  PRIMARY KEY (`image_id`,`kind`),
  KEY `tasks_open` (`status`,`next_at`),
  CONSTRAINT `tasks_image` FOREIGN KEY (`image_id`) REFERENCES `images` (`id`) ON DELETE CASCADE,
  CONSTRAINT `tasks_kind` CHECK (`kind` in ('thumbnail','caption')),
  CONSTRAINT `tasks_status` CHECK (`status` in ('pending','processing','retry','done','failed','blocked','skipped')),
  CONSTRAINT `tasks_attempts` CHECK (`attempts` >= 0),
  CONSTRAINT `tasks_token` CHECK (`status` = 'processing' = (`lease_token` is not null)),
  CONSTRAINT `tasks_lease` CHECK (`status` = 'processing' = (`lease_until` is not null)),
  CONSTRAINT `tasks_retry` CHECK (`status` <> 'retry' or `next_at` is not null),
  CONSTRAINT `tasks_reason` CHECK (`status` in ('retry','failed','blocked','skipped') = (`error` is not null)),
  CONSTRAINT `tasks_finished` CHECK (`status` in ('done','failed','blocked','skipped') = (`finished_at` is not null))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `outbox` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `image_id` bigint(20) NOT NULL,
  `kind` varchar(64) NOT NULL,
  `created_at` datetime(6) NOT NULL,
  `sent_at` datetime(6) DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `outbox_once` (`image_id`,`kind`),
  KEY `outbox_unsent` (`sent_at`,`id`),
  CONSTRAINT `outbox_image` FOREIGN KEY (`image_id`) REFERENCES `images` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB AUTO_INCREMENT=8 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `gates` (
  `name` varchar(64) NOT NULL,
  `closed_until` datetime(6) DEFAULT NULL,
  `reason` varchar(64) DEFAULT NULL,
  `message` text DEFAULT NULL,
  PRIMARY KEY (`name`),
  CONSTRAINT `gates_reason` CHECK (`closed_until` is null = (`reason` is null))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `accounts` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `public_id` varchar(64) NOT NULL,
  `name` varchar(64) NOT NULL,
  `role` varchar(64) NOT NULL,
  `password` varchar(512) NOT NULL,
  `created_at` datetime(6) NOT NULL,
  `password_at` datetime(6) NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `public_id` (`public_id`),
  UNIQUE KEY `name` (`name`),
  KEY `accounts_role_id` (`role`,`id`),
  CONSTRAINT `accounts_role` CHECK (`role` in ('person','administrator'))
) ENGINE=InnoDB AUTO_INCREMENT=3 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `sessions` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `public_id` varchar(64) NOT NULL,
  `account_id` bigint(20) NOT NULL,
  `token` varchar(64) NOT NULL,
  `created_at` datetime(6) NOT NULL,
  `seen_at` datetime(6) NOT NULL,
  `expires_at` datetime(6) NOT NULL,
  `address` varchar(64) NOT NULL,
  `agent` varchar(512) NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `public_id` (`public_id`),
  UNIQUE KEY `token` (`token`),
  KEY `sessions_of` (`account_id`,`id`),
  KEY `sessions_expire` (`expires_at`),
  CONSTRAINT `sessions_account` FOREIGN KEY (`account_id`) REFERENCES `accounts` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB AUTO_INCREMENT=2 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `api_keys` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `public_id` varchar(64) NOT NULL,
  `account_id` bigint(20) NOT NULL,
  `token` varchar(64) NOT NULL,
  `label` varchar(512) NOT NULL,
  `scopes` varchar(64) NOT NULL,
  `hint` varchar(64) NOT NULL,
  `created_at` datetime(6) NOT NULL,
  `used_at` datetime(6) DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `public_id` (`public_id`),
  UNIQUE KEY `token` (`token`),
  KEY `api_keys_of` (`account_id`,`id`),
  CONSTRAINT `api_keys_account` FOREIGN KEY (`account_id`) REFERENCES `accounts` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB AUTO_INCREMENT=2 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `throttles` (
  `name` varchar(64) NOT NULL,
  `tries` bigint(20) NOT NULL,
  `blocked_until` datetime(6) DEFAULT NULL,
  `updated_at` datetime(6) NOT NULL,
  PRIMARY KEY (`name`),
  KEY `throttles_updated` (`updated_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `set_up_tokens` (
  `token` varchar(64) NOT NULL,
  `expires_at` datetime(6) NOT NULL,
  PRIMARY KEY (`token`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `notices` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `name` varchar(512) NOT NULL,
  `owner_id` bigint(20) DEFAULT NULL,
  `batch_id` varchar(64) NOT NULL,
  `created_at` datetime(6) NOT NULL,
  `tries` bigint(20) NOT NULL DEFAULT 0,
  `lease_token` varchar(64) DEFAULT NULL,
  `lease_until` datetime(6) DEFAULT NULL,
  `told_at` datetime(6) DEFAULT NULL,
  `subject` varchar(512) DEFAULT NULL,
  `body` text DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `name` (`name`),
  KEY `notices_untold` (`told_at`,`id`),
  KEY `notices_of` (`owner_id`,`told_at`),
  CONSTRAINT `notices_owner` FOREIGN KEY (`owner_id`) REFERENCES `accounts` (`id`) ON DELETE CASCADE,
  CONSTRAINT `notices_told` CHECK (`told_at` is null or `lease_token` is null)
) ENGINE=InnoDB AUTO_INCREMENT=4 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE `addresses` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `account_id` bigint(20) NOT NULL,
  `address` varchar(512) NOT NULL,
  `arn` varchar(512) NOT NULL,
  `asked_at` datetime(6) NOT NULL,
  `ended_at` datetime(6) DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `arn` (`arn`),
  KEY `addresses_of` (`account_id`,`id`)
) ENGINE=InnoDB AUTO_INCREMENT=2 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
INSERT INTO migrations (name, applied_at) VALUES ('m001_images_and_tasks', '2025-07-16 04:53:51.597679');
INSERT INTO migrations (name, applied_at) VALUES ('m002_accounts', '2025-07-16 04:53:52.066458');
INSERT INTO migrations (name, applied_at) VALUES ('m003_notices', '2025-07-16 04:53:52.103250');
INSERT INTO images (id, public_id, image_key, owner_id, name, upload_status, uploaded_at, upload_expires_at, checked_at, deleted_at, listed_id, etag, version_id, sequencer, media_type, size, width, height, format, sha256, taken_at, camera, caption, alt_text, tags, visible_text, safety, source, model, prompt_version, input_tokens, output_tokens, price_usd, caption_generated_at, thumbnail_key, thumbnail_2x_key, display_key, display_width, display_height, placeholder, thumbnail_generated_at, search_text, batch_id, latitude, longitude) VALUES (1, '00000000000000000000000000000001', 'raw/00000000000000000000000000000001.jpg', 2, 'done.jpg', 'received', '2025-07-16 04:53:52.203106', '2025-07-16 05:53:52.194405', NULL, NULL, 1, 'etag', 'version', '0055AE', 'image/jpeg', 123456, 4032, 3024, 'JPEG', '0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f', NULL, 'Contoso Phone 7', 'A ginger cat on a wall.', 'Ginger cat.', '[\"cat\", \"wall\"]', 'CAFÉ', 'ok', 'gemini', 'gemini-3.5-flash-lite', '1', 1100, 90, 0.0006e0, '2025-07-16 04:53:52.213208', 'thumbnails/00000000000000000000000000000001/200.webp', 'thumbnails/00000000000000000000000000000001/400.webp', 'display/00000000000000000000000000000001/1600.webp', 1600, 1200, 'data:image/webp;base64,AA', '2025-07-16 04:53:52.209088', 'done.jpg a ginger cat on a wall. ginger cat. cat wall cafe', '11111111-1111-4111-8111-111111111111', NULL, NULL);
INSERT INTO images (id, public_id, image_key, owner_id, name, upload_status, uploaded_at, upload_expires_at, checked_at, deleted_at, listed_id, etag, version_id, sequencer, media_type, size, width, height, format, sha256, taken_at, camera, caption, alt_text, tags, visible_text, safety, source, model, prompt_version, input_tokens, output_tokens, price_usd, caption_generated_at, thumbnail_key, thumbnail_2x_key, display_key, display_width, display_height, placeholder, thumbnail_generated_at, search_text, batch_id, latitude, longitude) VALUES (2, '00000000000000000000000000000002', 'raw/00000000000000000000000000000002.jpg', 1, 'edited.jpg', 'received', '2025-07-16 04:53:52.223094', '2025-07-16 05:53:52.216632', NULL, NULL, 2, 'etag', 'version', '0055AE', 'image/jpeg', 123456, 4032, 3024, 'JPEG', '0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f', NULL, 'Contoso Phone 7', 'Émile’s cat 🐈', 'Ginger cat.', '[\"émile\"]', 'CAFÉ', 'ok', 'human', 'gemini-3.5-flash-lite', '1', 1100, 90, 0.0006e0, '2025-07-16 04:53:52.232721', 'thumbnails/00000000000000000000000000000002/200.webp', 'thumbnails/00000000000000000000000000000002/400.webp', 'display/00000000000000000000000000000002/1600.webp', 1600, 1200, 'data:image/webp;base64,AA', '2025-07-16 04:53:52.228595', 'edited.jpg emile’s cat 🐈 ginger cat. emile cafe', '22222222-2222-4222-8222-222222222222', NULL, NULL);
INSERT INTO images (id, public_id, image_key, owner_id, name, upload_status, uploaded_at, upload_expires_at, checked_at, deleted_at, listed_id, etag, version_id, sequencer, media_type, size, width, height, format, sha256, taken_at, camera, caption, alt_text, tags, visible_text, safety, source, model, prompt_version, input_tokens, output_tokens, price_usd, caption_generated_at, thumbnail_key, thumbnail_2x_key, display_key, display_width, display_height, placeholder, thumbnail_generated_at, search_text, batch_id, latitude, longitude) VALUES (3, '00000000000000000000000000000003', 'raw/00000000000000000000000000000003.jpg', NULL, 'nobody.jpg', 'received', '2025-07-16 04:53:52.245155', '2025-07-16 05:53:52.239554', NULL, NULL, 3, 'etag', 'version', '0055AE', 'image/jpeg', 123456, 4032, 3024, 'JPEG', '0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f', NULL, 'Contoso Phone 7', 'A ginger cat on a wall.', 'Ginger cat.', '[\"cat\", \"wall\"]', '', NULL, 'local', NULL, NULL, NULL, NULL, NULL, '2025-07-16 04:53:52.254762', 'thumbnails/00000000000000000000000000000003/200.webp', 'thumbnails/00000000000000000000000000000003/400.webp', 'display/00000000000000000000000000000003/1600.webp', 1600, 1200, 'data:image/webp;base64,AA', '2025-07-16 04:53:52.250626', 'nobody.jpg a ginger cat on a wall. ginger cat. cat wall', NULL, NULL, NULL);
INSERT INTO images (id, public_id, image_key, owner_id, name, upload_status, uploaded_at, upload_expires_at, checked_at, deleted_at, listed_id, etag, version_id, sequencer, media_type, size, width, height, format, sha256, taken_at, camera, caption, alt_text, tags, visible_text, safety, source, model, prompt_version, input_tokens, output_tokens, price_usd, caption_generated_at, thumbnail_key, thumbnail_2x_key, display_key, display_width, display_height, placeholder, thumbnail_generated_at, search_text, batch_id, latitude, longitude) VALUES (4, '00000000000000000000000000000004', 'raw/00000000000000000000000000000004.jpg', 2, 'pending.jpg', 'received', '2025-07-16 04:53:52.264071', '2025-07-16 05:53:52.257431', NULL, NULL, 4, 'etag', 'version', '0055AE', 'image/jpeg', 123456, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'pending.jpg', '33333333-3333-4333-8333-333333333333', NULL, NULL);
INSERT INTO images (id, public_id, image_key, owner_id, name, upload_status, uploaded_at, upload_expires_at, checked_at, deleted_at, listed_id, etag, version_id, sequencer, media_type, size, width, height, format, sha256, taken_at, camera, caption, alt_text, tags, visible_text, safety, source, model, prompt_version, input_tokens, output_tokens, price_usd, caption_generated_at, thumbnail_key, thumbnail_2x_key, display_key, display_width, display_height, placeholder, thumbnail_generated_at, search_text, batch_id, latitude, longitude) VALUES (5, '00000000000000000000000000000005', 'raw/00000000000000000000000000000005.jpg', 2, 'processing.jpg', 'received', '2025-07-16 04:53:52.272878', '2025-07-16 05:53:52.267192', NULL, NULL, 5, 'etag', 'version', '0055AE', 'image/jpeg', 123456, 4032, 3024, 'JPEG', '0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f', NULL, 'Contoso Phone 7', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'thumbnails/00000000000000000000000000000005/200.webp', 'thumbnails/00000000000000000000000000000005/400.webp', 'display/00000000000000000000000000000005/1600.webp', 1600, 1200, 'data:image/webp;base64,AA', '2025-07-16 04:53:52.278813', 'processing.jpg', '33333333-3333-4333-8333-333333333333', NULL, NULL);
INSERT INTO images (id, public_id, image_key, owner_id, name, upload_status, uploaded_at, upload_expires_at, checked_at, deleted_at, listed_id, etag, version_id, sequencer, media_type, size, width, height, format, sha256, taken_at, camera, caption, alt_text, tags, visible_text, safety, source, model, prompt_version, input_tokens, output_tokens, price_usd, caption_generated_at, thumbnail_key, thumbnail_2x_key, display_key, display_width, display_height, placeholder, thumbnail_generated_at, search_text, batch_id, latitude, longitude) VALUES (6, '00000000000000000000000000000006', 'raw/00000000000000000000000000000006.jpg', 2, 'retry.jpg', 'received', '2025-07-16 04:53:52.287881', '2025-07-16 05:53:52.281813', NULL, NULL, 6, 'etag', 'version', '0055AE', 'image/jpeg', 123456, 4032, 3024, 'JPEG', '0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f', NULL, 'Contoso Phone 7', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'thumbnails/00000000000000000000000000000006/200.webp', 'thumbnails/00000000000000000000000000000006/400.webp', 'display/00000000000000000000000000000006/1600.webp', 1600, 1200, 'data:image/webp;base64,AA', '2025-07-16 04:53:52.292888', 'retry.jpg', '33333333-3333-4333-8333-333333333333', NULL, NULL);
INSERT INTO images (id, public_id, image_key, owner_id, name, upload_status, uploaded_at, upload_expires_at, checked_at, deleted_at, listed_id, etag, version_id, sequencer, media_type, size, width, height, format, sha256, taken_at, camera, caption, alt_text, tags, visible_text, safety, source, model, prompt_version, input_tokens, output_tokens, price_usd, caption_generated_at, thumbnail_key, thumbnail_2x_key, display_key, display_width, display_height, placeholder, thumbnail_generated_at, search_text, batch_id, latitude, longitude) VALUES (7, '00000000000000000000000000000007', 'raw/00000000000000000000000000000007.jpg', 2, 'failed.jpg', 'received', '2025-07-16 04:53:52.303324', '2025-07-16 05:53:52.297235', NULL, NULL, 7, 'etag', 'version', '0055AE', 'image/jpeg', 123456, 4032, 3024, 'JPEG', '0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f', NULL, 'Contoso Phone 7', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'thumbnails/00000000000000000000000000000007/200.webp', 'thumbnails/00000000000000000000000000000007/400.webp', 'display/00000000000000000000000000000007/1600.webp', 1600, 1200, 'data:image/webp;base64,AA', '2025-07-16 04:53:52.308378', 'failed.jpg', '33333333-3333-4333-8333-333333333333', NULL, NULL);
INSERT INTO images (id, public_id, image_key, owner_id, name, upload_status, uploaded_at, upload_expires_at, checked_at, deleted_at, listed_id, etag, version_id, sequencer, media_type, size, width, height, format, sha256, taken_at, camera, caption, alt_text, tags, visible_text, safety, source, model, prompt_version, input_tokens, output_tokens, price_usd, caption_generated_at, thumbnail_key, thumbnail_2x_key, display_key, display_width, display_height, placeholder, thumbnail_generated_at, search_text, batch_id, latitude, longitude) VALUES (8, '00000000000000000000000000000008', 'raw/00000000000000000000000000000008.jpg', 2, 'blocked.jpg', 'received', '2025-07-16 04:53:52.318829', '2025-07-16 05:53:52.313311', NULL, NULL, 8, 'etag', 'version', '0055AE', 'image/jpeg', 123456, 4032, 3024, 'JPEG', '0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f', NULL, 'Contoso Phone 7', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'thumbnails/00000000000000000000000000000008/200.webp', 'thumbnails/00000000000000000000000000000008/400.webp', 'display/00000000000000000000000000000008/1600.webp', 1600, 1200, 'data:image/webp;base64,AA', '2025-07-16 04:53:52.323825', 'blocked.jpg', '33333333-3333-4333-8333-333333333333', NULL, NULL);
INSERT INTO images (id, public_id, image_key, owner_id, name, upload_status, uploaded_at, upload_expires_at, checked_at, deleted_at, listed_id, etag, version_id, sequencer, media_type, size, width, height, format, sha256, taken_at, camera, caption, alt_text, tags, visible_text, safety, source, model, prompt_version, input_tokens, output_tokens, price_usd, caption_generated_at, thumbnail_key, thumbnail_2x_key, display_key, display_width, display_height, placeholder, thumbnail_generated_at, search_text, batch_id, latitude, longitude) VALUES (9, '00000000000000000000000000000009', 'raw/00000000000000000000000000000009.jpg', 2, 'rejected.jpg', 'rejected', '2025-07-16 04:53:52.334624', '2025-07-16 05:53:52.328661', NULL, NULL, 9, 'etag', 'version', '0055AE', 'image/jpeg', 123456, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'rejected.jpg', '33333333-3333-4333-8333-333333333333', NULL, NULL);
INSERT INTO images (id, public_id, image_key, owner_id, name, upload_status, uploaded_at, upload_expires_at, checked_at, deleted_at, listed_id, etag, version_id, sequencer, media_type, size, width, height, format, sha256, taken_at, camera, caption, alt_text, tags, visible_text, safety, source, model, prompt_version, input_tokens, output_tokens, price_usd, caption_generated_at, thumbnail_key, thumbnail_2x_key, display_key, display_width, display_height, placeholder, thumbnail_generated_at, search_text, batch_id, latitude, longitude) VALUES (10, '0000000000000000000000000000000a', 'raw/0000000000000000000000000000000a.jpg', 2, 'awaiting.jpg', 'awaiting', '2025-07-16 04:53:52.341906', '2025-07-16 05:53:52.341906', NULL, NULL, 10, NULL, NULL, NULL, 'image/jpeg', 123456, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'awaiting.jpg', '33333333-3333-4333-8333-333333333333', NULL, NULL);
INSERT INTO images (id, public_id, image_key, owner_id, name, upload_status, uploaded_at, upload_expires_at, checked_at, deleted_at, listed_id, etag, version_id, sequencer, media_type, size, width, height, format, sha256, taken_at, camera, caption, alt_text, tags, visible_text, safety, source, model, prompt_version, input_tokens, output_tokens, price_usd, caption_generated_at, thumbnail_key, thumbnail_2x_key, display_key, display_width, display_height, placeholder, thumbnail_generated_at, search_text, batch_id, latitude, longitude) VALUES (11, '0000000000000000000000000000000b', 'raw/0000000000000000000000000000000b.jpg', 2, 'expired.jpg', 'expired', '2025-07-16 04:53:52.345836', '2025-07-16 04:47:12.345836', NULL, NULL, NULL, NULL, NULL, NULL, 'image/jpeg', 123456, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'expired.jpg', '33333333-3333-4333-8333-333333333333', NULL, NULL);
INSERT INTO images (id, public_id, image_key, owner_id, name, upload_status, uploaded_at, upload_expires_at, checked_at, deleted_at, listed_id, etag, version_id, sequencer, media_type, size, width, height, format, sha256, taken_at, camera, caption, alt_text, tags, visible_text, safety, source, model, prompt_version, input_tokens, output_tokens, price_usd, caption_generated_at, thumbnail_key, thumbnail_2x_key, display_key, display_width, display_height, placeholder, thumbnail_generated_at, search_text, batch_id, latitude, longitude) VALUES (12, '0000000000000000000000000000000c', 'raw/0000000000000000000000000000000c.jpg', 2, 'deleted.jpg', 'received', '2025-07-16 04:53:52.356810', '2025-07-16 05:53:52.351381', NULL, '2025-07-16 04:53:52.369437', NULL, 'etag', 'version', '0055AE', 'image/jpeg', 123456, 4032, 3024, 'JPEG', '0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f', NULL, 'Contoso Phone 7', 'A ginger cat on a wall.', 'Ginger cat.', '[\"cat\", \"wall\"]', 'CAFÉ', 'ok', 'gemini', 'gemini-3.5-flash-lite', '1', 1100, 90, 0.0006e0, '2025-07-16 04:53:52.366893', 'thumbnails/0000000000000000000000000000000c/200.webp', 'thumbnails/0000000000000000000000000000000c/400.webp', 'display/0000000000000000000000000000000c/1600.webp', 1600, 1200, 'data:image/webp;base64,AA', '2025-07-16 04:53:52.362975', 'deleted.jpg a ginger cat on a wall. ginger cat. cat wall cafe', NULL, NULL, NULL);
INSERT INTO tasks (image_id, kind, status, attempts, lease_token, lease_until, next_at, dispatched_at, error, message, started_at, finished_at) VALUES (1, 'caption', 'done', 1, NULL, NULL, NULL, NULL, NULL, NULL, '2025-07-16 04:53:52.211128', '2025-07-16 04:53:52.212708');
INSERT INTO tasks (image_id, kind, status, attempts, lease_token, lease_until, next_at, dispatched_at, error, message, started_at, finished_at) VALUES (1, 'thumbnail', 'done', 1, NULL, NULL, NULL, NULL, NULL, NULL, '2025-07-16 04:53:52.206507', '2025-07-16 04:53:52.208537');
INSERT INTO tasks (image_id, kind, status, attempts, lease_token, lease_until, next_at, dispatched_at, error, message, started_at, finished_at) VALUES (2, 'caption', 'done', 1, NULL, NULL, NULL, NULL, NULL, NULL, '2025-07-16 04:53:52.230410', '2025-07-16 04:53:52.232222');
INSERT INTO tasks (image_id, kind, status, attempts, lease_token, lease_until, next_at, dispatched_at, error, message, started_at, finished_at) VALUES (2, 'thumbnail', 'done', 1, NULL, NULL, NULL, NULL, NULL, NULL, '2025-07-16 04:53:52.226293', '2025-07-16 04:53:52.228135');
INSERT INTO tasks (image_id, kind, status, attempts, lease_token, lease_until, next_at, dispatched_at, error, message, started_at, finished_at) VALUES (3, 'caption', 'done', 1, NULL, NULL, NULL, NULL, NULL, NULL, '2025-07-16 04:53:52.252533', '2025-07-16 04:53:52.254226');
INSERT INTO tasks (image_id, kind, status, attempts, lease_token, lease_until, next_at, dispatched_at, error, message, started_at, finished_at) VALUES (3, 'thumbnail', 'done', 1, NULL, NULL, NULL, NULL, NULL, NULL, '2025-07-16 04:53:52.248249', '2025-07-16 04:53:52.250098');
INSERT INTO tasks (image_id, kind, status, attempts, lease_token, lease_until, next_at, dispatched_at, error, message, started_at, finished_at) VALUES (4, 'caption', 'pending', 0, NULL, NULL, '2025-07-16 04:53:52.264443', NULL, NULL, NULL, NULL, NULL);
INSERT INTO tasks (image_id, kind, status, attempts, lease_token, lease_until, next_at, dispatched_at, error, message, started_at, finished_at) VALUES (4, 'thumbnail', 'pending', 0, NULL, NULL, '2025-07-16 04:53:52.264443', NULL, NULL, NULL, NULL, NULL);
INSERT INTO tasks (image_id, kind, status, attempts, lease_token, lease_until, next_at, dispatched_at, error, message, started_at, finished_at) VALUES (5, 'caption', 'processing', 1, 'b3d150e73aef52cbb8183d1f4e056113', '2025-07-16 04:54:52.280376', NULL, NULL, NULL, NULL, '2025-07-16 04:53:52.280376', NULL);
INSERT INTO tasks (image_id, kind, status, attempts, lease_token, lease_until, next_at, dispatched_at, error, message, started_at, finished_at) VALUES (5, 'thumbnail', 'done', 1, NULL, NULL, NULL, NULL, NULL, NULL, '2025-07-16 04:53:52.276485', '2025-07-16 04:53:52.278391');
INSERT INTO tasks (image_id, kind, status, attempts, lease_token, lease_until, next_at, dispatched_at, error, message, started_at, finished_at) VALUES (6, 'caption', 'retry', 0, NULL, NULL, '2025-07-16 04:54:52.296120', NULL, 'rate_limited', 'Later.', '2025-07-16 04:53:52.294547', NULL);
INSERT INTO tasks (image_id, kind, status, attempts, lease_token, lease_until, next_at, dispatched_at, error, message, started_at, finished_at) VALUES (6, 'thumbnail', 'done', 1, NULL, NULL, NULL, NULL, NULL, NULL, '2025-07-16 04:53:52.290920', '2025-07-16 04:53:52.292490');
INSERT INTO tasks (image_id, kind, status, attempts, lease_token, lease_until, next_at, dispatched_at, error, message, started_at, finished_at) VALUES (7, 'caption', 'failed', 1, NULL, NULL, NULL, NULL, 'bad_answer', 'No caption.', '2025-07-16 04:53:52.310041', '2025-07-16 04:53:52.311602');
INSERT INTO tasks (image_id, kind, status, attempts, lease_token, lease_until, next_at, dispatched_at, error, message, started_at, finished_at) VALUES (7, 'thumbnail', 'done', 1, NULL, NULL, NULL, NULL, NULL, NULL, '2025-07-16 04:53:52.306179', '2025-07-16 04:53:52.307845');
INSERT INTO tasks (image_id, kind, status, attempts, lease_token, lease_until, next_at, dispatched_at, error, message, started_at, finished_at) VALUES (8, 'caption', 'blocked', 1, NULL, NULL, NULL, NULL, 'blocked', 'Declined.', '2025-07-16 04:53:52.325475', '2025-07-16 04:53:52.327042');
INSERT INTO tasks (image_id, kind, status, attempts, lease_token, lease_until, next_at, dispatched_at, error, message, started_at, finished_at) VALUES (8, 'thumbnail', 'done', 1, NULL, NULL, NULL, NULL, NULL, NULL, '2025-07-16 04:53:52.321673', '2025-07-16 04:53:52.323392');
INSERT INTO tasks (image_id, kind, status, attempts, lease_token, lease_until, next_at, dispatched_at, error, message, started_at, finished_at) VALUES (9, 'caption', 'skipped', 0, NULL, NULL, '2025-07-16 04:53:52.335017', NULL, 'not_an_image', 'Not an image.', NULL, '2025-07-16 04:53:52.340270');
INSERT INTO tasks (image_id, kind, status, attempts, lease_token, lease_until, next_at, dispatched_at, error, message, started_at, finished_at) VALUES (9, 'thumbnail', 'skipped', 1, NULL, NULL, NULL, NULL, 'not_an_image', 'Not an image.', '2025-07-16 04:53:52.337696', '2025-07-16 04:53:52.339447');
INSERT INTO tasks (image_id, kind, status, attempts, lease_token, lease_until, next_at, dispatched_at, error, message, started_at, finished_at) VALUES (10, 'caption', 'pending', 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO tasks (image_id, kind, status, attempts, lease_token, lease_until, next_at, dispatched_at, error, message, started_at, finished_at) VALUES (10, 'thumbnail', 'pending', 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO tasks (image_id, kind, status, attempts, lease_token, lease_until, next_at, dispatched_at, error, message, started_at, finished_at) VALUES (11, 'caption', 'pending', 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO tasks (image_id, kind, status, attempts, lease_token, lease_until, next_at, dispatched_at, error, message, started_at, finished_at) VALUES (11, 'thumbnail', 'pending', 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO tasks (image_id, kind, status, attempts, lease_token, lease_until, next_at, dispatched_at, error, message, started_at, finished_at) VALUES (12, 'caption', 'done', 1, NULL, NULL, NULL, NULL, NULL, NULL, '2025-07-16 04:53:52.364739', '2025-07-16 04:53:52.366452');
INSERT INTO tasks (image_id, kind, status, attempts, lease_token, lease_until, next_at, dispatched_at, error, message, started_at, finished_at) VALUES (12, 'thumbnail', 'done', 1, NULL, NULL, NULL, NULL, NULL, NULL, '2025-07-16 04:53:52.360486', '2025-07-16 04:53:52.362461');
INSERT INTO outbox (id, image_id, kind, created_at, sent_at) VALUES (1, 1, 'settled', '2025-07-16 04:53:52.214983', NULL);
INSERT INTO outbox (id, image_id, kind, created_at, sent_at) VALUES (2, 2, 'settled', '2025-07-16 04:53:52.234393', NULL);
INSERT INTO outbox (id, image_id, kind, created_at, sent_at) VALUES (3, 3, 'settled', '2025-07-16 04:53:52.256143', NULL);
INSERT INTO outbox (id, image_id, kind, created_at, sent_at) VALUES (4, 7, 'settled', '2025-07-16 04:53:52.311992', NULL);
INSERT INTO outbox (id, image_id, kind, created_at, sent_at) VALUES (5, 8, 'settled', '2025-07-16 04:53:52.327461', NULL);
INSERT INTO outbox (id, image_id, kind, created_at, sent_at) VALUES (6, 9, 'settled', '2025-07-16 04:53:52.340603', NULL);
INSERT INTO outbox (id, image_id, kind, created_at, sent_at) VALUES (7, 12, 'settled', '2025-07-16 04:53:52.368425', NULL);
INSERT INTO gates (name, closed_until, reason, message) VALUES ('gemini', '2025-07-16 05:53:52.386612', 'key_refused', 'Gemini refuses the key.');
INSERT INTO gates (name, closed_until, reason, message) VALUES ('other', NULL, NULL, NULL);
INSERT INTO accounts (id, public_id, name, role, password, created_at, password_at) VALUES (1, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'ada', 'administrator', 'made-up hash of ada', '2025-07-16 04:53:52.173384', '2025-07-16 04:53:52.173384');
INSERT INTO accounts (id, public_id, name, role, password, created_at, password_at) VALUES (2, 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 'ben', 'person', 'made-up hash of ben', '2025-07-16 04:53:52.175106', '2025-07-16 04:53:52.175106');
INSERT INTO sessions (id, public_id, account_id, token, created_at, seen_at, expires_at, address, agent) VALUES (1, 'cccccccccccccccccccccccccccccccc', 1, 'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd', '2025-07-16 04:53:52.177197', '2025-07-16 04:53:52.177197', '2924-12-10 04:53:52.177197', '192.0.2.1', 'Example/1.0');
INSERT INTO api_keys (id, public_id, account_id, token, label, scopes, hint, created_at, used_at) VALUES (1, 'eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee', 2, 'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', 'script', 'read', 'wxyz', '2025-07-16 04:53:52.178834', NULL);
INSERT INTO throttles (name, tries, blocked_until, updated_at) VALUES ('throttle-name', 1, NULL, '2025-07-16 04:53:52.184259');
INSERT INTO set_up_tokens (token, expires_at) VALUES ('set-up-token', '2924-12-10 04:53:52.186999');
INSERT INTO notices (id, name, owner_id, batch_id, created_at, tries, lease_token, lease_until, told_at, subject, body) VALUES (1, '2:11111111-1111-4111-8111-111111111111', 2, '11111111-1111-4111-8111-111111111111', '2025-07-16 04:53:52.196083', 1, NULL, NULL, '2025-07-16 04:53:52.376794', '1 photograph is ready', 'See the gallery.');
INSERT INTO notices (id, name, owner_id, batch_id, created_at, tries, lease_token, lease_until, told_at, subject, body) VALUES (2, '1:22222222-2222-4222-8222-222222222222', 1, '22222222-2222-4222-8222-222222222222', '2025-07-16 04:53:52.217436', 1, NULL, NULL, '2025-07-16 04:53:52.383331', '1 photograph is ready', 'See the gallery.');
INSERT INTO notices (id, name, owner_id, batch_id, created_at, tries, lease_token, lease_until, told_at, subject, body) VALUES (3, '2:33333333-3333-4333-8333-333333333333', 2, '33333333-3333-4333-8333-333333333333', '2025-07-16 04:53:52.258177', 0, NULL, NULL, NULL, NULL, NULL);
INSERT INTO addresses (id, account_id, address, arn, asked_at, ended_at) VALUES (1, 2, 'ben@example.org', 'arn:aws:sns:eu-central-1:000000000000:notices:1', '2025-07-16 04:53:52.193274', NULL);
CREATE SQL SECURITY INVOKER VIEW `captions` AS select `images`.`id` AS `id`,`images`.`image_key` AS `image_key`,`images`.`caption` AS `caption`,`images`.`thumbnail_key` AS `thumbnail_key`,`images`.`uploaded_at` AS `uploaded_at`,`images`.`caption_generated_at` AS `caption_generated_at`,`images`.`thumbnail_generated_at` AS `thumbnail_generated_at` from `images` where `images`.`deleted_at` is null and `images`.`upload_status` = 'received';
