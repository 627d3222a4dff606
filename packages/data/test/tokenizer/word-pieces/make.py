"""A small tokenizer of word pieces as BERT has it, and what the library `tokenizers` makes of some texts.

Usage: python make.py      writes tokenizer.json and expected.json beside this script
Made with tokenizers as transformers 5.24.0 brings it.
"""

import json
import os

from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import WordPiece

HERE = os.path.dirname(os.path.abspath(__file__))
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", "[ENC]"]
PIECES = ["a", "b", "c", "red", "ap", "##ple", "##s", "dog", "##gy", "##g", "run", "##ning", "##n", "##ing", "un", "##un"]
MARKS = [".", ",", "!", "?", "'", "-", "$", "~", "(", ")", "…", "«"]
OTHERS = ["cafe", "uber", "strasse", "ß", "σ", "##σ", "中", "国", "あ", "##い", "1", "##2", "##3"]

TEXTS = [
    "A red apple, apples and DOGGY dogs!",
    "running unrun ununun xyz",
    "Café ÜBER straße ß",
    "中国あい中",
    "a\tb\nc\u00a0a\u200bb\u0000c \u2028 a",
    "don't-run... $1 ~a (b) «c» …",
    "a [SEP] b [DEC]red [ENC]",
    "ΣΣ σσ",
    "",
    " " * 3,
    "e\u0301 cafe\u0301 123 12",
    "a" * 101 + " b",
    "😀 a😀b",
]


def main() -> None:
    vocabulary = {token: index for index, token in enumerate([*SPECIAL, *PIECES, *MARKS, *OTHERS])}
    made = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))
    made.normalizer = normalizers.BertNormalizer(
        clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True
    )
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.add_special_tokens(SPECIAL)
    ends = [("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ends
    )
    made.save(os.path.join(HERE, "tokenizer.json"))
    expected = [{"text": text, "tokens": made.encode(text).ids} for text in TEXTS]
    with open(os.path.join(HERE, "expected.json"), "w", encoding="utf-8") as file:
        json.dump(expected, file, indent=1)
        file.write("\n")


main()
