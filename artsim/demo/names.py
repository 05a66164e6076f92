"""Names of the made-up painters."""

from __future__ import annotations

import math

import numpy as np

_GIVEN = (
    "Adela", "Alvar", "Amadea", "Anselm", "Aurel", "Bastian", "Beata", "Bruno", "Camilla", "Casimir",
    "Clara", "Conrad", "Dagny", "Dario", "Edda", "Elio", "Emeric", "Estelle", "Fabian", "Fenna", "Flavia",
    "Gaspard", "Greta", "Hedda", "Hilario", "Ida", "Ignace", "Ines", "Isidor", "Jolanda", "Joris",
    "Juliane", "Kaspar", "Lelia", "Leopold", "Lorenz", "Ludmila", "Magnus", "Marcel", "Mathilde", "Mirko",
    "Nadia", "Nils", "Odile", "Oskar", "Paola", "Quentin", "Raimund", "Renata", "Rosalind", "Sander",
    "Silvan", "Sidonie", "Tamas", "Thea", "Tobias", "Ulrike", "Valentin", "Vera", "Wendel", "Yvo",
    "Zelda",
)  # fmt: skip
_ONSETS = (
    "Al", "Ar", "Bal", "Bel", "Bran", "Cal", "Cor", "Dal", "Del", "Dorn", "Ek", "Fal", "Fer", "Gal",
    "Gren", "Hal", "Hol", "Ist", "Jor", "Kel", "Kor", "Lan", "Lin", "Lor", "Mar", "Mel", "Mon", "Nor",
    "Ol", "Or", "Pal", "Per", "Quin", "Ral", "Ros", "Sal", "Sol", "Stel", "Tal", "Tor", "Ul", "Val",
    "Ver", "Vol", "Wal", "Win", "Zan",
)  # fmt: skip
_ENDINGS = (
    "anek", "arelli", "aud", "avar", "berg", "bois", "brück", "court", "dakis", "demar", "dorff", "eaux",
    "edo", "egger", "elaar", "ensky", "eri", "esco", "feld", "gård", "gaux", "hagen", "horst", "ier",
    "igny", "imov", "inck", "ini", "itz", "kamp", "kerk", "lund", "mans", "meer", "mont", "nescu", "nov",
    "olles", "ossa", "qvist", "rath", "renne", "rode", "sky", "stad", "strand", "tava", "ten", "tier",
    "ulain", "utti", "veld", "wijk", "zani",
)  # fmt: skip
_PEOPLE = len(_GIVEN) * len(_ONSETS) * len(_ENDINGS)


def artist_name(artist: int, seed: int = 0) -> str:
    """The name of a painter. It is unique among all painters of the seed."""
    stride, start = _walk(seed)
    generation, number = divmod(artist, _PEOPLE)
    rest, given = divmod((start + stride * number) % _PEOPLE, len(_GIVEN))
    onset, ending = divmod(rest, len(_ENDINGS))
    heir = f" ({generation + 1})" if generation else ""
    return f"{_GIVEN[given]} {_ONSETS[onset]}{_ENDINGS[ending]}{heir}"


def _walk(seed: int) -> tuple[int, int]:
    """A step and a start that visit every combination once before one repeats."""
    rng = np.random.default_rng([seed, 0x6E616D65])
    stride = int(rng.integers(_PEOPLE // 3, _PEOPLE // 2))
    while math.gcd(stride, _PEOPLE) != 1:
        stride += 1
    return stride, int(rng.integers(_PEOPLE))
