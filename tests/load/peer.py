"""The usual page to compare with: python -m tests.load.peer

Flask and Jinja2, a database connection for each request, one query for 24 photos, and boto3's presigned URL for
each. Served by waitress, as the gallery is. Prints its port, runs until its standard input ends.
"""

from __future__ import annotations

import os
import sys
import threading
from urllib.parse import unquote, urlsplit

import boto3
import pymysql
from flask import Flask
from waitress.server import create_server

PHOTOS = 24
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Photos</title></head><body><h1>Photos</h1><ul>
{% for photo in photos %}
<li><img src="{{ photo.url }}" alt="{{ photo.alt }}" width="200" height="200" loading="lazy">
<p>{{ photo.caption }}</p></li>
{% endfor %}
</ul></body></html>
"""
_QUERY = (
    "SELECT thumbnail_key, caption, alt_text FROM images WHERE deleted_at IS NULL ORDER BY id DESC LIMIT %s"
)

app = Flask(__name__)
_template = app.jinja_env.from_string(_PAGE)  # compiled once, as a file is
_database = urlsplit(os.environ.get("DATABASE_URL", "mysql://nobody@localhost/none"))
_bucket = os.environ.get("DERIVED_BUCKET", "derived")
_s3 = boto3.client("s3", region_name="eu-central-1")


@app.get("/")
def photos() -> str:
    """Show the newest photos."""
    connection = pymysql.connect(
        host=_database.hostname,
        port=_database.port or 3306,
        user=_database.username,
        password=unquote(_database.password or ""),
        database=_database.path.strip("/"),
        charset="utf8mb4",
        ssl_disabled=True,  # as such pages do; a new connection with TLS takes several milliseconds
    )
    try:
        with connection.cursor() as cursor:
            cursor.execute(_QUERY, (PHOTOS,))
            rows = cursor.fetchall()
    finally:
        connection.close()
    shown = [
        {
            "url": _s3.generate_presigned_url("get_object", Params={"Bucket": _bucket, "Key": key}),
            "caption": caption,
            "alt": alt,
        }
        for key, caption, alt in rows
    ]
    return _template.render(photos=shown)


def main() -> None:
    """Serve on a free port of 127.0.0.1."""
    server = create_server(app, host="127.0.0.1", port=0, threads=8)
    print(server.effective_port, flush=True)
    threading.Thread(target=server.run, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
