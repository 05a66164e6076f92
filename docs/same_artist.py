"""Make docs/same_artist.jpg, the picture at the top of the README, from the embedded collection.

Run it with `python docs/same_artist.py`.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from artsim.demo import paint

# (letter, artist, work): A and B share the artist, A and C the subject.
PAINTINGS = (("A", 2, 4), ("B", 2, 2), ("C", 11, 3))
SEED = 1
SIDE, GAP, CAPTION = 400, 24, 56  # px


def main() -> None:
    """Put the three paintings in a row, a letter below each."""
    pictures = [(letter, paint(artist, work, SEED, SIDE)) for letter, artist, work in PAINTINGS]
    height = max(picture.height for _, picture in pictures)
    sheet = Image.new("RGB", (len(pictures) * (SIDE + GAP) + GAP, height + GAP + CAPTION), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(30)
    for number, (letter, picture) in enumerate(pictures):
        left = GAP + number * (SIDE + GAP)
        sheet.paste(picture, (left, GAP + (height - picture.height) // 2))
        draw.text((left + SIDE // 2, GAP + height + CAPTION // 2), letter, fill="black", font=font, anchor="mm")
    sheet.save(Path(__file__).with_suffix(".jpg"), quality=85, optimize=True)


if __name__ == "__main__":
    main()
