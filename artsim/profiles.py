"""ICC profiles: a picture's colours to sRGB."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms


def to_srgb(picture: Image.Image, icc: bytes | None) -> Image.Image:
    """Apply the profile if it suits the mode. Pixels without a profile count as sRGB."""
    mode, transform = _srgb_transform(icc) if icc else ("", None)
    suits = picture.mode == mode or (mode == "RGB" and picture.mode in ("L", "YCbCr"))
    return transform.apply(picture.convert(mode)) if transform and suits else picture.convert("RGB")


@lru_cache(maxsize=32)  # whole collections share a handful of profiles
def _srgb_transform(icc: bytes) -> tuple[str, ImageCms.ImageCmsTransform | None]:
    """The mode that a profile is for, and its transform to sRGB. The transform is None if it changes nothing.

    A broken profile is ignored, and the intent is relative colorimetric, both as in browsers. NOCACHE lets threads
    share a transform, as its cache of one pixel is its only state (https://github.com/libjxl/libjxl/pull/23).
    """
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        mode = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK"}[profile.profile.xcolor_space.strip()]
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
        flags = ImageCms.Flags.BLACKPOINTCOMPENSATION | ImageCms.Flags.NOCACHE
        transform = ImageCms.ImageCmsTransform(profile, srgb, mode, "RGB", intent, flags=flags)
        return mode, None if mode == "RGB" and _changes_nothing(transform) else transform
    except (ImageCms.PyCMSError, KeyError, OSError, TypeError, ValueError):
        return "", None


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether a profile leaves 729 colours as they are. Then it is sRGB, which has many names."""
    levels = np.linspace(0, 255, 9).astype(np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(27, 27, 3)
    moved = np.asarray(transform.apply(Image.fromarray(colours)))
    return bool(np.abs(moved.astype(int) - colours).max() <= 1)
