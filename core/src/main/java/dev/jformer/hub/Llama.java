package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.ffn.GatedMlp;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.model.NormPlacement;
import dev.jformer.nn.Activation;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Norm;
import dev.jformer.position.Rope;
import java.util.ArrayList;
import java.util.List;

/** Llama in Hugging Face's format: rotary positions, RMS norm, no biases, SwiGLU, grouped heads. */
final class Llama implements Family.Written {
  @Override
  public String modelType() {
    return "llama";
  }

  @Override
  public CausalLm.Config read(JsonNode theirs) {
    Fields fields = new Fields(theirs);
    fields.supports("hidden_act", fields.text("hidden_act", "silu"), "silu");
    fields.supports("attention_bias", fields.flag("attention_bias", false), false);
    fields.supports("mlp_bias", fields.flag("mlp_bias", false), false);
    fields.supports("partial_rotary_factor", fields.number("partial_rotary_factor", 1), 1.0);
    int width = fields.size("hidden_size");
    int heads = fields.size("num_attention_heads");
    int headDim = fields.size("head_dim", Math.max(1, width / heads));
    if ((long) headDim * heads != width) {
      throw new ConfigException(
          "head_dim is "
              + headDim
              + ", which is not supported: only hidden_size / "
              + "num_attention_heads = "
              + width
              + " / "
              + heads
              + " is");
    }
    return new CausalLm.Config()
        .with(
            c ->
                c.vocab(fields.size("vocab_size"))
                    .length(fields.size("max_position_embeddings", 2048))
                    .tied(fields.flag("tie_word_embeddings", false)))
        .withStack(
            s ->
                s.layers(fields.size("num_hidden_layers"))
                    .width(width)
                    .position(new Rope.Config(theta(fields))))
        .withBlock(
            b ->
                b.mixer(
                        new SoftmaxAttention.Config(
                            heads, fields.size("num_key_value_heads", heads)))
                    .ffn(new GatedMlp.Config(Activation.SILU, 1, fields.size("intermediate_size")))
                    .norm(new Norm.RmsNormConfig(fields.positive("rms_norm_eps", 1e-6)))
                    .bias(false));
  }

  /**
   * The base of the rotary angles. Newer configurations hold it in the object {@code
   * rope_parameters}; older ones have {@code rope_scaling}.
   */
  private static double theta(Fields fields) {
    double theta = fields.positive("rope_theta", 10_000);
    for (String name : List.of("rope_scaling", "rope_parameters")) {
      Fields rope = fields.object(name);
      if (rope != null) {
        for (String type : List.of("type", "rope_type")) {
          rope.supports(type, rope.text(type, "default"), "default");
        }
        rope.supports("partial_rotary_factor", rope.number("partial_rotary_factor", 1), 1.0);
        rope.refuseOthers("type", "rope_type", "partial_rotary_factor", "rope_theta");
        theta = rope.positive("rope_theta", theta);
      }
    }
    return theta;
  }

  @Override
  public ObjectNode write(CausalLm.Config ours, Blueprint blueprint) {
    Mismatch.Check check = new Mismatch.Check("Llama");
    Rope.Config rope = check.is(Rope.Config.class, ours.position(), "rotary positions");
    check.that(ours.placement() == NormPlacement.PRE, "norms before", ours.placement());
    check.that(!ours.bias(), "no biases", "some");
    check.is(Linear.Config.class, ours.projection(), "plain linear layers");
    Norm.RmsNormConfig norm = check.is(Norm.RmsNormConfig.class, ours.norm(), "RMS norm");
    SoftmaxAttention.Config mixer =
        check.is(SoftmaxAttention.Config.class, ours.mixer(), "softmax attention");
    GatedMlp.Config mlp = check.is(GatedMlp.Config.class, ours.ffn(), "a gated MLP");
    check.that(mlp.activation() == Activation.SILU, "SiLU gates", mlp.activation());
    ObjectNode config = JsonNodeFactory.instance.objectNode();
    config.put("model_type", modelType());
    config.putArray("architectures").add("LlamaForCausalLM");
    config.put("vocab_size", ours.vocab());
    config.put("max_position_embeddings", ours.length());
    config.put("hidden_size", ours.width());
    config.put("intermediate_size", mlp.hiddenFor(ours.width()));
    config.put("num_hidden_layers", ours.layers());
    config.put("num_attention_heads", mixer.heads());
    config.put("num_key_value_heads", keyValueHeads(mixer));
    config.put("head_dim", ours.width() / mixer.heads());
    config.put("hidden_act", "silu");
    config.put("rms_norm_eps", norm.epsilon());
    config.put("rope_theta", rope.base());
    config.put("attention_bias", false).put("mlp_bias", false);
    config.put("tie_word_embeddings", ours.tied());
    return config;
  }

  private static int keyValueHeads(SoftmaxAttention.Config mixer) {
    return mixer.keyValueHeads() == 0 ? mixer.heads() : mixer.keyValueHeads();
  }

  @Override
  public List<WeightMap> weights(CausalLm.Config config) {
    SoftmaxAttention.Config mixer = (SoftmaxAttention.Config) config.mixer();
    long headDim = config.width() / mixer.heads();
    long keys = keyValueHeads(mixer) * headDim;
    long hidden = ((GatedMlp.Config) config.ffn()).hiddenFor(config.width());
    List<WeightMap> maps = new ArrayList<>();
    maps.add(WeightMap.same("embedding.weight", "model.embed_tokens.weight"));
    for (int i = 0; i < config.layers(); i++) {
      String ours = "blocks." + i + ".";
      String theirs = "model.layers." + i + ".";
      maps.add(WeightMap.same(ours + "mixerNorm.weight", theirs + "input_layernorm.weight"));
      maps.add(
          WeightMap.joined(
              ours + "mixer.qkv.weight",
              List.of(
                  theirs + "self_attn.q_proj.weight",
                  theirs + "self_attn.k_proj.weight",
                  theirs + "self_attn.v_proj.weight"),
              List.of((long) config.width(), keys, keys)));
      maps.add(WeightMap.same(ours + "mixer.out.weight", theirs + "self_attn.o_proj.weight"));
      maps.add(WeightMap.same(ours + "ffnNorm.weight", theirs + "post_attention_layernorm.weight"));
      maps.add(
          WeightMap.joined(
              ours + "ffn.gateUp.weight",
              List.of(theirs + "mlp.gate_proj.weight", theirs + "mlp.up_proj.weight"),
              List.of(hidden, hidden)));
      maps.add(WeightMap.same(ours + "ffn.down.weight", theirs + "mlp.down_proj.weight"));
    }
    maps.add(WeightMap.same("norm.weight", "model.norm.weight"));
    if (!config.tied()) {
      maps.add(WeightMap.same("head.weight", "lm_head.weight"));
    }
    return maps;
  }

  @Override
  public boolean isIgnored(String name) {
    return name.endsWith(".rotary_emb.inv_freq") || name.equals("lm_head.weight");
  }
}
