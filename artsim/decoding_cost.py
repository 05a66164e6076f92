"""What decoding an image costs: an upper estimate of its memory, before it is decoded.

The estimate is pixels x bytes, of three parts: what the decoder of the format needs beside the picture, the decoded
picture, and its converted copy. `benchmarks/decoding_memory.py` measures the decoders.
"""

from __future__ import annotations

from PIL import Image

# Bytes a pixel that a decoder takes beside the decoded picture: buffers in C, and the pixels as Python's bytes.
DECODER_BYTES = {
    "AVIF": 12.0, "BMP": 4.0, "GIF": 2.0, "HEIF": 12.0, "JPEG2000": 20.0, "PNG": 1.0, "PPM": 4.0, "PSD": 4.0,
    "QOI": 8.0, "SGI": 8.0, "TIFF": 4.0, "WEBP": 16.0,
}  # fmt: skip
PROGRESSIVE_BYTES = 6.0  # of the undrafted picture: libjpeg keeps the coefficients of a progressive JPEG
FIXED_BYTES = 4_000_000  # of any image: buffers of files and strips, profiles, small pictures

_MODE_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}
_OTHER_MODE_BYTES = 4
_COPY_BYTES = 9  # of a picture with alpha: a copy of its palette's indices, RGBA, RGBA premultiplied


def decoding_bytes(picture: Image.Image, whole: tuple[int, int]) -> int:
    """The bytes that decoding an opened picture takes at most; `whole` is its size before `draft` reduced it."""
    width, height = picture.size
    mode = _MODE_BYTES.get(picture.mode, _OTHER_MODE_BYTES)
    copies = _COPY_BYTES if picture.has_transparency_data else _OTHER_MODE_BYTES
    a_pixel = DECODER_BYTES.get(picture.format or "", 0) + mode + copies
    progressive = PROGRESSIVE_BYTES * whole[0] * whole[1] if "progressive" in picture.info else 0
    return int(FIXED_BYTES + width * height * a_pixel + progressive)
