"""The migrations, in order. A new one is a module ``mNNN`` beside this file, whose step is named last in STEPS.

MySQL commits each change of the schema by itself, so a step must be able to run again after an interruption.
A step adds freely and drops only what the previous release no longer uses, because that release goes on working
while and after the step is applied. docs/release.md describes the one exception, m004_drop_outbox.
"""

from __future__ import annotations

from imgcore.db.steps.m001 import m001_images_and_tasks
from imgcore.db.steps.m002 import m002_accounts
from imgcore.db.steps.m003 import m003_notices
from imgcore.db.steps.m004 import m004_drop_outbox
from imgcore.db.steps.m005 import m005_model_calls
from imgcore.db.steps.m006 import m006_key_expiry
from imgcore.db.steps.m007 import m007_word_versions
from imgcore.db.steps.m008 import m008_devices
from imgcore.db.steps.m009 import m009_words
from imgcore.db.steps.m010 import m010_campaigns
from imgcore.db.steps.m011 import m011_versions
from imgcore.db.steps.m012 import m012_hint
from imgcore.db.steps.m013 import m013_security_events
from imgcore.db.steps.m014 import m014_quotas
from imgcore.db.steps.m015 import m015_breaker_backoff
from imgcore.db.steps.m016 import m016_sources
from imgcore.db.steps.m017 import m017_timeline
from imgcore.db.steps.m018 import m018_second_factors
from imgcore.db.steps.m019 import m019_albums
from imgcore.db.steps.m020 import m020_shares
from imgcore.db.steps.m021 import m021_languages
from imgcore.db.steps.m022 import m022_details
from imgcore.db.steps.m023 import m023_passkeys
from imgcore.db.steps.m024 import m024_hashes
from imgcore.db.steps.m025 import m025_spend_quotas
from imgcore.db.steps.m026 import m026_batches
from imgcore.db.steps.m027 import m027_filters
from imgcore.db.steps.m028 import m028_sweeps
from imgcore.db.steps.m029 import m029_grid
from imgcore.db.steps.m030 import m030_part_uploads
from imgcore.db.steps.m031 import m031_webhooks
from imgcore.db.steps.m032 import m032_encrypted_secrets
from imgcore.db.steps.m033 import m033_shared_originals
from imgcore.db.steps.m034 import m034_sent_batches
from imgcore.db.steps.m035 import m035_open_calls
from imgcore.db.steps.m036 import m036_image_hashes
from imgcore.db.steps.m037 import m037_pauses
from imgcore.db.steps.m038 import m038_hash_owners
from imgcore.db.steps.m039 import m039_ledger_months
from imgcore.db.steps.m040 import m040_page_keys
from imgcore.db.steps.m041 import m041_security_event_names
from imgcore.db.steps.m042 import m042_local_words
from imgcore.db.steps.m043 import m043_album_removals

STEPS = (
    m001_images_and_tasks,
    m002_accounts,
    m003_notices,
    m004_drop_outbox,
    m005_model_calls,
    m006_key_expiry,
    m007_word_versions,
    m008_devices,
    m009_words,
    m010_campaigns,
    m011_versions,
    m012_hint,
    m013_security_events,
    m014_quotas,
    m015_breaker_backoff,
    m016_sources,
    m017_timeline,
    m018_second_factors,
    m019_albums,
    m020_shares,
    m021_languages,
    m022_details,
    m023_passkeys,
    m024_hashes,
    m025_spend_quotas,
    m026_batches,
    m027_filters,
    m028_sweeps,
    m029_grid,
    m030_part_uploads,
    m031_webhooks,
    m032_encrypted_secrets,
    m033_shared_originals,
    m034_sent_batches,
    m035_open_calls,
    m036_image_hashes,
    m037_pauses,
    m038_hash_owners,
    m039_ledger_months,
    m040_page_keys,
    m041_security_event_names,
    m042_local_words,
    m043_album_removals,
)
