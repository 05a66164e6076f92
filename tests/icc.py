"""A writer of small ICC profiles, version 2 (ICC.1:2001-04), with just the tags that Little CMS asks for."""

from __future__ import annotations

import struct

HEADER_BYTES = 128
VERSION_2 = b"\x02\x40\0\0"
D50 = (0.9642, 1.0, 0.8249)  # the white point of the connection space
SRGB_PRIMARIES = ((0.4360, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))  # adapted to D50


def rgb_profile(exponent: float, order: tuple[int, int, int] = (0, 1, 2)) -> bytes:
    """RGB with one gamma for all channels and sRGB's primaries, in `order`."""
    names = (b"rXYZ", b"gXYZ", b"bXYZ")
    colorants = {name: _xyz(*SRGB_PRIMARIES[index]) for name, index in zip(names, order, strict=True)}
    return _profile(b"RGB ", colorants | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _gamma(exponent)))


def grey_profile(exponent: float) -> bytes:
    return _profile(b"GRAY", {b"kTRC": _gamma(exponent)})


def cmyk_profile() -> bytes:
    """An artificial press: full cyan prints sRGB's red, bare paper is white, any other full ink prints black."""
    corners = [(255, 128, 128)] + [(0, 128, 128)] * 15  # 8-bit Lab at the 16 corners of the CMYK cube
    corners[0b1000] = (138, 209, 198)  # Lab 54, 81, 70: sRGB's red
    ramp = bytes(range(256))
    table = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + _s15(1, 0, 0, 0, 1, 0, 0, 0, 1)  # 4 inks, 3 outputs, 2 steps
    table += ramp * 4 + b"".join(map(bytes, corners)) + ramp * 3
    return _profile(b"CMYK", {b"A2B0": table, b"A2B1": table}, connection=b"Lab ", kind=b"prtr")


def _profile(space: bytes, tags: dict[bytes, bytes], connection: bytes = b"XYZ ", kind: bytes = b"mntr") -> bytes:
    description = b"desc" + bytes(4) + struct.pack(">I", 2) + b"t\0" + bytes(78)
    tags = {b"desc": description, b"wtpt": _xyz(*D50)} | tags
    first = HEADER_BYTES + 4 + 12 * len(tags)  # where the data begins, after the table of tags
    table = data = b""
    for name, content in tags.items():
        table += name + struct.pack(">II", first + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    signature = VERSION_2 + kind + space + connection + bytes(12) + b"acsp" + bytes(28) + _s15(*D50)
    body = signature.ljust(HEADER_BYTES - 8, b"\0") + struct.pack(">I", len(tags)) + table + data
    return struct.pack(">II", len(body) + 8, 0) + body  # the size, and no preferred colour engine


def _s15(*numbers: float) -> bytes:
    """Fixed point with 16 bits after the point: the standard's s15Fixed16Number."""
    return b"".join(struct.pack(">i", round(number * 65_536)) for number in numbers)


def _xyz(*numbers: float) -> bytes:
    return b"XYZ " + bytes(4) + _s15(*numbers)


def _gamma(exponent: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(exponent * 256)) + bytes(2)
