"""TIFF files: which of their pages is the picture, and whether Pillow decodes its kind of pixels rightly.

A TIFF has one directory of tags for each page, in a chain, and further ones below a page (SubIFDs). A scan is often
stored as a pyramid: the picture in several sizes, and sometimes a thumbnail first. The page with most pixels is read.

Pillow decodes some kinds of TIFF wrongly without an error. The tags are therefore looked at before it is asked.
`tests/images/test_tiff_kinds.py` compares several hundred files with another reader.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any, cast

from PIL import Image, TiffImagePlugin

from artsim.errors import UnreadableImageError

_BIG_ENDIAN_BIGTIFF = b"MM\0+"
MAGIC = (b"II*\0", b"MM\0*", b"II+\0", _BIG_ENDIAN_BIGTIFF)
MAX_PAGES = 1000  # of a file; further ones are not looked at
MAX_TAGS = 4096  # of a page
MAX_VALUES = 1000  # of a tag

SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 254, 256, 257, 258, 259, 262
SAMPLES, PLANAR, SUB_PAGES, EXTRA, FORMAT = 277, 284, 330, 338, 339
_WANTED = {SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, SAMPLES, PLANAR, SUB_PAGES, EXTRA, FORMAT}

_ADVICE = "Convert it to 8-bit RGB, as PNG or TIFF"
_INTEGERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}  # struct's codes of the tags' types
_MASK = 4  # the bit of SUBFILE that marks a transparency mask
_SEPARATE = 2  # the value of PLANAR for one plane after the other
_SIGNED, _FLOAT, _VOID = 2, 3, 4  # values of FORMAT
_WHITE_IS_ZERO = 0
_GREYS, _LAB, _WEBP = (0, 1), 8, 50001
# libtiff gives the samples in this machine's order. Pillow knows that of whole numbers without sign alone, and would
# swap the bytes of these again.
_IN_OUR_ORDER = {"F;32BF": "F;32NF", "I;32BS": "I;32NS", "I;16BS": "I;16NS"}
_COLOURS = {
    0: "white-is-zero grey", 1: "grey", 2: "RGB", 3: "palette", 4: "mask", 5: "CMYK", 6: "YCbCr", 8: "CIELab",
    9: "ICCLab", 10: "ITULab", 32803: "colour filter array (raw camera)", 32844: "LogL", 32845: "LogLuv",
    34892: "linear raw (camera)",
}  # fmt: skip
_COMPRESSIONS = {
    1: "uncompressed", 2: "CCITT RLE", 3: "CCITT group 3", 4: "CCITT group 4", 5: "LZW", 6: "old-style JPEG", 7: "JPEG",
    8: "Deflate", 32773: "PackBits", 32946: "Deflate", 33003: "JPEG 2000", 33005: "JPEG 2000", 34712: "JPEG 2000",
    34887: "LERC", 34892: "lossy JPEG (DNG)", 34925: "LZMA", 34933: "PNG", 34934: "JPEG XR", 50000: "Zstandard",
    50001: "WebP", 50002: "JPEG XL", 52546: "JPEG XL",
}  # fmt: skip


@dataclass(frozen=True)
class Page:
    """A directory's place in the file, and those of its tags that say how the pixels are stored."""

    offset: int
    tags: Mapping[int, tuple[int, ...]]

    def value(self, tag: int, default: int = 0) -> int:
        """The first value of a tag."""
        return self.tags.get(tag, (default,))[0]

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.value(WIDTH) * self.value(HEIGHT)

    @property
    def is_negative(self) -> bool:
        """Whether 0 is white in grey of 16 bits, which Pillow does not turn round."""
        return self.value(PHOTOMETRIC) == _WHITE_IS_ZERO and set(self._bits) == {16} and self._format == 1

    @property
    def is_scrambled_by_pillow(self) -> bool:
        """Whether Pillow's own reader mixes up the planes, or fails: it reads whole colours of 8 bits only."""
        is_raw = self.value(PLANAR, 1) == _SEPARATE and self.value(COMPRESSION, 1) == 1
        return is_raw and len(self._bits) > 1 and (max(self._bits) > 8 or EXTRA in self.tags)

    @property
    def white(self) -> int | None:
        """The value of white in grey of 9 to 15 bits, which Pillow gives as 16 bits; None for other kinds."""
        bits = max(self._bits)
        return 2**bits - 1 if 8 < bits < 16 else None

    @property
    def _bits(self) -> tuple[int, ...]:
        bits = self.tags.get(BITS, (1,))
        samples = self.value(SAMPLES, len(bits))
        return bits * samples if len(bits) == 1 and samples <= MAX_VALUES else bits

    @property
    def _format(self) -> int:
        return max(self.tags.get(FORMAT, (1,)))

    def kind(self) -> str:
        """For example: 16-bit CIELab, LZW, planar."""
        bits = "/".join(str(each) for each in sorted(set(self._bits)))
        numbers = {_SIGNED: " signed", _FLOAT: " float", _VOID: " untyped"}.get(self._format, "")
        photometric, compression = self.value(PHOTOMETRIC), self.value(COMPRESSION, 1)
        colour = _COLOURS.get(photometric, f"(photometric {photometric})")
        usual = {2: 3, 5: 4, 6: 3, 8: 3, 9: 3, 10: 3}.get(photometric, 1)
        extra = len(self._bits) - usual
        more = f" + {extra} extra" if extra > 0 else ""
        storage = [_COMPRESSIONS.get(compression, f"compression {compression}")]
        storage += ["planar"] if self.value(PLANAR, 1) == _SEPARATE and len(self._bits) > 1 else []
        return f"{bits}-bit{numbers} {colour}{more}, {', '.join(storage)}"

    def is_decoded_wrongly(self) -> bool:
        """Whether Pillow reads wrong pixels without an error, or ends in an error that does not say why."""
        photometric = self.value(PHOTOMETRIC)
        is_float_negative = photometric == _WHITE_IS_ZERO and self._format == _FLOAT
        is_signed_byte = self._format == _SIGNED and max(self._bits) <= 8
        is_planar = self.value(PLANAR, 1) == _SEPARATE
        is_webp = self.value(COMPRESSION, 1) == _WEBP  # Pillow's libtiff is built without it
        # Of grey with one more plane without a meaning, Pillow rightly reads the grey. More planes are no grey picture.
        has_other_planes = photometric in _GREYS and (any(self.tags.get(EXTRA, ())) or len(self._bits) > 2)
        return (
            is_float_negative or is_signed_byte or is_webp or (is_planar and (has_other_planes or photometric == _LAB))
        )


class PagePicture(TiffImagePlugin.TiffImageFile):
    """One page of a TIFF as Pillow opens it, with tags that make Pillow decode it rightly.

    Pillow reads the first page when it opens a file. `get_child_images` of Pillow chooses a page as `__init__` does.
    """

    def __init__(self, file: IO[bytes], page: Page) -> None:
        self._page: Page | None = None
        super().__init__(file)
        self._page = page
        self._frame_pos = [page.offset]
        self._seek(0)

    @property
    def is_negative(self) -> bool:
        """See `Page`."""
        return self._page is not None and self._page.is_negative

    @property
    def white(self) -> int | None:
        """See `Page`."""
        return None if self._page is None else self._page.white

    def _setup(self) -> None:
        if self._page is None:  # the file's first page, which need not be the picture
            self._size, self._mode = (1, 1), "L"
            return
        if self._page.is_negative:  # Pillow knows the kind in one byte order only
            self.tag_v2[PHOTOMETRIC] = 1
        if self._page.is_scrambled_by_pillow:  # with any compression, Pillow leaves it to libtiff, which knows better
            self.tag_v2[COMPRESSION] = 8
        super()._setup()
        if self.use_load_libtiff:
            (whole,) = self.tile
            raw_mode, *more = cast("tuple[Any, ...]", whole.args)
            self.tile = [whole._replace(args=(_IN_OUR_ORDER.get(raw_mode, raw_mode), *more))]


def open_page(file: IO[bytes], name: str) -> PagePicture:
    """Open the page with most pixels.

    Raises:
        UnreadableImageError: the page is of a kind that Pillow does not decode, or not rightly.
    """
    start = file.read(4)
    file.seek(0)
    if start == _BIG_ENDIAN_BIGTIFF:
        raise UnreadableImageError(f"{name}: artsim can't read a big-endian BigTIFF. {_ADVICE}")
    page = largest(pages(file))
    if page is None:
        raise UnreadableImageError(f"{name}: a TIFF without a picture, or damaged")
    if page.is_decoded_wrongly():
        raise _not_decoded(page, name)
    file.seek(0)
    try:
        return PagePicture(file, page)
    except (SyntaxError, KeyError) as error:  # Pillow's, for tags that it does not know
        raise _not_decoded(page, name) from error


def _not_decoded(page: Page, name: str) -> UnreadableImageError:
    return UnreadableImageError(f"{name}: artsim can't read a TIFF of this kind: {page.kind()}. {_ADVICE}")


def check_opened(picture: Image.Image, name: str) -> None:
    """Check a picture that a caller opened with Pillow and that is not decoded rightly from there.

    Raises:
        UnreadableImageError: it is such a picture.
    """
    if not isinstance(picture, TiffImagePlugin.TiffImageFile) or isinstance(picture, PagePicture):
        return
    tags = {tag: _whole_numbers(picture.tag_v2.get(tag)) for tag in _WANTED & set(picture.tag_v2)}
    page = Page(0, {tag: values for tag, values in tags.items() if values})
    if page.is_decoded_wrongly():
        raise _not_decoded(page, name)
    if page.is_scrambled_by_pillow:
        raise UnreadableImageError(f"{name}: Pillow scrambles a TIFF that is {page.kind()}. Give its path instead")


def _whole_numbers(value: object) -> tuple[int, ...]:
    values = value if isinstance(value, tuple) else (value,)
    return tuple(each for each in values if isinstance(each, int))


def is_negative(picture: Image.Image) -> bool:
    """Whether the decoded pixels of a picture, also one that a caller opened, are of grey in which 0 is white."""
    if isinstance(picture, PagePicture):
        return picture.is_negative
    tags = getattr(picture, "tag_v2", {})
    return picture.mode.startswith("I;16") and tags.get(PHOTOMETRIC, 1) == _WHITE_IS_ZERO


def is_unsigned(picture: Image.Image) -> bool:
    """Whether the whole numbers of a TIFF are without sign. Pillow holds 32 bits with a sign."""
    tags = getattr(picture, "tag_v2", {FORMAT: (_SIGNED,)})
    return 1 in _whole_numbers(tags.get(FORMAT, 1))


def largest(found: Iterator[Page]) -> Page | None:
    """The page with most pixels; the first of several. A mask is no picture."""
    pictures = [page for page in found if page.pixels and not page.value(SUBFILE) & _MASK]
    return max(pictures, key=lambda page: page.pixels, default=None)


def pages(file: IO[bytes]) -> Iterator[Page]:
    """The directories of a file: each page, and those below it. A damaged one ends its chain."""
    header = file.read(16)
    order = "<" if header[:2] == b"II" else ">"
    is_big = header[2:4] in (b"+\0", b"\0+")
    layout = _Layout(order, is_big)
    try:
        waiting = [layout.number(header[8:] if is_big else header[4:8])]
        seen: set[int] = set()
        while waiting and len(seen) < MAX_PAGES:
            offset = waiting.pop(0)
            if not offset or offset in seen:
                continue
            seen.add(offset)
            page, following = layout.read(file, offset)
            waiting += [following, *page.tags.get(SUB_PAGES, ())]
            yield page
    except (struct.error, OSError, OverflowError, ValueError):
        return


@dataclass(frozen=True)
class _Layout:
    """Byte order and widths: a BigTIFF has 8 bytes where a classic TIFF has 4."""

    order: str
    is_big: bool

    def number(self, content: bytes) -> int:
        """An offset or a count."""
        value: int = struct.unpack(self.order + ("Q" if self.is_big else "I"), content)[0]
        return value

    def read(self, file: IO[bytes], offset: int) -> tuple[Page, int]:
        """The page at an offset, and the offset of the next one."""
        file.seek(offset)
        count = struct.unpack(self.order + ("Q" if self.is_big else "H"), file.read(8 if self.is_big else 2))[0]
        if count > MAX_TAGS:
            raise ValueError(f"a directory of {count} tags")
        entry = struct.Struct(self.order + ("HHQ8s" if self.is_big else "HHI4s"))
        directory = file.read(count * entry.size)
        next_page = file.read(8 if self.is_big else 4)
        tags = {
            tag: self._values(file, kind, number, inline)
            for tag, kind, number, inline in entry.iter_unpack(directory)
            if tag in _WANTED and kind in _INTEGERS and 0 < number <= MAX_VALUES
        }
        if len(next_page) not in (4, 8):
            return Page(offset, tags), 0
        return Page(offset, tags), self.number(next_page)

    def _values(self, file: IO[bytes], kind: int, count: int, inline: bytes) -> tuple[int, ...]:
        layout = struct.Struct(f"{self.order}{count}{_INTEGERS[kind]}")
        if layout.size > len(inline):
            file.seek(self.number(inline))
            inline = file.read(layout.size)
        values: tuple[Any, ...] = layout.unpack(inline[: layout.size])
        return values
