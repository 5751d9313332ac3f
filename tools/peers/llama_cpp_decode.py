"""Times greedy decoding, or the reading of a prompt, of a GGUF file in llama.cpp, for `jformer bench` to stand beside.

    CMAKE_ARGS=-DGGML_NATIVE=ON pip install llama-cpp-python==0.3.36
    python tools/peers/llama_cpp_decode.py --model model.gguf --new-tokens 64

The prompt is random. A time counts the prompt and the new tokens; the largest logit is found with numpy. Prints a JSON
line for each repeat and waits for a line on standard input before the next, so that a caller can alternate with another
program.
"""

import argparse
import ctypes
import json
import sys
import time

import llama_cpp
import numpy as np


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--model", required=True)
    p.add_argument("--prompt", type=int, default=32, help="tokens in the prompt")
    p.add_argument("--new-tokens", type=int, default=64)
    p.add_argument("--repeats", type=int, default=1)
    p.add_argument("--threads", type=int, default=2)
    a = p.parse_args()
    model = llama_cpp.Llama(
        a.model, n_ctx=a.prompt + a.new_tokens + 1, n_batch=max(a.prompt, 32), n_threads=a.threads,
        n_threads_batch=a.threads, verbose=False)
    vocab = model.n_vocab()
    prompt = np.random.default_rng(1).integers(0, vocab, a.prompt).tolist()
    context = model.ctx
    batch = llama_cpp.llama_batch_get_one

    def decode(tokens):
        array = (llama_cpp.llama_token * len(tokens))(*tokens)
        if llama_cpp.llama_decode(context, batch(array, len(tokens))) != 0:
            sys.exit("llama.cpp could not decode")
        logits = llama_cpp.llama_get_logits_ith(context, -1)
        return int(np.argmax(np.ctypeslib.as_array(ctypes.cast(logits, ctypes.POINTER(ctypes.c_float)), (vocab,))))

    for repeat in range(-1, a.repeats):
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(context), True)
        start = time.perf_counter()
        token = decode(prompt)
        for _ in range(a.new_tokens - 1):
            token = decode([token])
        ms = 1e3 * (time.perf_counter() - start)
        if repeat < 0:
            continue
        count = a.new_tokens or a.prompt
        print(json.dumps({
            "repeat": repeat, "llama_cpp_python": llama_cpp.__version__, "threads": a.threads,
            "milliseconds": round(ms, 3), "tokens_per_second": round(count / ms * 1e3, 2),
        }), flush=True)
        if a.repeats > 1 and sys.stdin.readline() == "":
            break


if __name__ == "__main__":
    main()
