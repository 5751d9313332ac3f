package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.ffn.GatedMlp;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.ClassifierHead;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.model.NormPlacement;
import dev.jformer.nn.Activation;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Norm;
import dev.jformer.position.Position;
import dev.jformer.position.Rope;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * ModernBERT (<a href="https://arxiv.org/abs/2412.13663">Smarter, Better, Faster, Longer: A Modern
 * Bidirectional Encoder for Fast, Memory Efficient, and Long Context Finetuning and Inference</a>)
 * in Hugging Face's format: pre-norm blocks with rotary positions and GeGLU. One block of several
 * attends to all tokens, the others to near ones, with another base of the rotary angles. The first
 * block has no norm before attention, because the embeddings have one.
 */
final class ModernBert implements SavedFamily<Encoder.Config> {
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
    int layers = fields.layers("num_hidden_layers");
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
    if (types.isEmpty()) {
      return pattern(layers, fields.size("global_attn_every_n_layers", 3));
    }
    List<Boolean> local = new ArrayList<>();
    for (int i = 0; i < layers; i++) {
      if (types.size() != layers) {
        throw new ConfigException(
            "layer_types names " + types.size() + " blocks: expected " + layers);
      }
      String type = types.get(i);
      if (!type.equals(FULL) && !type.equals(SLIDING)) {
        throw fields.unsupported("layer_types", type, FULL + " and " + SLIDING + " are");
      }
      local.add(type.equals(SLIDING));
    }
    return local;
  }

  /** One block of so many sees all tokens, the first of them. */
  private static List<Boolean> pattern(int layers, int every) {
    return IntStream.range(0, layers).mapToObj(i -> i % every != 0).toList();
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
    if (EncoderHead.of(config) == EncoderHead.MASKED) {
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

  // ---- Writing

  @Override
  public Class<Encoder.Config> ours() {
    return Encoder.Config.class;
  }

  @Override
  public String title() {
    return "ModernBERT";
  }

  @Override
  public String pipeline(Encoder.Config ours) {
    return EncoderHead.of(ours).pipeline();
  }

  @Override
  public Map<String, ObjectNode> companions(Model model) {
    return Map.of();
  }

  /** A head for masked language modelling beside a classifier is left out: theirs share a layer. */
  @Override
  public ObjectNode write(Encoder.Config ours, List<String> labels) {
    Mismatch.Check check = new Mismatch.Check(title());
    check.is(Linear.Config.class, ours.projection(), "plain linear layers");
    GatedMlp.Config mlp = check.is(GatedMlp.Config.class, ours.ffn(), "a gated MLP");
    Norm.LayerNormConfig norm = check.is(Norm.LayerNormConfig.class, ours.norm(), "layer norm");
    EncoderHead head = EncoderHead.of(ours);
    check.that(
        head != EncoderHead.MASKED || ours.head().norm().equals(norm),
        "one kind of norm",
        ours.head().norm());
    ObjectNode config = JsonNodeFactory.instance.objectNode();
    config.put("model_type", modelType());
    config.putArray("architectures").add(head.architecture("ModernBert"));
    config.put("vocab_size", ours.vocab());
    config.put("max_position_embeddings", ours.length());
    config.put("hidden_size", ours.width());
    config.put("num_hidden_layers", ours.layers());
    config.put("intermediate_size", mlp.hiddenFor(ours.width()));
    config.put("hidden_activation", PostNormEncoder.named(check, mlp.activation()));
    config.put("norm_eps", norm.epsilon()).put("norm_bias", norm.bias());
    config.put("attention_bias", ours.bias()).put("mlp_bias", ours.bias());
    config.put("mlp_dropout", ours.dropout());
    config.put("pad_token_id", Math.max(0, ours.embeddings().padding()));
    List.of("bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id")
        .forEach(config::putNull); // the tokenizer knows them; the defaults are large ids
    config.put("tie_word_embeddings", true).put("decoder_bias", true);
    writeLayers(check, ours, config);
    if (head == EncoderHead.MASKED) {
      config.put("classifier_bias", ours.head().bias()).put("classifier_activation", "gelu");
    } else if (ours.labels() > 0) {
      ClassifierHead classifier = ours.classifier();
      config.put("classifier_bias", classifier.bias());
      config.put("classifier_activation", PostNormEncoder.named(check, classifier.activation()));
      if (!classifier.labelsTokens()) {
        boolean first = classifier.input() == ClassifierHead.Input.FIRST;
        config.put("classifier_pooling", first ? "cls" : "mean");
      }
      HeadLabels.put(config, labels, ours.labels());
    }
    return config;
  }

  /**
   * Windows and rotary positions; for older versions of transformers too, where they can say it.
   */
  private static void writeLayers(Mismatch.Check check, Encoder.Config ours, ObjectNode config) {
    ArrayNode types = config.putArray("layer_types");
    ObjectNode ropes = config.putObject("rope_parameters");
    int window = 0;
    List<Boolean> locals = new ArrayList<>();
    for (int i = 0; i < ours.layers(); i++) {
      SoftmaxAttention.Config mixer =
          check.is(SoftmaxAttention.Config.class, LayerPattern.mixer(ours, i), "softmax attention");
      Rope.Config rope =
          check.is(Rope.Config.class, LayerPattern.position(ours, i), "rotary positions");
      boolean local = mixer.window() > 0;
      types.add(local ? SLIDING : FULL);
      config.put("num_attention_heads", mixer.heads());
      config.put(local ? "local_rope_theta" : "global_rope_theta", rope.base());
      ropes
          .putObject(local ? SLIDING : FULL)
          .put("rope_type", "default")
          .put("rope_theta", rope.base());
      window = Math.max(window, mixer.window());
      locals.add(local);
    }
    config.put("local_attention", window == 0 ? 2 : 2 * (window - 1));
    for (int every = 1; every <= ours.layers(); every++) {
      if (locals.equals(pattern(ours.layers(), every))) {
        config.put("global_attn_every_n_layers", every);
        break;
      }
    }
  }

  @Override
  public Encoder.Config plain(Encoder.Config ours) {
    Encoder.Embeddings embeddings = ours.embeddings();
    List<TokenMixer.Config> mixers = new ArrayList<>();
    List<Position.Config> positions = new ArrayList<>();
    for (int i = 0; i < ours.layers(); i++) {
      mixers.add(plain(LayerPattern.mixer(ours, i)));
      positions.add(LayerPattern.position(ours, i));
    }
    return ours.with(
            c ->
                c.embeddings(
                        new Encoder.Embeddings(embeddings.norm(), embeddings.tokenTypes(), -1, 0))
                    .head(new Encoder.Head(false, ours.norm()))
                    .classifier(ours.labels() == 0 ? new ClassifierHead() : ours.classifier()))
        .withStack(s -> s.position(LayerPattern.ofPositions(positions)))
        .withBlock(
            b -> {
              PostNormEncoder.plain(b, ours.block(), ours.width());
              b.mixer(LayerPattern.ofMixers(mixers));
              if (ours.ffn() instanceof GatedMlp.Config mlp) {
                b.ffn(new GatedMlp.Config(mlp.activation(), 1, mlp.hiddenFor(ours.width())));
              }
            });
  }

  private static TokenMixer.Config plain(TokenMixer.Config mixer) {
    return mixer instanceof SoftmaxAttention.Config softmax
            && softmax.keyValueHeads() == softmax.heads()
        ? softmax.withKeyValueHeads(0)
        : mixer;
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
