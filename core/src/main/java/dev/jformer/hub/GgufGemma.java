package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.io.gguf.GgufFile;
import dev.jformer.io.gguf.GgufMetadata;
import dev.jformer.io.gguf.GgufWriter;

/**
 * Gemma 2 and 3 in GGUF, whose norms have the factors themselves. Files do not hold which blocks
 * have a window, nor the scale of logits: both follow from the number of blocks.
 */
final class GgufGemma extends GgufRotary {
  private static final String ATTENTION_CAP = "attn_logit_softcapping";
  private static final String FINAL_CAP = "final_logit_softcapping";
  private static final String SCALE = "query_pre_attn_scalar";
  private static final String LOCAL_BASE = "rope_local_base_freq";
  private static final String TYPES = "layer_types";

  private final boolean third;

  GgufGemma(String name) {
    super(name, GgufNames.GEMMA);
    this.third = name.equals("gemma3");
  }

  @Override
  public boolean holds(String modelType) {
    return modelType.equals(third ? "gemma3_text" : name());
  }

  @Override
  String modelType(GgufMetadata metadata) {
    return third ? "gemma3_text" : name();
  }

  @Override
  void read(GgufFile file, ObjectNode config) {
    GgufMetadata metadata = file.metadata();
    readWindow(metadata, config);
    config.set(TYPES, types(config));
    config.put(SCALE, scale(config));
    if (third) {
      config.put(LOCAL_BASE, metadata.number(key("rope.freq_base_swa"), 10_000));
    } else {
      config.put(ATTENTION_CAP, metadata.number(key(ATTENTION_CAP), 50));
      config.put(FINAL_CAP, metadata.number(key(FINAL_CAP), 30));
    }
  }

  /** In Gemma 2 every other block has a window, in Gemma 3 five of six have. */
  private ArrayNode types(JsonNode config) {
    ArrayNode types = ((ObjectNode) config).arrayNode();
    for (int i = 0; i < config.path("num_hidden_layers").asInt(); i++) {
      boolean local = third ? (i + 1) % 6 != 0 : i % 2 == 0;
      types.add(local ? "sliding_attention" : "full_attention");
    }
    return types;
  }

  /** The models of 27 billion parameters have another scale than the others. */
  private double scale(JsonNode config) {
    int layers = config.path("num_hidden_layers").asInt();
    return layers == (third ? 62 : 46)
        ? (double) config.path("hidden_size").asInt() / config.path("num_attention_heads").asInt()
        : config.path("head_dim").asInt();
  }

  @Override
  void writeMore(JsonNode config, GgufWriter out) {
    boolean local = config.path("sliding_window").isInt();
    check(local && config.path(TYPES).equals(types(config)), TYPES, config.path(TYPES));
    check(config.path(SCALE).asDouble() == scale(config), SCALE, config.path(SCALE));
    writeWindow(config, out);
    if (third) {
      out.number(key("rope.freq_base_swa"), config.path(LOCAL_BASE).asDouble());
    } else {
      check(config.path(ATTENTION_CAP).isNumber(), ATTENTION_CAP, config.path(ATTENTION_CAP));
      check(config.path(FINAL_CAP).isNumber(), FINAL_CAP, config.path(FINAL_CAP));
      out.number(key(ATTENTION_CAP), config.path(ATTENTION_CAP).asDouble());
      out.number(key(FINAL_CAP), config.path(FINAL_CAP).asDouble());
    }
  }

  private void check(boolean holds, String field, JsonNode value) {
    if (!holds) {
      throw new ConfigException(
          "this model cannot be saved in GGUF, which fixes "
              + field
              + " of "
              + name()
              + ": it is "
              + value);
    }
  }

  @Override
  public StoredOrder order(JsonNode config, String name) {
    return name.endsWith("norm.weight") ? new StoredOrder.OneMore() : StoredOrder.SAME;
  }
}
