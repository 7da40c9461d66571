"""What is accepted as an image, and how long a deleted one is kept."""

RAW_PREFIX = "raw/"
TRASH_SECONDS = 30 * 86_400.0  # how long a deleted image can be restored

MAX_BYTES = 100 * 1024 * 1024  # 100 MiB: what cameras of 50 megapixels make, with room
MAX_PIXELS = 50_000_000
MODEL_SIDE = 1536  # pixels; Gemini bills the same tokens for larger images, and they take longer to send
MAX_SIDE = 30_000  # pixels

# Accepted media types and the extensions of their keys.
MEDIA_TYPES = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/gif": "gif",
    "image/avif": "avif",
    "image/heic": "heic",
    "image/heif": "heif",
    "image/bmp": "bmp",
    "image/tiff": "tif",
    "image/x-adobe-dng": "dng",
    "image/x-canon-cr2": "cr2",
    "image/x-canon-cr3": "cr3",
    "image/x-nikon-nef": "nef",
    "image/x-sony-arw": "arw",
    "image/x-fuji-raf": "raf",
}
