// Times as text. Pure.

/**
 * A time in the time zone of the browser, written as the server writes it (web/serializers/times.py), so that a
 * table has one style: 21 November 2026, 09:05.
 * @param {string} iso without a zone: as a camera wrote it
 */
export function moment(iso) {
  const date = new Date(iso);
  const day = date.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" });
  return `${day}, ${date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })}`;
}
