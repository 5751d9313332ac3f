package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.io.FormatException;
import dev.jformer.io.gguf.GgufFile;
import dev.jformer.io.gguf.GgufMetadata;
import dev.jformer.io.gguf.GgufWriter;
import java.util.Map;

/** Llama, and SmolLM2, Mistral and others of the same architecture, in GGUF. */
final class GgufLlama implements GgufArchitecture {
  private static final GgufNames NAMES =
      new GgufNames(
          "model.layers.",
          Map.of(
              "attn_norm", "input_layernorm",
              "attn_q", "self_attn.q_proj",
              "attn_k", "self_attn.k_proj",
              "attn_v", "self_attn.v_proj",
              "attn_output", "self_attn.o_proj",
              "ffn_norm", "post_attention_layernorm",
              "ffn_gate", "mlp.gate_proj",
              "ffn_up", "mlp.up_proj",
              "ffn_down", "mlp.down_proj"),
          Map.of(
              "token_embd", "model.embed_tokens",
              "output_norm", "model.norm",
              "output", "lm_head"));

  @Override
  public String name() {
    return "llama";
  }

  @Override
  public GgufNames names() {
    return NAMES;
  }

  @Override
  public ObjectNode config(GgufFile file) {
    GgufMetadata metadata = file.metadata();
    int width = metadata.size("llama.embedding_length");
    int heads = metadata.size("llama.attention.head_count");
    int headDim = metadata.size("llama.attention.key_length", Math.max(1, width / heads));
    supports(metadata, "llama.rope.dimension_count", headDim);
    supports(metadata, "llama.attention.value_length", headDim);
    refuse(metadata, "llama.expert_count");
    refuse(metadata, "llama.attention.sliding_window");
    String scaling = metadata.text("llama.rope.scaling.type", "none");
    if (!scaling.equals("none") || file.tensors().containsKey("rope_freqs.weight")) {
      throw new ConfigException(
          "its rotary positions are scaled for longer texts ("
              + (scaling.equals("none") ? "rope_freqs.weight" : FormatException.oneLine(scaling))
              + "), which is not supported");
    }
    ObjectNode config = JsonNodeFactory.instance.objectNode();
    config.put("model_type", "llama");
    config.put("vocab_size", GgufArchitecture.vocabulary(file));
    config.put("hidden_size", width);
    config.put("num_hidden_layers", metadata.size("llama.block_count"));
    config.put("num_attention_heads", heads);
    config.put("num_key_value_heads", metadata.size("llama.attention.head_count_kv", heads));
    config.put("head_dim", headDim);
    config.put("intermediate_size", metadata.size("llama.feed_forward_length"));
    config.put("max_position_embeddings", metadata.size("llama.context_length"));
    config.put("rms_norm_eps", metadata.number("llama.attention.layer_norm_rms_epsilon", 1e-5));
    config.put("rope_theta", metadata.number("llama.rope.freq_base", 10_000));
    config.put("tie_word_embeddings", !file.tensors().containsKey("output.weight"));
    return config;
  }

  @Override
  public void write(JsonNode config, GgufWriter out) {
    int headDim = config.path("head_dim").asInt();
    out.integer("llama.vocab_size", config.path("vocab_size").asInt())
        .integer("llama.context_length", config.path("max_position_embeddings").asInt())
        .integer("llama.embedding_length", config.path("hidden_size").asInt())
        .integer("llama.block_count", config.path("num_hidden_layers").asInt())
        .integer("llama.feed_forward_length", config.path("intermediate_size").asInt())
        .integer("llama.rope.dimension_count", headDim)
        .integer("llama.attention.head_count", config.path("num_attention_heads").asInt())
        .integer("llama.attention.head_count_kv", config.path("num_key_value_heads").asInt())
        .number("llama.rope.freq_base", config.path("rope_theta").asDouble())
        .number("llama.attention.layer_norm_rms_epsilon", config.path("rms_norm_eps").asDouble());
  }

  private static void supports(GgufMetadata metadata, String key, int only) {
    int given = metadata.size(key, only);
    if (given != only) {
      throw new ConfigException(
          key + " is " + given + ", which is not supported: only " + only + " is");
    }
  }

  /** Refuses a size that is given and not 0. */
  private static void refuse(GgufMetadata metadata, String key) {
    double given = metadata.number(key, 0);
    if (given != 0) {
      throw new ConfigException(key + " is " + given + ", which is not supported");
    }
  }

  @Override
  public int interleavedHeads(JsonNode config, String name) {
    if (name.endsWith(".attn_q.weight")) {
      return config.path("num_attention_heads").asInt();
    }
    return name.endsWith(".attn_k.weight") ? config.path("num_key_value_heads").asInt() : 0;
  }
}
