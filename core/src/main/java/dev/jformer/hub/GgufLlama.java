package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.io.gguf.GgufFile;
import dev.jformer.io.gguf.GgufMetadata;
import dev.jformer.io.gguf.GgufWriter;

/**
 * Llama, and SmolLM2, Mistral and others of the same architecture, in GGUF. A file with a sliding
 * window is a Mistral.
 */
final class GgufLlama extends GgufRotary {
  private static final String MISTRAL = "mistral";

  GgufLlama() {
    super("llama", GgufNames.LLAMA);
  }

  @Override
  public boolean holds(String modelType) {
    return modelType.equals(name()) || modelType.equals(MISTRAL);
  }

  @Override
  String modelType(GgufMetadata metadata) {
    return metadata.number(key("attention.sliding_window"), 0) == 0 ? name() : MISTRAL;
  }

  @Override
  void read(GgufFile file, ObjectNode config) {
    readWindow(file.metadata(), config);
    if (file.tensors().containsKey("blk.0.attn_q.bias")) { // which no key says
      config.put("attention_bias", true);
      config.put("mlp_bias", file.tensors().containsKey("blk.0.ffn_down.bias"));
    }
  }

  @Override
  void writeMore(JsonNode config, GgufWriter out) {
    writeWindow(config, out);
  }

  @Override
  public StoredOrder order(JsonNode config, String name) {
    if (name.endsWith(".attn_q.weight") || name.endsWith(".attn_q.bias")) {
      return new StoredOrder.RotaryPairs(config.path("num_attention_heads").asInt());
    }
    return name.endsWith(".attn_k.weight") || name.endsWith(".attn_k.bias")
        ? new StoredOrder.RotaryPairs(config.path("num_key_value_heads").asInt())
        : StoredOrder.SAME;
  }
}
