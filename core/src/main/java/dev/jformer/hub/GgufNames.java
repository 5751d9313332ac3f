package dev.jformer.hub;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Translates the names of tensors between GGUF and Hugging Face. A name is a module's and {@code
 * .weight} or {@code .bias}; the modules of block 3 begin with {@code blk.3.} in GGUF.
 *
 * @param blocks what stands before a block's number in Hugging Face's names
 * @param ofBlock Hugging Face's module names within a block, by GGUF's
 * @param others Hugging Face's other module names, by GGUF's
 */
record GgufNames(String blocks, Map<String, String> ofBlock, Map<String, String> others) {
  /** The names of Llama, and what its relatives add. */
  static final GgufNames LLAMA =
      new GgufNames(
          "model.layers.",
          Map.ofEntries(
              Map.entry("attn_norm", "input_layernorm"),
              Map.entry("attn_q", "self_attn.q_proj"),
              Map.entry("attn_k", "self_attn.k_proj"),
              Map.entry("attn_v", "self_attn.v_proj"),
              Map.entry("attn_q_norm", "self_attn.q_norm"),
              Map.entry("attn_k_norm", "self_attn.k_norm"),
              Map.entry("attn_output", "self_attn.o_proj"),
              Map.entry("ffn_norm", "post_attention_layernorm"),
              Map.entry("ffn_gate", "mlp.gate_proj"),
              Map.entry("ffn_up", "mlp.up_proj"),
              Map.entry("ffn_down", "mlp.down_proj")),
          Map.of(
              "token_embd", "model.embed_tokens",
              "output_norm", "model.norm",
              "output", "lm_head"));

  /** The names of Gemma 2 and 3. */
  static final GgufNames GEMMA =
      LLAMA.with(
          Map.of(
              "post_attention_norm", "post_attention_layernorm",
              "ffn_norm", "pre_feedforward_layernorm",
              "post_ffw_norm", "post_feedforward_layernorm"));

  /** The names of Phi-3. */
  static final GgufNames PHI3 =
      LLAMA.with(Map.of("attn_qkv", "self_attn.qkv_proj", "ffn_up", "mlp.gate_up_proj"));

  /** The names of GPT-NeoX. */
  static final GgufNames NEOX =
      new GgufNames(
          "gpt_neox.layers.",
          Map.of(
              "attn_norm", "input_layernorm",
              "attn_qkv", "attention.query_key_value",
              "attn_output", "attention.dense",
              "ffn_norm", "post_attention_layernorm",
              "ffn_up", "mlp.dense_h_to_4h",
              "ffn_down", "mlp.dense_4h_to_h"),
          Map.of(
              "token_embd", "gpt_neox.embed_in",
              "output_norm", "gpt_neox.final_layer_norm",
              "output", "embed_out"));

  private static final String BLOCKS = "blk.";
  private static final Pattern KIND = Pattern.compile("(.+)(\\.(weight|bias))");

  /** These names, with others in blocks. */
  private GgufNames with(Map<String, String> changes) {
    Map<String, String> changed = new HashMap<>(ofBlock);
    changed.putAll(changes);
    return new GgufNames(blocks, Map.copyOf(changed), others);
  }

  /** Hugging Face's name; the same name if it is not known. */
  String theirs(String gguf) {
    return translated(gguf, BLOCKS, blocks, ofBlock::get, others::get);
  }

  /** GGUF's name; the same name if it is not known. */
  String gguf(String theirs) {
    return translated(theirs, blocks, BLOCKS, inverse(ofBlock)::get, inverse(others)::get);
  }

  private static Map<String, String> inverse(Map<String, String> map) {
    return map.entrySet().stream()
        .collect(Collectors.toMap(Map.Entry::getValue, Map.Entry::getKey));
  }

  private static String translated(
      String name,
      String from,
      String to,
      Function<String, String> block,
      Function<String, String> other) {
    Matcher kind = KIND.matcher(name);
    if (!kind.matches()) {
      return name;
    }
    String module = kind.group(1);
    String translated = other.apply(module);
    if (translated == null && module.startsWith(from)) {
      int end = module.indexOf('.', from.length());
      String part = end < 0 ? null : block.apply(module.substring(end + 1));
      translated = part == null ? null : to + module.substring(from.length(), end + 1) + part;
    }
    return translated == null ? name : translated + kind.group(2);
  }
}
