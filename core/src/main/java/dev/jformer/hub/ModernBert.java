package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jformer.config.ConfigException;
import dev.jformer.ffn.GatedMlp;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.ClassifierHead;
import dev.jformer.model.Encoder;
import dev.jformer.model.NormPlacement;
import dev.jformer.nn.Activation;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Norm;
import dev.jformer.position.Position;
import dev.jformer.position.Rope;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * ModernBERT (<a href="https://arxiv.org/abs/2412.13663">Smarter, Better, Faster, Longer: A Modern
 * Bidirectional Encoder for Fast, Memory Efficient, and Long Context Finetuning and Inference</a>)
 * in Hugging Face's format: pre-norm blocks with rotary positions and GeGLU. One block of several
 * attends to all tokens, the others to near ones, with another base of the rotary angles. The first
 * block has no norm before attention, because the embeddings have one.
 */
final class ModernBert implements Family<Encoder.Config> {
  private static final String PREFIX = "model.";
  private static final String FULL = "full_attention";
  private static final String SLIDING = "sliding_attention";
  private static final Map<String, ClassifierHead.Input> POOLINGS =
      Map.of("cls", ClassifierHead.Input.FIRST, "mean", ClassifierHead.Input.MEAN);

  @Override
  public String modelType() {
    return "modernbert";
  }

  @Override
  public Encoder.Config read(JsonNode theirs, Path folder, Set<String> stored) {
    Fields fields = new Fields(theirs);
    boolean bias = fields.flag("attention_bias", false);
    fields.supports("mlp_bias", fields.flag("mlp_bias", bias), bias);
    boolean mlmHead = stored.contains("decoder.bias");
    Activation headActivation =
        fields.choice("classifier_activation", "gelu", PostNormEncoder.ACTIVATIONS);
    if (mlmHead) {
      fields.supports("tie_word_embeddings", fields.flag("tie_word_embeddings", true), true);
      fields.supports(
          "classifier_activation", fields.text("classifier_activation", "gelu"), "gelu");
    }
    int layers = fields.size("num_hidden_layers");
    int heads = fields.size("num_attention_heads");
    int near = fields.size("local_attention", 128) / 2 + 1;
    List<TokenMixer.Config> mixers = new ArrayList<>();
    List<Position.Config> positions = new ArrayList<>();
    for (boolean local : local(fields, layers)) {
      mixers.add(new SoftmaxAttention.Config(heads, 0).withWindow(local ? near : 0));
      positions.add(position(fields, local));
    }
    Norm.Config norm =
        new Norm.LayerNormConfig(
            fields.positive("norm_eps", 1e-5), fields.flag("norm_bias", false));
    boolean headBias = fields.flag("classifier_bias", false);
    Encoder.Config plain =
        new Encoder.Config()
            .with(
                c ->
                    c.vocab(fields.size("vocab_size"))
                        .length(fields.size("max_position_embeddings", 8192))
                        .embeddings(
                            new Encoder.Embeddings(
                                norm,
                                0,
                                EncoderHead.mask(folder, mlmHead),
                                fields.size("pad_token_id", 50_283)))
                        .head(new Encoder.Head(mlmHead, norm, headBias)))
            .withStack(
                s ->
                    s.layers(layers)
                        .width(fields.size("hidden_size"))
                        .position(LayerPattern.ofPositions(positions)))
            .withBlock(
                b ->
                    b.mixer(LayerPattern.ofMixers(mixers))
                        .ffn(
                            new GatedMlp.Config(
                                fields.choice(
                                    "hidden_activation", "gelu", PostNormEncoder.ACTIVATIONS),
                                1,
                                fields.size("intermediate_size")))
                        .norm(norm)
                        .firstNorm(false)
                        .placement(NormPlacement.PRE)
                        .bias(bias)
                        .dropout(fields.number("mlp_dropout", 0))
                        .init(new BlockContext.Init(0.02, false)));
    int classes = stored.contains("classifier.weight") ? EncoderHead.classes(theirs) : 0;
    if (classes == 0) {
      return plain;
    }
    boolean tokens = EncoderHead.named(theirs).equals(Optional.of(EncoderHead.TOKENS));
    ClassifierHead.Input input =
        tokens ? ClassifierHead.Input.TOKENS : fields.choice("classifier_pooling", "cls", POOLINGS);
    return plain.with(
        c ->
            c.labels(classes)
                .classifier(new ClassifierHead(input, true, headActivation, headBias, norm)));
  }

  /** Whether each block sees near tokens only. */
  private static List<Boolean> local(Fields fields, int layers) {
    List<String> types = fields.texts("layer_types");
    int every = fields.size("global_attn_every_n_layers", 3);
    List<Boolean> local = new ArrayList<>();
    for (int i = 0; i < layers; i++) {
      if (!types.isEmpty() && types.size() != layers) {
        throw new ConfigException(
            "layer_types names " + types.size() + " blocks: expected " + layers);
      }
      String type = types.isEmpty() ? (i % every == 0 ? FULL : SLIDING) : types.get(i);
      if (!type.equals(FULL) && !type.equals(SLIDING)) {
        throw fields.unsupported("layer_types", type, FULL + " and " + SLIDING + " are");
      }
      local.add(type.equals(SLIDING));
    }
    return local;
  }

  /** Older configurations have two fields for the bases, newer ones an object. */
  private static Rope.Config position(Fields fields, boolean local) {
    Fields each = fields.object("rope_parameters");
    Fields rope = each == null ? null : each.object(local ? SLIDING : FULL);
    if (rope != null) {
      return new RotaryFields(fields, local ? 10_000 : 160_000).read(rope);
    }
    double global = fields.positive("global_rope_theta", 160_000);
    return new Rope.Config(local ? fields.positive("local_rope_theta", global) : global);
  }

  @Override
  public List<WeightMap> weights(Encoder.Config config) {
    List<WeightMap> maps = new ArrayList<>();
    boolean bias = config.bias();
    boolean normBias = ((Norm.LayerNormConfig) config.norm()).bias();
    maps.add(WeightMap.same("embedding.weight", PREFIX + "embeddings.tok_embeddings.weight"));
    add(maps, "trunk.inputNorm", PREFIX + "embeddings.norm", normBias);
    for (int i = 0; i < config.layers(); i++) {
      String ours = "trunk.blocks." + i + ".";
      String theirs = PREFIX + "layers." + i + ".";
      if (i > 0) {
        add(maps, ours + "mixerNorm", theirs + "attn_norm", normBias);
      }
      add(maps, ours + "mixer.qkv", theirs + "attn.Wqkv", bias);
      add(maps, ours + "mixer.out", theirs + "attn.Wo", bias);
      add(maps, ours + "ffnNorm", theirs + "mlp_norm", normBias);
      add(maps, ours + "ffn.gateUp", theirs + "mlp.Wi", bias);
      add(maps, ours + "ffn.down", theirs + "mlp.Wo", bias);
    }
    add(maps, "trunk.norm", PREFIX + "final_norm", normBias);
    if (config.head().mlmHead()) {
      add(maps, "transform", "head.dense", config.head().bias());
      add(maps, "transformNorm", "head.norm", normBias);
      maps.add(WeightMap.same("decoderBias", "decoder.bias"));
    }
    if (config.labels() > 0) {
      add(maps, "classifierDense", "head.dense", config.classifier().bias());
      add(maps, "classifierNorm", "head.norm", normBias);
      add(maps, "classifier", "classifier", true);
    }
    return maps;
  }

  private static void add(List<WeightMap> maps, String ours, String theirs, boolean bias) {
    maps.add(WeightMap.same(ours + ".weight", theirs + ".weight"));
    if (bias) {
      maps.add(WeightMap.same(ours + ".bias", theirs + ".bias"));
    }
  }

  /** Files without a head omit the prefix. */
  @Override
  public String spelled(String name, Set<String> stored) {
    return stored.stream().anyMatch(n -> n.startsWith(PREFIX))
        ? name
        : Family.without(PREFIX, name);
  }

  @Override
  public boolean isIgnored(String name) {
    return name.startsWith("head.")
        || name.startsWith("decoder.")
        || name.startsWith("classifier.");
  }
}
