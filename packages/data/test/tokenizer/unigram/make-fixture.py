"""Makes the unigram fixtures beside it: small SentencePiece models as SigLIP's is made, the tokenizer.json of each, and the ids
that transformers' SiglipTokenizer and the tokenizers library give texts.

Run it in this folder: python make-fixture.py (transformers 5.24, tokenizers 0.23, sentencepiece 0.2.3, protobuf)
"""

import base64
import io
import json
import random
import re
import string

import sentencepiece as spm
from sentencepiece import sentencepiece_model_pb2 as pb
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import SiglipTokenizer

random.seed(1)

WORDS = """a the photo picture of two three cats dogs riding horse horses on in at beach street red blue green white striped shirt
dress shoes man woman children playing football with ball and umbrella rain sunny day night city mountain river lake boat train
station kitchen table food pizza cake birthday party old young smiling sitting standing running jumping flying bird birds plane""".split()
FOREIGN = "café naïve Straße Ελλάδα привет мир 写真 猫 東京 ファイル ½ ﬁnal Ａｂｃ 日本語 😀".split()
CORPUS = [" ".join(random.choices(WORDS, k=random.randint(3, 9))) for _ in range(2000)]
CORPUS += [" ".join(random.choices(WORDS, k=3) + random.choices(FOREIGN, k=2)) for _ in range(200)]

# A few rules of nmt_nfkc, so that the map stays small: compatibility characters, a composition, spaces, what vanishes.
RULES = {
    **{chr(0xFF21 + i): chr(ord("A") + i) for i in range(26)},
    **{chr(0xFF41 + i): chr(ord("a") + i) for i in range(26)},
    "ﬁ": "fi", "½": "1⁄2", "e\u0301": "é", "\u3000": " ", "\u200b": " ", "\u0009": " ", "\u0007": "", "㎏": "kg", "ｶ": "カ", "ｶﾞ": "ガ",
}

TEXTS = [
    "", " ", "a", "a photo of two cats", "A Photo of TWO Cats!", "  a   photo \t of\na cat  ", "don't-stop: (now)", "....", "?!",
    "café", "cafe\u0301", "Straße", "Ελλάδα", "ΟΔΟΣ", "привет мир", "写真 of a 猫", "東京", "Ａ ｐｈｏｔｏ", "ﬁnal ½ ㎏", "ｶﾞ ｶ",
    "😀 smiling", "👨‍👩‍👧 family", "🇩🇪", "zzzqqq xyzzy", "unknown ☃ snowman ☃☃", "a\u3000b", "a\u200b b", "a\u0007b", "a\u00a0photo",
    "a\u0085photo", "a\ufeffphoto", "İstanbul", "ǅ", "the</s>cat", "the </s> cat", "<unk>", "a <pad> photo", "under_score", "100% $5",
    "\u2581photo", "a \u2581photo", "a\u2581\u2581photo", "\u0301photo", "e\u0301\u0301", "ａ\u0301", "\r\n", "a\r\nphoto", "\u0000a",
    "a photo of a " + "very " * 80 + "old horse", "x" * 300, "ø å", "horse" * 30, "\U0001d400\U0001d401",
]
for _ in range(60):
    signs = list("abcdefgh  .,!'\u00e9\u0301\uff21\ufb01\u3000\u200b\u732b\U0001f600\u2581<>/s") + WORDS[:20]
    TEXTS.append("".join(random.choices(signs, k=random.randint(1, 25))))


def trained(**more):
    out = io.BytesIO()
    rules = "rules.tsv"
    with open(rules, "w") as file:
        for source, target in RULES.items():
            code = lambda text: " ".join(f"{ord(sign):X}" for sign in text)
            file.write(f"{code(source)}\t{code(target)}\n")
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS), model_writer=out, model_type="unigram", vocab_size=more.pop("vocab_size", 320),
        pad_id=0, eos_id=1, unk_id=2, bos_id=-1, normalization_rule_tsv=rules, character_coverage=0.999,
        num_threads=1, minloglevel=2, hard_vocab_limit=False, **more,
    )
    import os
    os.remove(rules)
    return out.getvalue()


def described(proto, normalizer, pre_tokenizer):
    """A tokenizer.json of the pieces of a SentencePiece model, as transformers' and transformers.js' converters write it."""
    pieces = [(each.piece, each.score) for each in proto.pieces]
    unigram = models.Unigram(pieces, unk_id=2, byte_fallback=proto.trainer_spec.byte_fallback)
    tokenizer = Tokenizer(unigram)
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=["$A", "</s>"], pair=["$A", "</s>", "$B", "</s>"], special_tokens=[("</s>", 1)]
    )
    tokenizer.add_special_tokens(
        [AddedToken(name, lstrip=True, rstrip=True, normalized=False) for name in ("</s>", "<unk>")]
    )
    return tokenizer


def of_siglip(proto):
    charsmap = proto.normalizer_spec.precompiled_charsmap
    return normalizers.Sequence([
        normalizers.Lowercase(),
        normalizers.Replace(Regex("[" + re.escape(string.punctuation) + "]"), ""),
        normalizers.Replace(Regex(r"\s+"), " "),
        normalizers.Strip(),
        normalizers.Precompiled(charsmap),
    ])


def of_spm(proto):
    """As transformers' SpmConverter: nothing canonical, SentencePiece's own."""
    return normalizers.Sequence([
        normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap),
        normalizers.Strip(left=False, right=True),
        normalizers.Replace(Regex(" {2,}"), "\u2581"),
    ])


def told(tokenizer):
    return [tokenizer.encode(text).ids for text in TEXTS]


siglip = trained()
open("spiece.model", "wb").write(siglip)
proto = pb.ModelProto.FromString(siglip)
reference = SiglipTokenizer("spiece.model")
padded = reference(TEXTS, padding="max_length", truncation=True, max_length=64)["input_ids"]

fallback = pb.ModelProto.FromString(trained(byte_fallback=True, vocab_size=520))
kinds = {
    "siglip": described(proto, of_siglip(proto), pre_tokenizers.Metaspace()),
    "bytes": described(fallback, of_spm(fallback), pre_tokenizers.Metaspace(prepend_scheme="first", split=False)),
    "words": described(
        proto, normalizers.NFKC(), pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    ),
    "never": described(proto, normalizers.Lowercase(), pre_tokenizers.Metaspace(prepend_scheme="never")),
}
ids = {name: told(kind) for name, kind in kinds.items()}
with open("reference.jsonl", "w") as out:
    print(json.dumps({name: json.loads(kind.to_str()) for name, kind in kinds.items()}), file=out)
    for place, text in enumerate(TEXTS):
        line = {
            "text": text,
            "transformers": reference(text)["input_ids"],
            "padded": padded[place],
            "ids": {name: ids[name][place] for name in kinds},
        }
        print(json.dumps(line), file=out)
