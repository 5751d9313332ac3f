package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.io.gguf.GgufFile;
import dev.jformer.io.gguf.GgufWriter;

/** GPT-NeoX and Pythia in GGUF, whose queries, keys and values are stored by kind. */
final class GgufNeox extends GgufRotary {
  private static final String PARALLEL = "use_parallel_residual";

  GgufNeox() {
    super("gptneox", GgufNames.NEOX);
  }

  @Override
  public boolean holds(String modelType) {
    return modelType.equals("gpt_neox");
  }

  @Override
  String modelType(dev.jformer.io.gguf.GgufMetadata metadata) {
    return "gpt_neox";
  }

  @Override
  String epsilonKey() {
    return key("attention.layer_norm_epsilon");
  }

  @Override
  String epsilonField() {
    return "layer_norm_eps";
  }

  @Override
  void read(GgufFile file, ObjectNode config) {
    config.put(PARALLEL, file.metadata().flag(key(PARALLEL), true));
    if (!config.has("partial_rotary_factor")) {
      config.put("partial_rotary_factor", 1.0); // Hugging Face's default is another one
    }
  }

  @Override
  void writeMore(JsonNode config, GgufWriter out) {
    if (!config.path("hidden_act").asText().equals("gelu")) {
      throw new ConfigException(
          "this model cannot be saved as a GPT-NeoX in GGUF, which has gelu: it has "
              + config.path("hidden_act").asText());
    }
    out.flag(key(PARALLEL), config.path(PARALLEL).asBoolean());
  }

  @Override
  public StoredOrder order(JsonNode config, String name) {
    return name.contains(".attn_qkv.")
        ? new StoredOrder.KindByKind(config.path("num_attention_heads").asInt())
        : StoredOrder.SAME;
  }
}
