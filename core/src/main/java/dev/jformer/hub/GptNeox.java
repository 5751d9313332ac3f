package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.ffn.Mlp;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.model.NormPlacement;
import dev.jformer.nn.Activation;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Norm;
import dev.jformer.position.Rope;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * GPT-NeoX and Pythia in Hugging Face's format: both parts of a block read its input, the first
 * channels of each head are rotated, and queries, keys and values are stored head by head.
 */
final class GptNeox implements Family.Written {
  private static final Map<String, Activation> ACTIVATIONS =
      Map.of(
          "gelu", Activation.GELU,
          "gelu_new", Activation.GELU_TANH,
          "gelu_fast", Activation.GELU_TANH,
          "relu", Activation.RELU,
          "silu", Activation.SILU);

  @Override
  public String modelType() {
    return "gpt_neox";
  }

  @Override
  public String title() {
    return "GPT-NeoX";
  }

  @Override
  public CausalLm.Config read(JsonNode theirs) {
    Fields fields = new Fields(theirs);
    fields.supports("attention_bias", fields.flag("attention_bias", true), true);
    Activation activation = fields.choice("hidden_act", "gelu", ACTIVATIONS);
    boolean parallel = fields.flag("use_parallel_residual", true);
    Rope.Config rope =
        new RotaryFields(fields, fields.positive("rotary_emb_base", 10_000))
            .withRotated(fields.number("rotary_pct", 0.25))
            .read();
    return new CausalLm.Config()
        .with(
            c ->
                c.vocab(fields.size("vocab_size"))
                    .length(fields.size("max_position_embeddings", 2048))
                    .tied(fields.flag("tie_word_embeddings", false)))
        .withStack(
            s ->
                s.layers(fields.layers("num_hidden_layers"))
                    .width(fields.size("hidden_size"))
                    .position(rope))
        .withBlock(
            b ->
                b.mixer(new SoftmaxAttention.Config(fields.size("num_attention_heads"), 0))
                    .ffn(new Mlp.Config(activation, 4, fields.size("intermediate_size")))
                    .norm(new Norm.LayerNormConfig(fields.positive("layer_norm_eps", 1e-5), true))
                    .placement(parallel ? NormPlacement.PARALLEL : NormPlacement.PRE));
  }

  @Override
  public ObjectNode write(CausalLm.Config ours) {
    Mismatch.Check check = new Mismatch.Check(title());
    Rope.Config rope = check.is(Rope.Config.class, ours.position(), "rotary positions");
    check.is(Linear.Config.class, ours.projection(), "plain linear layers");
    Norm.LayerNormConfig norm = check.is(Norm.LayerNormConfig.class, ours.norm(), "layer norm");
    SoftmaxAttention.Config mixer =
        check.is(SoftmaxAttention.Config.class, ours.mixer(), "softmax attention");
    Mlp.Config mlp = check.is(Mlp.Config.class, ours.ffn(), "a plain MLP");
    ObjectNode config = JsonNodeFactory.instance.objectNode();
    config.put("model_type", modelType());
    config.putArray("architectures").add("GPTNeoXForCausalLM");
    config.put("vocab_size", ours.vocab());
    config.put("max_position_embeddings", ours.length());
    config.put("hidden_size", ours.width());
    config.put("intermediate_size", mlp.hiddenFor(ours.width()));
    config.put("num_hidden_layers", ours.layers());
    config.put("num_attention_heads", mixer.heads());
    config.put("hidden_act", check.name(mlp.activation(), ACTIVATIONS, "gelu", "gelu_new"));
    config.put("layer_norm_eps", norm.epsilon());
    RotaryFields.write(rope, config);
    config.put("rotary_emb_base", rope.base()).put("rotary_pct", rope.rotated());
    config.put("use_parallel_residual", ours.placement() == NormPlacement.PARALLEL);
    config.put("attention_bias", true);
    config.put("tie_word_embeddings", ours.tied());
    return config;
  }

  @Override
  public List<WeightMap> weights(CausalLm.Config config) {
    List<WeightMap> maps = new ArrayList<>();
    maps.add(WeightMap.same("embedding.weight", "gpt_neox.embed_in.weight"));
    StoredOrder headByHead = new StoredOrder.HeadByHead(config.mixer().heads());
    for (int i = 0; i < config.layers(); i++) {
      String ours = "blocks." + i + ".";
      String theirs = "gpt_neox.layers." + i + ".";
      both(maps, ours + "mixerNorm", theirs + "input_layernorm", StoredOrder.SAME);
      both(maps, ours + "mixer.qkv", theirs + "attention.query_key_value", headByHead);
      both(maps, ours + "mixer.out", theirs + "attention.dense", StoredOrder.SAME);
      both(maps, ours + "ffnNorm", theirs + "post_attention_layernorm", StoredOrder.SAME);
      both(maps, ours + "ffn.up", theirs + "mlp.dense_h_to_4h", StoredOrder.SAME);
      both(maps, ours + "ffn.down", theirs + "mlp.dense_4h_to_h", StoredOrder.SAME);
    }
    both(maps, "norm", "gpt_neox.final_layer_norm", StoredOrder.SAME);
    if (!config.tied()) {
      maps.add(WeightMap.same("head.weight", "embed_out.weight"));
    }
    return maps;
  }

  private static void both(List<WeightMap> maps, String ours, String theirs, StoredOrder order) {
    maps.add(WeightMap.ordered(ours + ".weight", theirs + ".weight", order));
    maps.add(WeightMap.ordered(ours + ".bias", theirs + ".bias", order));
  }

  /** Old files hold the causal mask and the rates of rotary angles. */
  @Override
  public boolean isIgnored(String name) {
    return name.endsWith(".attention.bias")
        || name.endsWith(".attention.masked_bias")
        || name.endsWith(".rotary_emb.inv_freq")
        || name.equals("embed_out.weight");
  }
}
