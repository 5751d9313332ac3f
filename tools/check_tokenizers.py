"""Learns tokenizers in all ways, reads them with Python's tokenizers, and compares ids and likelihoods.

    pip install tokenizers==0.22.1
    python tools/check_tokenizers.py TEXT [VOCABULARY]

Ids must be equal; the likelihood of our unigram model stands beside that of Hugging Face's trainer.
"""

import collections
import math
import pathlib
import subprocess
import sys
import tempfile

import tokenizers
from tokenizers import models, pre_tokenizers, trainers

HOME = pathlib.Path(__file__).resolve().parent.parent
METHODS = ["bpe", "wordpiece", "unigram", "likelihood", "lzw"]


def nats(ids, size):
    """Of independent tokens, a byte."""
    counts = collections.Counter(ids)
    return -sum(n * math.log(n / len(ids)) for n in counts.values()) / size


def main():
    text_file = pathlib.Path(sys.argv[1])
    vocabulary = int(sys.argv[2]) if len(sys.argv) > 2 else 1024
    text = text_file.read_text(encoding="utf-8")
    size = len(text.encode())
    extra = "naïve 中文 😀\t'tis  we'll   1234 — end"
    with tempfile.TemporaryDirectory() as folder:
        for method in METHODS:
            out = pathlib.Path(folder) / method
            run([*"tokenizer train --method".split(), method, "--data", text_file, "--vocabulary", vocabulary, "--out", out])
            theirs = tokenizers.Tokenizer.from_file(str(out / "tokenizer.json"))
            ids = theirs.encode(text).ids
            for some in [text[:3000], extra]:
                ours = run(["tokenizer", "encode", out, some])
                expected = " ".join(map(str, theirs.encode(some).ids))
                assert ours.strip() == expected, (method, some[:40])
                assert theirs.decode(theirs.encode(some).ids) == some, method
            print(f"{method:12} ids equal; {size / len(ids):.3f} bytes a token, {nats(ids, size):.4f} nats a byte")
        reference = tokenizers.Tokenizer(models.Unigram())
        reference.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        trainer = trainers.UnigramTrainer(
            vocab_size=vocabulary, show_progress=False, special_tokens=["<|endoftext|>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
        reference.train_from_iterator(text.splitlines(keepends=True), trainer)
        ids = reference.encode(text).ids
        print(f"{'theirs':12} unigram; {size / len(ids):.3f} bytes a token, {nats(ids, size):.4f} nats a byte, "
              f"{reference.get_vocab_size()} tokens")


def run(arguments):
    found = subprocess.run([HOME / "jformer", *map(str, arguments)], capture_output=True, text=True)
    if found.returncode:
        raise SystemExit(found.stderr)
    return found.stdout


main()
