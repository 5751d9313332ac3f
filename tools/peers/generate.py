"""Times batch-1 greedy decoding of models of known shapes in transformers, for `jformer bench` to stand beside.

    pip install torch==2.10.0 transformers==4.57.1
    python tools/peers/generate.py --new-tokens 64

Weights are random, float32. Prints one JSON line per repeat and waits for a line on standard input
before the next, so that a caller can alternate with another program.
"""

import argparse
import json
import sys
import time

import torch
from transformers import AutoModelForCausalLM, GPT2Config, LlamaConfig, Qwen2Config

SHAPES = {
    "GPT-2 small": GPT2Config(),
    "SmolLM2-135M": LlamaConfig(
        vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9,
        num_key_value_heads=3, max_position_embeddings=8192, tie_word_embeddings=True),
    "Qwen2.5-0.5B": Qwen2Config(
        vocab_size=151936, hidden_size=896, intermediate_size=4864, num_hidden_layers=24, num_attention_heads=14,
        num_key_value_heads=2, max_position_embeddings=32768, tie_word_embeddings=True),
    "Llama-3.2-1B": LlamaConfig(
        vocab_size=128256, hidden_size=2048, intermediate_size=8192, num_hidden_layers=16, num_attention_heads=32,
        num_key_value_heads=8, max_position_embeddings=8192, tie_word_embeddings=True),
}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--shape", choices=SHAPES, default="GPT-2 small")
    p.add_argument("--prompt", type=int, default=32, help="tokens in the prompt")
    p.add_argument("--new-tokens", type=int, default=64)
    p.add_argument("--repeats", type=int, default=1)
    p.add_argument("--threads", type=int, default=0)
    a = p.parse_args()
    if a.threads:
        torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    config = SHAPES[a.shape]
    model = AutoModelForCausalLM.from_config(config).eval()
    ids = torch.randint(0, config.vocab_size, (1, a.prompt))

    def generate(count):
        start = time.perf_counter()
        with torch.inference_mode():
            out = model.generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=count, min_new_tokens=count,
                do_sample=False, use_cache=True, pad_token_id=0)
        assert out.shape[1] == a.prompt + count
        return 1e3 * (time.perf_counter() - start)

    generate(4)
    for repeat in range(a.repeats):
        ms = generate(a.new_tokens)
        print(json.dumps({
            "repeat": repeat, "torch": torch.__version__, "threads": torch.get_num_threads(),
            "milliseconds": round(ms, 3), "tokens_per_second": round(a.new_tokens / ms * 1e3, 2),
        }), flush=True)
        if a.repeats > 1 and sys.stdin.readline() == "":
            break


if __name__ == "__main__":
    main()
