"""Objects as the API's JSON and as the pages' texts."""

from web.serializers.accounts import account_json as account_json
from web.serializers.accounts import account_row as account_row
from web.serializers.accounts import account_usage as account_usage
from web.serializers.accounts import key as key
from web.serializers.accounts import quota_rows as quota_rows
from web.serializers.accounts import security_entries as security_entries
from web.serializers.accounts import session as session
from web.serializers.images import alt as alt
from web.serializers.images import blank as blank
from web.serializers.images import card_json as card_json
from web.serializers.images import details as details
from web.serializers.images import image_json as image_json
from web.serializers.images import message as message
from web.serializers.images import retryable as retryable
from web.serializers.images import search_path as search_path
from web.serializers.images import source_label as source_label
from web.serializers.images import status_json as status_json
from web.serializers.images import status_text as status_text
from web.serializers.images import trashed_json as trashed_json
from web.serializers.tiles import changes_json as changes_json
from web.serializers.tiles import pictures as pictures
from web.serializers.tiles import tiles_json as tiles_json
from web.serializers.times import moment as moment
from web.serializers.times import optional_utc as optional_utc
from web.serializers.times import utc as utc
