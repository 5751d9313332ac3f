package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.io.gguf.GgufFile;
import dev.jformer.io.gguf.GgufWriter;

/** Qwen2 and Qwen3 in GGUF, which do not have their sliding windows there. */
final class GgufQwen extends GgufRotary {
  GgufQwen(String name) {
    super(name, GgufNames.LLAMA);
  }

  @Override
  void read(GgufFile file, ObjectNode config) {
    refuse(file.metadata(), key("attention.sliding_window"));
    config.put("use_sliding_window", false);
  }

  @Override
  void writeMore(JsonNode config, GgufWriter out) {
    if (config.path("attention_bias").asBoolean()) {
      throw new ConfigException(
          "this model cannot be saved in GGUF, whose " + name() + " has no biases but Qwen2's");
    }
    if (config.path("use_sliding_window").asBoolean()) {
      throw new ConfigException(
          "this model cannot be saved in GGUF, whose " + name() + " has no sliding window");
    }
  }
}
