"""The texts of reference.py: plain ones for what we know to be delicate, and generated ones for what we do not.

Characters are of Unicode 13 or earlier: later ones are letters to one Unicode version and nothing to another.
"""

WORDS = """a photo of an astronaut riding horse on mars the quick brown fox jumps over lazy dogs pneumonoultramicroscopicsilicovolcanoconiosis
antidisestablishmentarianism rhododendron syzygy jpeg url https bicycle traffic-light e-mail o'clock rock'n'roll covid19 mp3 4k
iPhone McDonald NASA straße ISTANBUL İstanbul ΟΔΥΣΣΕΥΣ ΣΊΣΥΦΟΣ Σ ΑΣ. Æsop ŒUVRE ǅungla Ǆ ẞ ß ŉ ﬁnance ﬃ Ⅷ ℌello K Å""".split()
CONTRACTIONS = "it's I'm you're they've we'll he'd don't IT'S I'M YOU'RE THEY'VE WE'LL HE'D DON'T 's 'S 're 'LL ''s 'sS 'tis rock’s l'été".split()
NUMBERS = "0 7 42 2026 3.14159 1,000,000 1e-5 0x7F 007 ½ ² ① ٣٤٥ १२३ Ⅻ 五 〇 𝟘𝟙 ¾x 10th 50% $9.99".split()
ACCENTS = [
    "café", "cafe\u0301", "A\u030a\u0323", "\u1e69", "s\u0323\u0307", "s\u0307\u0323", "J\u030c", "\u01f0", "I\u0307", "i\u0307",
    "\u0345\u0301", "\u03b1\u0345\u0301", "e\u0301\u0302\u0303", "\u0301", "a\u0301b\u0301", "\u212b", "\u2126", "naïve", "coöperate", "Ångström", "Việt Nam",
    "\u0344", "\u0958", "\u2adc", "\u1100\u1161\u11a8", "\uac01", "\u1112\u1161\u11ab\u1100\u1173\u11af",
]
SCRIPTS = [
    "你好世界", "這是一張貓的照片", "東京タワー", "カタカナ", "ｶﾞﾌ", "か\u3099", "안녕하세요", "مرحبا بالعالم", "صُورَة", "لا", "ﷺ",
    "שלום עולם", "שָׁלוֹם", "สวัสดีชาวโลก", "ภาพถ่าย", "नमस्ते दुनिया", "क्षत्रिय", "বাংলা", "தமிழ்", "తెలుగు", "မြန်မာ", "ខ្មែរ",
    "Привет МИР", "ЁЛКА и\u0306", "Γειά ΣΟΥ ΚΌΣΜΕ", "ΤΈΛΟΣ", "Հայերեն", "ქართული", "ᲡᲐᲥᲐᲠᲗᲕᲔᲚᲝ", "አማርኛ", "ᏣᎳᎩ", "ꮳꮃꭹ", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢", "𐐀𐐨", "𠀀𠮷",
]
EMOJI = [
    "😀", "❤", "❤️", "❤\ufe0e", "👍🏽", "👩‍🚀", "👨‍👩‍👧‍👦", "🏳️‍🌈", "🏴‍☠️", "🇩🇪", "🇺🇸🇬🇧", "1️⃣", "#️⃣", "🧑🏿‍🦽", "☺", "™️", "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f", "\u200d", "\ufe0f",
]
SPACES = [
    " ", "  ", "\t", "\n", "\r\n", "\v", "\f", "\x85", "\xa0", "\u1680", "\u2003", "\u2009", "\u200a", "\u2028", "\u2029",
    "\u202f", "\u205f", "\u3000", "\u200b", "\u2060", "\ufeff", "\u180e", "\x1c", "\x1d", "\x1e", "\x1f",
]
CONTROLS = ["\x00", "\x01", "\x07", "\x08", "\x1b", "\x7f", "\x80", "\x9f", "\xad", "\u061c", "\u200e", "\u202e", "\u2066", "\ufffd", "\ufffe", "\uffff", "\ue000", "\U0010ffff"]
PUNCTUATION = list("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~") + ["...", "…", "—", "–", "“", "”", "‘", "’", "«", "»", "¿", "¡", "、", "。", "「", "·", "•", "€", "£", "°", "±", "×", "→", "∑", "■", "~~~~", "!!!", "?!?!", "-----", "=====>", "'''", "###"]
ENTITIES = ["&amp;", "&lt;b&gt;", "&#39;", "&amp;amp;", "&nbsp;", "&quot;", "&eacute;", "&copy", "<br/>", "</w>", "<p>"]
SPECIAL = [
    "<|startoftext|>", "<|endoftext|>", "<|STARTOFTEXT|>", "<|EndOfText|>", "<|endoftext|", "|endoftext|>", "<|unknown|>", "<start_of_text>",
]
BROKEN = ["cafÃ©", "itâ€™s", "â€œquotedâ€\x9d", "ＦＵＬＬ　ＷＩＤＴＨ", "ﬂuﬀy", "\u2018single\u2019", "l\u2019\u00e9t\u00e9", "\x1b[31mred\x1b[0m"]

POOLS = [WORDS, CONTRACTIONS, NUMBERS, ACCENTS, SCRIPTS, EMOJI, SPACES, CONTROLS, PUNCTUATION, ENTITIES, SPECIAL, BROKEN]
# What a caption is made of comes more often than what it is not.
WEIGHTS = [9, 3, 3, 4, 5, 5, 4, 2, 5, 1, 1, 1]

PLAIN = [
    "", " ", "\n\t ", "a", "A photo of a cat.", "a photo of an astronaut riding a horse on mars",
    "a" * 1000, "ab" * 300, "haha" * 90, "!" * 500, "1234567890" * 12, "é" * 100, "😀" * 60, "a photo of a cat " * 40,
    "<|startoftext|>a cat<|endoftext|>", "x<|ENDOFTEXT|>!!", "<|ENDOFTEXT|>", "..<|EndOfText|>..", "<|endoftext|><|endoftext|>", " <|endoftext|> ", "é<|endoftext|>\u0301",
    ".\ufeff.", "a\ufeffb", "ΟΔΟΣ", "ΟΔΟΣ ΟΔΟΣ", "Σ", "ΑΣ!", "J\u030c J\u030cJ\u030c",
    *(pool for pools in POOLS for pool in pools),
    *(f"a{space}b" for space in SPACES), *(f"!{space}!" for space in SPACES), *(f"a{control}b!{control}!" for control in CONTROLS),
    *(f"{word} {word.upper()} {word.title()}" for word in [*WORDS, *ACCENTS, *SCRIPTS]),
]


def joined(random, parts):
    return "".join(part + random.choice(["", " ", " "]) for part in parts)


def generated(random):
    for _ in range(1100):
        pools = random.choices(POOLS, WEIGHTS, k=random.randint(1, 7))
        yield joined(random, [random.choice(pool) for pool in pools])
    for _ in range(350):
        letters = random.choices("abcdefghijklmnopqrstuvwxyzETAOINS", k=random.randint(1, 40))
        yield "".join(letters)
    for _ in range(300):
        # Any assigned or unassigned character of the planes that were full in Unicode 13: punctuation, symbols, old scripts.
        blocks = [(0x20, 0x24F), (0x250, 0x36F), (0x2000, 0x206F), (0x2100, 0x23FF), (0x2500, 0x27BF), (0x3000, 0x30FF), (0x1F300, 0x1F5FF)]
        yield "".join(chr(random.randint(*random.choice(blocks))) for _ in range(random.randint(1, 12)))
    for _ in range(300):
        yield "".join(random.choice(PUNCTUATION + SPACES + ["s", "t", "re", "'", "'", "LL", "d", "9"]) for _ in range(random.randint(2, 14)))


WORD_NAMES = [
    "GRINNING FACE", "GRINNING FACE WITH SMILING EYES", "MAN: BEARD", "FLAG: CÔTE D’IVOIRE", "KEYCAP: 10", "O BUTTON (BLOOD TYPE)",
    "1ST PLACE MEDAL", "E-MAIL", "FLAG: ST. HELENA", "ΟΔΟΣ", "İ", "CAFE\u0301", "snake_case", "हिन्दी", "Ⅻ", "① ½", "a\u200db",
]
WORD_TEXTS = [
    *WORD_NAMES, "", " ", "grinning", "grinning grinning!!", "a cat", "café", "CAFÉ", "man:beard", "οδος", "οδοσ", "<|endoftext|> face", "<|ENDOFTEXT|>",
    "<|unknown|>", "face\u00a0face", "face\ufefface", "i\u0307", "😀 face", "\u0301", "e\u2019mail", "1 st", "1st",
]
