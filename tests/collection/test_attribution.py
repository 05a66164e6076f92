"""Attributions: what is an artist, and what only looks like one or like none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artsim.collection.attribution import kind_of
from artsim.demo.names import artist_name

NAMED = [
    "vincent-van-gogh", "Vincent_van_Gogh", "jose-ortega-y-gasset", "Jean-Baptiste", "toulouse-lautrec",
    "Niklaus Manuel Deutsch", "Will Painter", "Painter, Nell Irvin", "Monogrammist AC", "葛飾北斎", "Репин",
    "Pseudo-Rubens",
    "Smith & Co.", "Jacob van der Or", "Nooms, Reinier, called Zeeman", "Schule Rubens", "Jean French (1850-1931)",
    "Rembrandt", "Toulouse-Lautrec, Henri de", "José Ortega y Gasset", "Mariano Fortuny y Marsal", "Nach",
    "Nach, Peter", "Peter Nach", "Circle", "Circle, Jane", "Jane Circle", "Workshop", "Workshop, Ann",
    "Jane Workshop", "Da Vinci, Leonardo", "Leonardo da Vinci", "After Dark Collective", "After Dark",
    "School of Visual Arts", "School of Athens", "Gilbert & George", "Master of the Female Half-Lengths",
    "Master of the Life of the Virgin", "Meister der heiligen Sippe", "Francisco de Goya y Lucientes",
    "António Silva e Costa", "Schuler, Hans", "Schüler", "Kreis, Otto", "Style, Ann", "Ren? Magritte", "Andr? Derain",
    "Rembrandt (1606-1669)", "Rembrandt; 1606-1669", "Rembrandt; Dutch", "Anonymous Bosch", "7", "a0003", "Ann",
    "El Greco", "Georg von und zu Guttenberg", "A", "Naar", "Van der Naar, Jan", "John E Smith Jones",
    "John E. Smith", "Art", "William Unknown Smith", "JOSÉ ORTEGA Y GASSET", "TOULOUSE-LAUTREC, HENRI DE", "Jean Hey",
    "AC", "Bernd and Hilla Becher", "Atelier van Lieshout", "Smith and Sons", "Andrea del Sarto",
    "Giovanni Francesco Barbieri, called Guercino", "Rembrandt (Rembrandt van Rijn)", "M. C. Escher",
    "O'Keeffe, Georgia", "d'Arthois, Jacques", "Bob", "Na Hye-sok", "Nan Goldin",
    "Ferdinand Bol (pupil of Rembrandt)", "Schiele, Egon", "Possibly", "Painter", "Ed Ruscha", "Art Spiegelman",
    "Con Ander", "Anders Zorn", "Wolfgang Mattheuer", "Jan en", "Anon Smith", "Nil Yalter",
    "Эрнст Неизвестный", "Неизвестный, Эрнст", "Неизвестный Эрнст Иосифович", "Людвиг Круг", "Круг, Людвиг",
    "Круг Людвиг", "Кругликова, Елизавета", "Елизавета Кругликова", "Лидия Мастеркова", "Мастеркова, Лидия",
    "Иосиф Школьник", "Школьник, Иосиф", "Светлана Копыстянская", "Алексей Венецианов", "Илья Репин",
    "Репин, Илья Ефимович",
    "Иван Шишкин", "Андрей Рублёв", "Феофан Грек", "Дионисий", "Михаил Врубель", "Казимир Малевич",
    "Василий Кандинский",
    "Наталья Гончарова", "Борис Кустодиев", "Зинаида Серебрякова", "Исаак Левитан", "Василий Суриков", "Павел Федотов",
    "Орест Кипренский", "Карл Брюллов", "Иван Айвазовский", "Виктор Васнецов", "Мария Якунчикова",
    "КУЗЬМА ПЕТРОВ-ВОДКИН",
    "Всеволод Воинов", "Мастер Теодорик", "Δομήνικος Θεοτοκόπουλος", "Κωνσταντίνος Παρθένης", "Νικόλαος Γύζης",
    "Θεόφιλος Χατζημιχαήλ", "Γιάννης Τσαρούχης", "Κύκλος, Άννα",
]  # fmt: skip

UNKNOWN = [
    "unknown-artist", "Unknown_artist", "_unknown_",
    "an unknown artist", "Unknown/Anonymous", "anonymous (after Rubens)", "Unbekannt (Kopie nach Rubens)",
    "", "  ", "Unknown", "unknown", "UNKNOWN", "Unknown artist", "Artist unknown", "Unknown Flemish painter",
    "Unknown artist, 17th century", "Anonymous", "Anonymous (Dutch)", "anon.", "n/a", "N/A", "NA", "n.a.", "nan",
    "None", "-", "?", "???", "unbekannt", "Unbekannter Künstler", "Künstler unbekannt", "Inconnu", "peintre inconnu",
    "Auteur inconnu", "Anoniem", "onbekende meester", "Desconocido", "anónimo", "ignoto", "Ignoto pittore",
    "artista ignoto", "autore sconosciuto", "Unidentified", "[unknown]", "Unknown hand",
    "Unknown follower of Rembrandt", "Anonymous, after Rembrandt", "French anonymous", "Anonyme français",
    "Неизвестный художник", "неизвестный художник XVIII века", "Художник неизвестен", "Неизвестная художница", "Аноним",
    "НЕИЗВЕСТНЫЙ ХУДОЖНИК", "Άγνωστος ζωγράφος", "Άγνωστος", "Ανώνυμος καλλιτέχνης", "Невідомий художник",
]  # fmt: skip

QUALIFIED = [
    "workshop-of-rembrandt", "attributed_to_Rembrandt", "Workshop_of_Rubens",
    "École hollandaise du XVIIe siècle", "Rubens e collaboratori", "Rembrandtschule", "after a design by Rubens",
    "Sienese, 14th century", "Rembrandt van Rijn - follower of", "Rembrandt and/or workshop", "(after) Rembrandt",
    "attributed to Rembrandt", "Attributed to Rembrandt", "Attr. to Rubens", "attr. Rembrandt",
    "Workshop of Rembrandt", "workshop of Peter Paul Rubens", "Studio of Titian", "Circle of Rembrandt",
    "School of Fontainebleau", "School of Rembrandt", "Follower of Bosch", "Followers of Bosch",
    "Manner of Canaletto", "Style of Rubens", "in the style of Rubens", "After Rembrandt", "after Rembrandt van Rijn",
    "Copy after Raphael", "copy of Raphael", "Rembrandt (workshop of)", "Rembrandt (workshop)",
    "Rubens, attributed to", "Rubens, Peter Paul, workshop of", "Rembrandt?", "Rembrandt (?)", "? Rembrandt",
    "Rembrandt zugeschrieben", "zugeschrieben Rembrandt", "Rembrandt (zugeschrieben)", "Werkstatt Cranach",
    "Werkstatt des Lucas Cranach", "Umkreis Rembrandt", "Umkreis von Rembrandt", "Nachfolger Rembrandts",
    "Nachfolger des Hieronymus Bosch", "nach Rubens", "Nach Albrecht Dürer", "Attribué à Rembrandt",
    "attribue a Rembrandt", "Atelier de Rubens", "d'après Raphaël", "D’après Raphaël", "Raphaël (d'après)",
    "École de Raphaël", "Entourage de Rubens", "à la manière de Watteau", "Attribuito a Tiziano",
    "Bottega di Tiziano", "Cerchia di Giorgione", "Tiziano, bottega di", "Tiziano e bottega",
    "Toegeschreven aan Rembrandt", "Navolger van Bosch", "Atribuido a Goya", "Taller de Velázquez",
    "Círculo de Ribera", "Goya (taller de)", "Rembrandt and workshop", "Rubens und Werkstatt", "Rembrandt or Lievens",
    "Possibly Rembrandt", "probably by Rembrandt", "Rembrandt's workshop", "Cranach-Werkstatt",
    "Lucas Cranach Werkstatt", "Rembrandt workshop", "Dutch School", "Dutch School, 17th century",
    "Italian (Florentine) Painter", "Netherlandish Painter", "École française", "REMBRANDT (WORKSHOP OF)",
    "ATTRIBUTED TO REMBRANDT", "after rembrandt", "Vorsterman after Rubens", "Rembrandt, follower of, 17th century",
    "Dutch follower of Bosch", "Possibly circle of Rembrandt", "Rembrandt – Umkreis", "naar Rembrandt",
    "Rembrandt and studio", "Rembrandt [workshop]", "Formerly attributed to Rembrandt", "Rembrandt, Umkreis",
    "Rubens; workshop", "Attributed to Rubens and Snyders", "The workshop of Rubens", "Attributed to: Rembrandt",
    "Workshop of the Master of X", "Kopie nach Rubens", "bottega del Verrocchio", "dans le goût de Boucher",
    "Kring van Rembrandt", "leerling van Rembrandt", "Schule des Rembrandt", "Seguidor de Goya",
    "Atribuído a Grão Vasco",
    "Приписывается Рембрандту", "Рембрандт (приписывается)", "Рембрандт, приписывается", "приписывается Боровиковскому",
    "Мастерская Рембрандта", "Рембрандт, мастерская", "Рембрандт и мастерская", "Круг Андрея Рублёва",
    "Круг Рембрандта",
    "круг Леонардо да Винчи", "Рембрандт (круг)", "Школа Рембрандта", "Копия с Рембрандта", "Копия с картины Рафаэля",
    "МАСТЕРСКАЯ РЕМБРАНДТА", "Последователь Босха", "Ученик Рембрандта", "Возможно, Рембрандт", "Вероятно Рубенс",
    "Голландская школа",
    "Голландская школа, XVII век", "Новгородская школа", "Рубенс (?)", "Рафаэль, копия с", "Рубенс или Снейдерс",
    "Αποδίδεται στον Θεοτοκόπουλο", "Εργαστήριο του Θεοτοκόπουλου", "Κύκλος του Τιτσιάνο", "Κρητική σχολή",
    "Τιτσιάνο (εργαστήριο)", "Αντίγραφο του Ραφαήλ",
]  # fmt: skip

SEVERAL = [
    "rubens-and-snyders", "Rubens_and_Snyders",
    "Rubens and Snyders", "Peter Paul Rubens & Jan Brueghel", "Rubens; Brueghel", "Rubens | Brueghel",
    "Rubens|Brueghel", "Rubens / Brueghel", "Rubens und Brueghel", "Rubens et Brueghel", "Tiziano e Giorgio Vasari",
    "Picasso, Pablo and Braque, Georges", "Pablo Picasso y Georges Braque", "Rubens with Frans Snyders",
    "Рубенс и Снейдерс", "Ρούμπενς και Σνάιντερς",
    "RUBENS AND SNYDERS", "rubens and snyders", "Rubens\nSnyders", "Jan en Hubert van Eyck",
    "Rubens, Snyders and Brueghel", "Ann & Bob",
]  # fmt: skip
# Artists of four real collections.
REAL = """
Abraham Bloemaert; Adam Elsheimer; Adolphe Monticelli; Aelbert Cuyp; Alberto Pasini; Albrecht Durer; Alessandro
Magnasco; Alfred Sisley; Alfred Stevens; Allegretto Nuzi; Amedeo Modigliani; Anders Leonard Zorn; Antonio Joli;
Bernardo Bellotto; Berthe Morisot; Camille Pissarro; Carl Spitzweg; Carlo Crivelli; Caspar David Friedrich;
Charles-Francois Daubigny; Christoffer Wilhelm Eckersberg; Claude Lorrain; Claude Monet; Constant Troyon; Cornelis
van Poelenburgh; Denis van Alsloot; Diego Velazquez; Edgar Degas; Edouard Manet; Edouard Vuillard; El Greco; Emile
van Marcke de Lummen; Ernst Ludwig Kirchner; Etienne Allegrain; Eugene Delacroix; Filippo Lauri; Francesco Albotto;
Francesco Solimena; Francesco Trevisani; Francisco Goya; Francois Boucher; Frans Hals; Georg Anton Rasmussen;
Georges Seurat; Gerrit Claesz Bleker; Giotto di Bondone; Giovanni Domenico Ferretti da Imola; Giovanni di Paolo;
Girolamo da Carpi; Giulio Carpioni; Giuseppe Arcimboldo; Gustav Klimt; Gustave Courbet; Hans Makart; Henri Rousseau;
Henri de Toulouse-Lautrec; Henri van Assche; Henri-Joseph Harpignies; Honore Daumier; Jacques d'Arthois;
Jacques-Louis David; James Forbes; Jan Asselyn; Jan Ekels the Elder; Jan van Eyck; Jan van Goyen; Jan van Scorel;
Jean Baptiste Belin I; Jean Hey; Jean-Baptiste-Camille Corot; Jean-Francois Millet; Jean-Francois Raffaelli;
Jean-Honore Fragonard; Jean-Joseph-Xavier Bidauld; Johan Christian Clausen Dahl; Johann Heinrich Wilhelm Tischbein;
Johann Michael Rottmayr; Juan Gris; Jules Dupre; Kazimir Malevich; Leonardo da Vinci; Louis Anquetin; Ludolf
Backhuysen; Marcellus Coffermans; Marco Ricci; Mariano Fortuny y Marsal; Martin de Soria; Master Alejo; Mattia
Preti; Meindert Hobbema; Michelangelo; Michele Marieschi; Mikhail Vrubel; Narcisse Virgile Diaz de la Pena; Nicolaes
Berchem; Otto van Veen; Pal Szinyei Merse; Paolo Anesi; Pascal-Adolphe-Jean Dagnan-Bouveret; Paul Cezanne; Paul
Gauguin; Paul Klee; Paul Serusier; Paul Signac; Peter Paul Rubens; Pier Francesco Mola; Piero di Cosimo; Pierre
Andrieu; Pierre Puvis de Chavannes; Pierre-Auguste Renoir; Piet Mondrian; Pieter Bruegel; Pieter Jansz van Asch;
Pieter de Neyn; Raphael; Rembrandt; Salomon van Ruysdael; Salvator Rosa; Sandro Botticelli; Sano di Pietro;
Sebastiano del Piombo; Theodore Gericault; Theodore Rousseau; Theodule Ribot; Thomas Gainsborough; Umberto Boccioni;
Vincent van Gogh; Wassily Kandinsky; William Anderson; William Turner
"""


@pytest.mark.parametrize("artist", NAMED)
def test_an_artist_is_named(artist: str) -> None:
    assert kind_of(artist) == "named"


@pytest.mark.parametrize("artist", UNKNOWN)
def test_an_unknown_artist_is_none(artist: str) -> None:
    assert kind_of(artist) == "unknown"


@pytest.mark.parametrize("artist", QUALIFIED)
def test_a_reservation_is_found(artist: str) -> None:
    assert kind_of(artist) == "qualified"


@pytest.mark.parametrize("artist", SEVERAL)
def test_several_artists_are_found(artist: str) -> None:
    assert kind_of(artist) == "several"


def test_the_artists_of_real_collections_and_of_the_demo_are_named() -> None:
    real = " ".join(REAL.split()).split("; ")
    assert len(real) > 120
    made = [artist_name(number) for number in range(2000)]
    assert [artist for artist in [*real, *made] if kind_of(artist) != "named"] == []


FIRST = st.sampled_from(["Ann", "José", "Jean-Baptiste", "Henri de", "Élisabeth", "J. M. W.", "Ōi", "Art"])
LAST = st.sampled_from(
    ["Toulouse-Lautrec", "Ortega y Gasset", "van der Naar", "Circle", "Workshop", "Nach", "Schuler", "O’Keeffe",
     "d’Arthois", "da Vinci", "School", "Follower", "Kreis", "Wohl", "Dürer the Elder", "von und zu Hof", "Le Nain",
     "Style"]
)  # fmt: skip
DATES = st.sampled_from(["", " (1606-1669)", ", 1606–1669", " (Dutch, born 1606)", " (b. 1606)"])
CASES = st.sampled_from([str, str.upper, str.lower])
NAMES = st.one_of(
    st.builds(lambda first, last, dates: f"{first} {last}{dates}", FIRST, LAST, DATES),
    st.builds(lambda first, last: f"{last}, {first}", FIRST, LAST),
)


@given(NAMES)
def test_names_with_words_of_attributions_are_named(name: str) -> None:
    assert kind_of(name) == "named"


BEFORE = st.sampled_from(
    ["attributed to", "workshop of", "circle of", "school of", "follower of", "manner of", "style of", "after",
     "copy after", "studio of", "attribué à", "atelier de", "d'après", "attribuito a", "bottega di", "cerchia di",
     "toegeschreven aan", "navolger van", "atribuido a", "taller de", "Werkstatt von", "Umkreis von", "nach"]
)  # fmt: skip
BEHIND = st.sampled_from(
    [" (workshop of)", ", attributed to", "?", " (?)", " (school of)", ", follower of", " (Werkstatt)",
     " zugeschrieben", ", d'après", " (bottega di)", " and workshop", ", studio of", " [copy after]",
     " (nach)", ", toegeschreven aan"]
)  # fmt: skip
PLAIN = st.sampled_from(
    ["Rembrandt", "Peter Paul Rubens", "Rubens, Peter Paul", "Velázquez", "Élisabeth Vigée Le Brun"]
)


@given(
    st.one_of(st.builds("{} {}".format, BEFORE, PLAIN), st.builds("{}{}".format, PLAIN, BEHIND)), CASES, st.booleans()
)
def test_a_reservation_is_found_in_any_case(text: str, case: type[str], is_capital: bool) -> None:
    assert kind_of(case(text[0].upper() + text[1:] if is_capital else text)) == "qualified"


@given(PLAIN, PLAIN, st.sampled_from([" and ", "; ", " & ", " | ", "|", " und ", " et ", "\n"]), CASES)
def test_two_names_are_several(one: str, other: str, between: str, case: type[str]) -> None:
    assert kind_of(case(f"{one}{between}{other}")) == "several"


@pytest.mark.parametrize("part", ["Ann and ", "after ", "workshop of ", "the ", "y ", "d' ", "probably ", "?", ", "])
def test_a_long_cell_takes_no_longer_than_a_short_one(part: str) -> None:
    assert kind_of(part * 100_000) in ("named", "unknown", "qualified", "several")


@given(st.text())
def test_any_text_has_a_kind(text: str) -> None:
    assert kind_of(text) in ("named", "unknown", "qualified", "several")
