"""The words of attributions in English, German, French, Italian, Dutch, Spanish, Portuguese, Russian and Greek.

They have no accents, as `attribution.py` removes them: й is и, and ς in a set is σ.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.casefold().split())


# A cell that begins or ends with one of these names no artist: "Unknown", "Unknown Flemish painter", "Artist unknown".
UNKNOWN = _words(
    """
    unknown unidentified anonymous anon anonym anonymer anonyme anonymes unbekannt unbekannter unbekannte inconnu
    inconnue ignoto ignota sconosciuto sconosciuta anonimo anonima anoniem anonieme onbekend onbekende desconocido
    desconocida desconhecido desconhecida okand ukendt ukjent tuntematon nieznany neznamy ismeretlen неизвестныи
    неизвестные неизвестная неизвестен анонимныи анонимная аноним невідомии αγνωστος αγνωστη ανωνυμος
    佚名 無名氏 作者不詳
    """
)
# Whole cells that name no artist, as their words.
NO_ARTIST = frozenset(
    {
        "artist", "n a", "na", "nan", "none", "null", "nil", "not known", "not available", "not applicable",
        "no artist",
        "not identified", "non identifie", "non identificato", "nicht bekannt", "niet bekend", "various",
        "various artists", "verschiedene", "verschiedene kunstler", "divers", "artistes divers", "artisti vari",
        "diverse", "varios", "varios artistas", "s n", "tbd", "missing",
    }
)  # fmt: skip
# What a painter without a name is called: "Dutch School, 17th century", "Italian (Florentine) Painter".
ROLES = _words(
    """
    artist artists painter master maker author hand school draughtsman engraver miniaturist kunstler maler meister
    malerin kunstlerin schule artiste peintre maitre auteur ecole artista pittore pittrice maestro autore scuola
    kunstenaar schilder meester pintor autor escuela escola художник
    художница живописец иконописец автор мастер школа καλλιτεχνης ζωγραφος αγιογραφος σχολη
    """
)
NATIONS = _words(
    """
    american austrian belgian bohemian bolognese british byzantine catalan chinese cologne danish dutch english
    european ferrarese flemish florentine french genoese german greek hungarian indian irish italian japanese korean
    lombard mexican milanese mughal neapolitan netherlandish northern north norwegian persian pisan polish portuguese
    roman russian scottish sienese south southern spanish swedish swiss tuscan umbrian venetian veronese western
    deutsch deutsche deutscher flamische flamischer franzosische franzosischer hollandische hollandischer italienische
    italienischer niederlandische niederlandischer venezianische oberdeutsche oberdeutscher rheinische suddeutsche
    suddeutscher spanische osterreichische allemande anglaise espagnole flamande flamand francaise francais
    hollandaise italienne italien venitienne bolognese ferrarese fiorentina fiorentino francese fiamminga fiammingo
    italiana italiano lombarda lombardo napoletana napoletano olandese romana romano senese spagnola tedesca toscana
    toscano umbra veneta veneto veneziana veneziano duitse franse hollandse italiaanse nederlandse spaanse vlaamse
    alemana espanola espanol flamenca flamenco holandesa francesa veneciana русская русскии итальянская итальянскии
    голландская голландскии нидерландская нидерландскии фламандская фламандскии французская французскии немецкая
    немецкии испанская испанскии англииская англиискии венецианская венецианскии флорентииская новгородская московская
    псковская строгановская византииская критская κρητικη ιταλικη ολλανδικη φλαμανδικη βενετσιανικη
    επτανησιακη βυζαντινη
    """
)
CENTURIES = _words("century jahrhundert jh siecle secolo eeuw siglo seculo век века в αιωνας αιωνα")
ARTICLES = _words("a an the ein eine un une uno una een el")
PERIODS = _words(
    """
    century cent c ca circa early mid late the a of active jahrhundert jh um siecle vers debut fin secolo sec inizio
    fine век века в вв начало начала середина середины конец конца первая вторая половина половины αιωνας αιωνα αρχες
    τελη eeuw siglo seculo du des del dello xiv xv xvi xvii xviii xix xx xive xve xvie xviie xviiie xixe xxe
    """
)

# Reservations that may stand anywhere in a cell. `'` is any apostrophe.
ANYWHERE = (
    r"attributed to", r"ascribed to", r"att(?:r|rib)?\. to", r"(?:copy|copies|copyist) (?:after|of)",
    r"(?:workshop|studio|atelier|circle|followers?|manner|style|imitators?|forger) of",
    r"zugeschrieben", r"zugeschr\.", r"zuschreibung an", r"kopie nach",
    r"attribuee? (?:a|au)", r"d'apres", r"(?:a la|dans la) maniere d[eu']", r"dans le gout d[eu']",
    r"attribuit[oa] (?:ad?|al)", r"alla maniera d", r"copia d[ai]",
    r"toegeschreven aan", r"kopie naar", r"copie naar",
    r"atribuid[oa] (?:a|al|ao)", r"a la manera de",
    r"приписыва(?:ется|ются|емая|емое|емые|емыи)", r"приписан[ао]?", r"копия (?:с|по)", r"в (?:манере|стиле)",
    r"αποδιδ(?:εται|ονται|ομενο)", r"αντιγραφο (?:απο|του|της)",
)  # fmt: skip
# Reservations with the name after them, at the beginning of a cell.
BEFORE_A_NAME = (
    r"(?:school|schools|pupils?|students?|assistants?|associates?|entourage|shop) of", r"attr(?:ib)?\.?",
    r"(?:werkstatt|umkreis|kreis|nachfolger|nachfolge|schule|schuler|manier|kopist|atelier|stil) "
    r"(?:von|vom|des|der|um)", r"art (?:des|der)",
    r"(?:werkstatt|umkreis|nachfolger|nachfolge)", r"in der art (?:von|des|der)",
    r"(?:atelier|entourage|cercle|ecole|suiveur|maniere|eleve|imitateur|suite|copie) d(?:e|u|es|')",
    r"(?:bottega|cerchia|scuola|seguace|maniera|ambito|allievo|imitatore|copista) d(?:i|el|ella|ei|')",
    r"(?:atelier|werkplaats|omgeving|kring|school|navolger|leerling|manier|stijl|trant) (?:van|rond)",
    r"(?:taller|circulo|escuela|escola|oficina|seguidor|discipulo|imitador|estilo|manera|copia) d(?:e|el|o|a)",
    r"(?:мастерская|школа|последовател[ьи]|подражател[ьи]|ученик[аи]?|ученица|окружение|копия|копиист)(?!\w)",
    r"круг(?=\s[^,]*[аеиоуыюя]\W*$)",  # of a name in the genitive; Людвиг Круг is an artist
    r"(?:εργαστηριο|κυκλος|σχολη|ακολουθος|μαθητης|μιμητης) (?:του|της|των)",
)  # fmt: skip
# Single words before a name, with a capital where the name has one: "after Rembrandt", "nach Rubens".
AFTER = ("after", "nach", "naar", "segun")
DOUBT = (
    "possibly", "probably", "perhaps", "presumably", "maybe", "formerly", "traditionally", "allegedly", "vermutlich",
    "wahrscheinlich", "vielleicht", "wohl", "moglicherweise", "angeblich", "probablement", "peut-etre", "possiblement",
    "forse", "probabilmente", "vermoedelijk", "mogelijk", "waarschijnlijk", "misschien", "posiblemente",
    "probablemente", "quiza", "quizas", "tal vez", "provavelmente", "talvez", "возможно,?", "вероятно,?",
    "предположительно", "πιθανως", "πιθανον", "ισως",
)  # fmt: skip
# Reservations after a name: "Rembrandt (workshop of)", "Rubens, Werkstatt", "Raphael, d'après".
NOUNS = (
    "workshop", "studio", "circle", "school", "follower", "followers", "manner", "style", "imitator", "pupil",
    "student", "assistant", "associate", "copy", "copyist", "forger", "attributed", "attribution", "ascribed",
    r"attr(?:ib)?\.?",
    "werkstatt", "umkreis", "kreis", "nachfolger", "nachfolge", "schule", "schuler", "kopie", "zugeschrieben",
    r"art(?=\s+(?:von|des|der))",
    r"zugeschr\.?", "atelier", "entourage", "cercle", "ecole", "suiveur", "maniere", "eleve", "attribuee?", "copie",
    "d'apres", "bottega", "cerchia", "scuola", "seguace", "maniera", "ambito", "allievo", "attribuit[oa]", "copia",
    "werkplaats", "omgeving", "kring", "navolger", "leerling", "toegeschreven", "taller", "circulo", "escuela",
    "seguidor", "discipulo", "atribuid[oa]", "oficina", "escola", "мастерская", "школа", "круг", "последователь",
    "подражатель", "ученик", "ученица", "окружение", "копия", "копиист", "εργαστηριο", "κυκλος", "σχολη", "ακολουθος",
    "μαθητης", "μιμητης", "αντιγραφο",
)  # fmt: skip
PREPOSITIONS = (
    "of", "to", "after", "the", "von", "vom", "des", "der", "an", "nach", "um", "de", "du", "d'", "a", "di", "del",
    "da", "van", "aan", "naar", "с", "по", "του", "της", "των", "απο",
)  # fmt: skip
HELPERS = (
    "workshop", "studio", "assistants?", "pupils?", "others", "werkstatt", "mitarbeiter", "gehilfen", "atelier",
    "bottega", "aiuti", "aiuto", "taller", "werkplaats", "collaborateurs?", "collaboratori", "colaboradores",
    "schuler", "oficina", "мастерская", "ученики", "помощники", "εργαστηριο",
)  # fmt: skip

# Conjunctions between two names. Those of one letter also stand within a name: Ortega y Gasset, Silva e Costa.
CONJUNCTIONS = ("and", "And", "und", "et", "en", "with", "mit", "avec", "con", "met", "ed", "и", "και")
SHORT_CONJUNCTIONS = ("y", "e")
ALTERNATIVES = ("or", "oder", "ou", "oppure", "или")

# A cell that ends with one of these is the name of a group or firm: "After Dark Collective", "School of Visual Arts".
GROUPS = _words(
    """
    academy architecture architects art arts associates atelier athens brothers cie club co collective company
    cooperative crafts crew design designs films foundation friends gallery group guild inc institute kollektiv ltd
    media partners photography press productions project projects society son sons studio studios team works kollektief
    colectivo collectif collettivo gruppe groupe gruppo grupo
    """
)
# Words that make a saying of "after": "After Dark", "After Hours".
SAYINGS = _words("all dark effect effects hours image images life math midnight party school work us you")
# Names of people who work as one artist, and of one whose name is a word of attributions.
ONE_ARTIST = frozenset(
    {
        "gilbert george", "gilbert and george", "christo and jeanne claude", "christo jeanne claude",
        "pierre et gilles", "elmgreen dragset", "fischli weiss", "bernd and hilla becher", "bernd und hilla becher",
        "allora calzadilla", "atelier van lieshout", "komar and melamid", "komar melamid", "mcdermott mcgough",
        "tim noble and sue webster", "неизвестныи эрнст", "неизвестныи эрнст иосифович",  # a name that means unknown
    }
)  # fmt: skip
