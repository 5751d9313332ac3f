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
import dev.jformer.position.LearnedPosition;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * OPT in Hugging Face's format: learned positions, of which the first two are not used, layer norm,
 * biases, ReLU. The one of 350 million parameters has norms after its parts, none at the end, and
 * embeddings of another width.
 */
final class Opt implements Family.Written {
  private static final String NORM_BEFORE = "do_layer_norm_before";
  private static final String EMBEDDING_WIDTH = "word_embed_proj_dim";
  private static final StoredOrder POSITIONS = new StoredOrder.After(2);

  @Override
  public String modelType() {
    return "opt";
  }

  @Override
  public String title() {
    return "OPT";
  }

  @Override
  public CausalLm.Config read(JsonNode theirs) {
    Fields fields = new Fields(theirs);
    int width = fields.size("hidden_size");
    fields.supports("activation_function", fields.text("activation_function", "relu"), "relu");
    int embedded = fields.size(EMBEDDING_WIDTH, width);
    boolean before = fields.flag(NORM_BEFORE, true);
    for (String name : List.of("enable_bias", "layer_norm_elementwise_affine")) {
      fields.supports(name, fields.flag(name, true), true);
    }
    String noNorm = "_remove_final_layer_norm";
    fields.supports(noNorm, fields.flag(noNorm, false), false);
    return new CausalLm.Config()
        .with(
            c ->
                c.vocab(fields.size("vocab_size"))
                    .length(fields.size("max_position_embeddings", 2048))
                    .tied(fields.flag("tie_word_embeddings", true))
                    .embeddingWidth(embedded == width ? 0 : embedded))
        .withStack(s -> s.layers(fields.layers("num_hidden_layers")).width(width))
        .withBlock(
            b ->
                b.mixer(new SoftmaxAttention.Config(fields.size("num_attention_heads"), 0))
                    .ffn(new Mlp.Config(Activation.RELU, 4, fields.size("ffn_dim")))
                    .norm(new Norm.LayerNormConfig(1e-5, true))
                    .placement(before ? NormPlacement.PRE : NormPlacement.POST));
  }

  @Override
  public ObjectNode write(CausalLm.Config ours) {
    Mismatch.Check check = new Mismatch.Check(title());
    check.is(LearnedPosition.Config.class, ours.position(), "learned positions");
    check.is(Linear.Config.class, ours.projection(), "plain linear layers");
    SoftmaxAttention.Config mixer =
        check.is(SoftmaxAttention.Config.class, ours.mixer(), "softmax attention");
    Mlp.Config mlp = check.is(Mlp.Config.class, ours.ffn(), "a plain MLP");
    ObjectNode config = JsonNodeFactory.instance.objectNode();
    config.put("model_type", modelType());
    config.putArray("architectures").add("OPTForCausalLM");
    config.put("vocab_size", ours.vocab());
    config.put("max_position_embeddings", ours.length());
    boolean same = ours.embeddingWidth() == 0;
    config.put("hidden_size", ours.width());
    config.put(EMBEDDING_WIDTH, same ? ours.width() : ours.embeddingWidth());
    config.put("ffn_dim", mlp.hiddenFor(ours.width()));
    config.put("num_hidden_layers", ours.layers());
    config.put("num_attention_heads", mixer.heads());
    config.put("activation_function", "relu");
    config.put(NORM_BEFORE, ours.placement() == NormPlacement.PRE).put("enable_bias", true);
    config.put("dropout", 0.0);
    config.put("tie_word_embeddings", ours.tied());
    return config;
  }

  /** Files without the output layer omit a prefix. */
  @Override
  public String spelled(String name, Set<String> names) {
    return names.stream().anyMatch(n -> n.startsWith("decoder."))
        ? Family.without("model.", name)
        : name;
  }

  @Override
  public List<WeightMap> weights(CausalLm.Config config) {
    List<WeightMap> maps = new ArrayList<>();
    maps.add(WeightMap.same("embedding.weight", "model.decoder.embed_tokens.weight"));
    maps.add(
        WeightMap.ordered("position.weight", "model.decoder.embed_positions.weight", POSITIONS));
    List<Long> rows = List.of((long) config.width(), (long) config.width(), (long) config.width());
    for (int i = 0; i < config.layers(); i++) {
      String ours = "blocks." + i + ".";
      String theirs = "model.decoder.layers." + i + ".";
      for (String kind : List.of(".weight", ".bias")) {
        maps.add(
            WeightMap.joined(
                ours + "mixer.qkv" + kind,
                List.of(
                    theirs + "self_attn.q_proj" + kind,
                    theirs + "self_attn.k_proj" + kind,
                    theirs + "self_attn.v_proj" + kind),
                rows));
      }
      both(maps, ours + "mixerNorm", theirs + "self_attn_layer_norm");
      both(maps, ours + "mixer.out", theirs + "self_attn.out_proj");
      both(maps, ours + "ffnNorm", theirs + "final_layer_norm");
      both(maps, ours + "ffn.up", theirs + "fc1");
      both(maps, ours + "ffn.down", theirs + "fc2");
    }
    if (config.placement() == NormPlacement.PRE) {
      both(maps, "norm", "model.decoder.final_layer_norm");
    }
    if (config.embeddingWidth() != 0) {
      maps.add(WeightMap.same("widen.weight", "model.decoder.project_in.weight"));
      maps.add(WeightMap.same("narrow.weight", "model.decoder.project_out.weight"));
    }
    if (!config.tied()) {
      maps.add(WeightMap.same("head.weight", "lm_head.weight"));
    }
    return maps;
  }

  private static void both(List<WeightMap> maps, String ours, String theirs) {
    maps.add(WeightMap.same(ours + ".weight", theirs + ".weight"));
    maps.add(WeightMap.same(ours + ".bias", theirs + ".bias"));
  }

  @Override
  public boolean isIgnored(String name) {
    return name.equals("lm_head.weight");
  }
}
