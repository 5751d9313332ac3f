"""Times greedy decoding, or the reading of a prompt, of a GGUF file in llama.cpp, for `jformer bench` to stand beside.

    CMAKE_ARGS=-DGGML_NATIVE=ON pip install llama-cpp-python==0.3.36
    python tools/peers/llama_cpp_decode.py --model model.gguf --new-tokens 64

The prompt is random. A time counts the prompt and the new tokens; the largest logit is found with numpy. Weights are
repacked for the processor (AMX) if llama.cpp can compute with them there: where it crashes, which a trial in a process
of its own shows, they stay as the file has them. Prints a JSON line for each repeat and waits for a line on standard
input before the next, so that a caller can alternate with another program.
"""

import argparse
import ctypes
import json
import subprocess
import sys
import time

import llama_cpp as llama
import numpy as np


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--model", required=True)
    p.add_argument("--prompt", type=int, default=32, help="tokens in the prompt")
    p.add_argument("--new-tokens", type=int, default=64)
    p.add_argument("--repeats", type=int, default=1)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--repack", choices=("try", "yes", "no"), default="try")
    a = p.parse_args()
    repack = a.repack == "yes"
    if a.repack == "try":
        trial = [sys.executable, __file__, "--model", a.model, "--new-tokens", "2", "--threads", "1", "--repack", "yes"]
        repack = subprocess.run(trial, capture_output=True).returncode == 0

    llama.llama_backend_init()
    quiet = llama.llama_log_callback(lambda level, text, data: None)
    llama.llama_log_set(quiet, ctypes.c_void_p(0))
    settings = llama.llama_model_default_params()
    settings.use_extra_bufts = repack
    model = llama.llama_model_load_from_file(a.model.encode(), settings)
    if not model:
        sys.exit(f"llama.cpp cannot load {a.model}")
    settings = llama.llama_context_default_params()
    settings.n_ctx = a.prompt + a.new_tokens + 1
    settings.n_batch = settings.n_ubatch = max(a.prompt, 32)
    settings.n_threads = settings.n_threads_batch = a.threads
    context = llama.llama_init_from_model(model, settings)
    vocab = llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(model))
    prompt = np.random.default_rng(1).integers(0, vocab, a.prompt).tolist()

    def decode(tokens):
        array = (llama.llama_token * len(tokens))(*tokens)
        if llama.llama_decode(context, llama.llama_batch_get_one(array, len(tokens))) != 0:
            sys.exit("llama.cpp could not decode")
        logits = llama.llama_get_logits_ith(context, -1)
        return int(np.argmax(np.ctypeslib.as_array(ctypes.cast(logits, ctypes.POINTER(ctypes.c_float)), (vocab,))))

    def run():
        llama.llama_memory_clear(llama.llama_get_memory(context), True)
        start = time.perf_counter()
        token = decode(prompt)
        for _ in range(a.new_tokens - 1):
            token = decode([token])
        return 1e3 * (time.perf_counter() - start)

    run()
    for repeat in range(a.repeats):
        ms = run()
        count = a.new_tokens or a.prompt
        print(json.dumps({
            "repeat": repeat, "llama_cpp_python": llama.__version__, "threads": a.threads, "repacked": repack,
            "milliseconds": round(ms, 3), "tokens_per_second": round(count / ms * 1e3, 2),
        }), flush=True)
        if a.repeats > 1 and sys.stdin.readline() == "":
            break


if __name__ == "__main__":
    main()
