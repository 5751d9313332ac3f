package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.io.gguf.GgufFile;
import dev.jformer.io.gguf.GgufMetadata;
import dev.jformer.io.gguf.GgufWriter;
import java.util.Map;
import java.util.Set;

/** GPT-2 in GGUF, whose matrices are not transposed as Hugging Face's are. */
final class GgufGpt2 implements GgufArchitecture {
  private static final String GELU = "gelu_new";
  private static final Set<String> LINEAR =
      Set.of("attn_qkv.weight", "attn_output.weight", "ffn_up.weight", "ffn_down.weight");
  private static final GgufNames NAMES =
      new GgufNames(
          "transformer.h.",
          Map.of(
              "attn_norm", "ln_1",
              "attn_qkv", "attn.c_attn",
              "attn_output", "attn.c_proj",
              "ffn_norm", "ln_2",
              "ffn_up", "mlp.c_fc",
              "ffn_down", "mlp.c_proj"),
          Map.of(
              "token_embd", "transformer.wte",
              "position_embd", "transformer.wpe",
              "output_norm", "transformer.ln_f",
              "output", "lm_head"));

  @Override
  public String name() {
    return "gpt2";
  }

  @Override
  public GgufNames names() {
    return NAMES;
  }

  @Override
  public StoredOrder order(JsonNode config, String name) {
    boolean linear = LINEAR.contains(name.substring(name.indexOf('.', name.indexOf('.') + 1) + 1));
    return linear ? StoredOrder.TRANSPOSED : StoredOrder.SAME;
  }

  @Override
  public ObjectNode config(GgufFile file) {
    GgufMetadata metadata = file.metadata();
    int width = metadata.size("gpt2.embedding_length");
    ObjectNode config = JsonNodeFactory.instance.objectNode();
    config.put("model_type", "gpt2");
    config.put("vocab_size", GgufArchitecture.vocabulary(file));
    config.put("n_positions", metadata.size("gpt2.context_length"));
    config.put("n_embd", width);
    config.put("n_layer", metadata.sizeUpTo("gpt2.block_count", Fields.MOST_LAYERS));
    config.put("n_head", metadata.size("gpt2.attention.head_count"));
    config.put("n_inner", metadata.size("gpt2.feed_forward_length", 4 * width));
    config.put("activation_function", GELU);
    config.put("layer_norm_epsilon", metadata.number("gpt2.attention.layer_norm_epsilon", 1e-5));
    config.put("tie_word_embeddings", !file.tensors().containsKey("output.weight"));
    return config;
  }

  @Override
  public void write(JsonNode config, GgufWriter out) {
    String activation = config.path("activation_function").asText();
    if (!activation.equals(GELU)) {
      throw new ConfigException(
          "this model cannot be saved as a GPT-2 in GGUF, which has "
              + GELU
              + ": it has "
              + activation);
    }
    out.integer("gpt2.context_length", config.path("n_positions").asInt())
        .integer("gpt2.embedding_length", config.path("n_embd").asInt())
        .integer("gpt2.block_count", config.path("n_layer").asInt())
        .integer("gpt2.feed_forward_length", config.path("n_inner").asInt())
        .integer("gpt2.attention.head_count", config.path("n_head").asInt())
        .number("gpt2.attention.layer_norm_epsilon", config.path("layer_norm_epsilon").asDouble());
  }
}
