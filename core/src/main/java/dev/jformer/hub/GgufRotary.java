package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.io.gguf.GgufFile;
import dev.jformer.io.gguf.GgufMetadata;
import dev.jformer.io.gguf.GgufWriter;

/**
 * Architectures of Llama's kind in GGUF, which share most keys. A subclass says what its own one
 * adds.
 */
abstract class GgufRotary implements GgufArchitecture {
  private final String name;
  private final GgufNames names;

  GgufRotary(String name, GgufNames names) {
    this.name = name;
    this.names = names;
  }

  @Override
  public final String name() {
    return name;
  }

  @Override
  public final GgufNames names() {
    return names;
  }

  /** A key of this architecture. */
  final String key(String rest) {
    return name + "." + rest;
  }

  /** The {@code model_type} of a file in Hugging Face's terms. */
  String modelType(GgufMetadata metadata) {
    return name;
  }

  /** The key of the norm's epsilon. */
  String epsilonKey() {
    return key("attention.layer_norm_rms_epsilon");
  }

  /** The field of the norm's epsilon. */
  String epsilonField() {
    return "rms_norm_eps";
  }

  /** Adds the fields of this architecture to a configuration. */
  void read(GgufFile file, ObjectNode config) {}

  /** Adds the keys of this architecture to a file. */
  void writeMore(JsonNode config, GgufWriter out) {}

  @Override
  public final ObjectNode config(GgufFile file) {
    GgufMetadata metadata = file.metadata();
    int width = metadata.size(key("embedding_length"));
    int heads = metadata.size(key("attention.head_count"));
    int headDim = metadata.size(key("attention.key_length"), Math.max(1, width / heads));
    supports(metadata, key("attention.value_length"), headDim);
    refuse(metadata, key("expert_count"));
    ObjectNode config = JsonNodeFactory.instance.objectNode();
    config.put("model_type", modelType(metadata));
    config.put("vocab_size", GgufArchitecture.vocabulary(file));
    config.put("hidden_size", width);
    config.put("num_hidden_layers", metadata.sizeUpTo(key("block_count"), Fields.MOST_LAYERS));
    config.put("num_attention_heads", heads);
    config.put("num_key_value_heads", metadata.size(key("attention.head_count_kv"), heads));
    config.put("head_dim", headDim);
    config.put("intermediate_size", metadata.size(key("feed_forward_length")));
    config.put("max_position_embeddings", metadata.size(key("context_length")));
    config.put(epsilonField(), metadata.number(epsilonKey(), 1e-5));
    config.put("tie_word_embeddings", !file.tensors().containsKey("output.weight"));
    new GgufRope(name).read(file, headDim, config);
    read(file, config);
    return config;
  }

  @Override
  public final void write(JsonNode config, GgufWriter out) {
    int width = config.path("hidden_size").asInt();
    int heads = config.path("num_attention_heads").asInt();
    int headDim = config.path("head_dim").asInt(width / heads);
    out.integer(key("vocab_size"), config.path("vocab_size").asInt())
        .integer(key("context_length"), config.path("max_position_embeddings").asInt())
        .integer(key("embedding_length"), width)
        .integer(key("block_count"), config.path("num_hidden_layers").asInt())
        .integer(key("feed_forward_length"), config.path("intermediate_size").asInt())
        .integer(key("attention.head_count"), heads)
        .integer(key("attention.head_count_kv"), config.path("num_key_value_heads").asInt(heads))
        .number(epsilonKey(), config.path(epsilonField()).asDouble());
    if (headDim * heads != width) {
      out.integer(key("attention.key_length"), headDim);
      out.integer(key("attention.value_length"), headDim);
    }
    new GgufRope(name).write(config, headDim, out);
    writeMore(config, out);
  }

  /** Reads the sliding window of a file, as {@code sliding_window}; null if it has none. */
  final void readWindow(GgufMetadata metadata, ObjectNode config) {
    double window = metadata.number(key("attention.sliding_window"), 0);
    config.put("sliding_window", window == 0 ? null : (Integer) (int) window);
  }

  /** Writes the sliding window of a configuration, if it has one. */
  final void writeWindow(JsonNode config, GgufWriter out) {
    if (config.path("sliding_window").isInt()) {
      out.integer(key("attention.sliding_window"), config.path("sliding_window").asInt());
    }
  }

  private static void supports(GgufMetadata metadata, String key, int only) {
    int given = metadata.size(key, only);
    if (given != only) {
      throw new ConfigException(
          key + " is " + given + ", which is not supported: only " + only + " is");
    }
  }

  /** Refuses a size that is given and not 0. */
  static void refuse(GgufMetadata metadata, String key) {
    double given = metadata.number(key, 0);
    if (given != 0) {
      throw new ConfigException(key + " is " + given + ", which is not supported");
    }
  }
}
