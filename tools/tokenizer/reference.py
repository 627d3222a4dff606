"""Writes what Hugging Face's tokenizers make of many texts, for packages/data/test/tokenizer.

    pip install transformers==5.23.0 tokenizers==0.23.3
    python tools/tokenizer/reference.py ../shared/data/clip-bpe/bpe_simple_vocab_16e6.txt.gz packages/data/test/tokenizer
    npx prettier --write packages/data/test/tokenizer

clip-reference.jsonl: one text and its tokens a line, by CLIPTokenizer over the published vocabulary.
word-reference.json: a WordLevel tokenizer.json over a few emoji names, and what it makes of some texts.
"""

import gzip
import json
import pathlib
import random
import sys

from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import CLIPTokenizer

from texts import PLAIN, WORD_NAMES, WORD_TEXTS, generated

MERGES = 49152 - 256 - 2
START, END, UNKNOWN = "<|startoftext|>", "<|endoftext|>", "<|unknown|>"


def byte_characters():
    """The printable character that stands for each byte, in the order of CLIP's vocabulary."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + index) for index in range(len(rest))]


def clip_tokenizer(vocabulary_file):
    lines = gzip.decompress(pathlib.Path(vocabulary_file).read_bytes()).decode().split("\n")
    merges = [tuple(line.split()) for line in lines[1 : MERGES + 1]]
    characters = byte_characters()
    tokens = [*characters, *(c + "</w>" for c in characters), *(a + b for a, b in merges), START, END]
    return CLIPTokenizer(vocab={token: index for index, token in enumerate(tokens)}, merges=merges)


def word_tokenizer(names):
    normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    words = {
        word
        for name in names
        for word, _ in pre_tokenizers.Whitespace().pre_tokenize_str(normalizer.normalize_str(name))
    }
    tokens = [UNKNOWN, START, *sorted(words), END]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in (UNKNOWN, START, END)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}",
        pair=f"{START} $A {END} $B:1 {END}:1",
        special_tokens=[(START, vocabulary[START]), (END, vocabulary[END])],
    )
    return tokenizer


def main(vocabulary_file, folder):
    folder = pathlib.Path(folder)
    clip = clip_tokenizer(vocabulary_file)
    texts = list(dict.fromkeys([*PLAIN, *generated(random.Random(20260101))]))
    with (folder / "clip-reference.jsonl").open("w") as file:
        for text in texts:
            file.write(json.dumps([text, clip(text)["input_ids"]], separators=(",", ":")) + "\n")
    words = word_tokenizer(WORD_NAMES)
    (folder / "word-reference.json").write_text(
        json.dumps(
            {
                "names": WORD_NAMES,
                "file": json.loads(words.to_str()),
                "encodings": [[text, words.encode(text).ids] for text in WORD_TEXTS],
            },
            indent=2,
        )
        + "\n"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
