package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.ffn.Mlp;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.nn.Activation;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Norm;
import dev.jformer.position.LearnedPosition;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * GPT-2 in Hugging Face's format: learned positions, layer norm, biases, usually tied embeddings;
 * its linear layers are stored transposed.
 */
final class Gpt2 implements Family.Written {
  private static final Map<String, Activation> ACTIVATIONS =
      Map.of(
          "gelu_new", Activation.GELU_TANH,
          "gelu_pytorch_tanh", Activation.GELU_TANH,
          "gelu", Activation.GELU,
          "relu", Activation.RELU,
          "silu", Activation.SILU);

  @Override
  public String modelType() {
    return "gpt2";
  }

  @Override
  public String title() {
    return "GPT-2";
  }

  @Override
  public CausalLm.Config read(JsonNode theirs) {
    Fields fields = new Fields(theirs);
    fields.supports("scale_attn_weights", fields.flag("scale_attn_weights", true), true);
    fields.supports(
        "scale_attn_by_inverse_layer_idx",
        fields.flag("scale_attn_by_inverse_layer_idx", false),
        false);
    fields.supports("add_cross_attention", fields.flag("add_cross_attention", false), false);
    Activation activation = fields.choice("activation_function", "gelu_new", ACTIVATIONS);
    int width = fields.size("n_embd");
    return new CausalLm.Config()
        .with(
            c ->
                c.vocab(fields.size("vocab_size"))
                    .length(fields.size("n_positions", 1024))
                    .tied(fields.flag("tie_word_embeddings", true)))
        .withStack(s -> s.layers(fields.layers("n_layer")).width(width))
        .withBlock(
            b ->
                b.mixer(new SoftmaxAttention.Config(fields.size("n_head"), 0))
                    .ffn(new Mlp.Config(activation, 4, fields.size("n_inner", 4 * width)))
                    .norm(
                        new Norm.LayerNormConfig(
                            fields.positive("layer_norm_epsilon", 1e-5), true)));
  }

  @Override
  public ObjectNode write(CausalLm.Config ours) {
    Mismatch.Check check = new Mismatch.Check(title());
    check.is(LearnedPosition.Config.class, ours.position(), "learned positions");
    check.is(Linear.Config.class, ours.projection(), "plain linear layers");
    Norm.LayerNormConfig norm = check.is(Norm.LayerNormConfig.class, ours.norm(), "layer norm");
    SoftmaxAttention.Config mixer =
        check.is(SoftmaxAttention.Config.class, ours.mixer(), "softmax attention");
    Mlp.Config mlp = check.is(Mlp.Config.class, ours.ffn(), "a plain MLP");
    ObjectNode config = JsonNodeFactory.instance.objectNode();
    config.put("model_type", modelType());
    config.putArray("architectures").add("GPT2LMHeadModel");
    config.put("vocab_size", ours.vocab());
    config.put("n_positions", ours.length());
    config.put("n_embd", ours.width());
    config.put("n_layer", ours.layers());
    config.put("n_head", mixer.heads());
    config.put("n_inner", mlp.hiddenFor(ours.width()));
    config.put(
        "activation_function", check.name(mlp.activation(), ACTIVATIONS, "gelu_new", "gelu"));
    config.put("layer_norm_epsilon", norm.epsilon());
    config.put("tie_word_embeddings", ours.tied());
    for (String dropout : List.of("resid_pdrop", "embd_pdrop", "attn_pdrop")) {
      config.put(dropout, 0.0);
    }
    return config;
  }

  /** Files of GPT-2 without the output layer omit the prefix. */
  @Override
  public String spelled(String name, Set<String> names) {
    return names.stream().anyMatch(n -> n.startsWith("h."))
        ? Family.without("transformer.", name)
        : name;
  }

  @Override
  public List<WeightMap> weights(CausalLm.Config config) {
    List<WeightMap> maps = new ArrayList<>();
    maps.add(WeightMap.same("embedding.weight", "transformer.wte.weight"));
    maps.add(WeightMap.same("position.weight", "transformer.wpe.weight"));
    for (int i = 0; i < config.layers(); i++) {
      String ours = "blocks." + i + ".";
      String theirs = "transformer.h." + i + ".";
      weightAndBias(maps, ours + "mixerNorm", theirs + "ln_1", false);
      weightAndBias(maps, ours + "mixer.qkv", theirs + "attn.c_attn", true);
      weightAndBias(maps, ours + "mixer.out", theirs + "attn.c_proj", true);
      weightAndBias(maps, ours + "ffnNorm", theirs + "ln_2", false);
      weightAndBias(maps, ours + "ffn.up", theirs + "mlp.c_fc", true);
      weightAndBias(maps, ours + "ffn.down", theirs + "mlp.c_proj", true);
    }
    weightAndBias(maps, "norm", "transformer.ln_f", false);
    if (!config.tied()) {
      maps.add(WeightMap.same("head.weight", "lm_head.weight"));
    }
    return maps;
  }

  private static void weightAndBias(
      List<WeightMap> maps, String ours, String theirs, boolean transposed) {
    maps.add(
        transposed
            ? WeightMap.transposed(ours + ".weight", theirs + ".weight")
            : WeightMap.same(ours + ".weight", theirs + ".weight"));
    maps.add(WeightMap.same(ours + ".bias", theirs + ".bias"));
  }

  /** Old files hold the causal mask, and a copy of the tied output layer. */
  @Override
  public boolean isIgnored(String name) {
    return name.endsWith(".attn.bias")
        || name.endsWith(".attn.masked_bias")
        || name.equals("lm_head.weight");
  }
}
