package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.ffn.Mlp;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.BlockConfig;
import dev.jformer.model.BlockConfigBuilder;
import dev.jformer.model.ClassifierHead;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.nn.Activation;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Norm;
import dev.jformer.nn.Residual;
import dev.jformer.position.LearnedPosition;
import dev.jformer.position.Position;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Encoders like BERT in Hugging Face's format: post-norm blocks, and a norm on the embeddings.
 * Their families differ in names, in positions and in heads. A head for masked language modelling,
 * or a classifier of texts or tokens, is read if the file holds one; others are left out. So is
 * dropout of attention weights, which our mixers do not have; it only acts in training.
 */
abstract class PostNormEncoder implements SavedFamily<Encoder.Config> {
  static final Map<String, Activation> ACTIVATIONS =
      Map.of(
          "gelu", Activation.GELU,
          "gelu_new", Activation.GELU_TANH,
          "gelu_pytorch_tanh", Activation.GELU_TANH,
          "relu", Activation.RELU,
          "silu", Activation.SILU);

  private static final List<String> LEFT_OUT =
      List.of(
          "pooler.",
          "cls.seq_relationship.",
          "cls.predictions.decoder.",
          "lm_head.decoder.",
          "vocab_projector.weight",
          "classifier.",
          "pre_classifier.",
          "qa_outputs.",
          "embeddings.position_ids");

  private final EncoderNames names;

  PostNormEncoder(EncoderNames names) {
    this.names = names;
  }

  /** The name of a field of BERT's configuration in this family's. */
  String field(String bert) {
    return bert;
  }

  /** The number of rows of the table of positions that no token uses. */
  int unusedPositions(int padding) {
    return 0;
  }

  /** The id of padding if the configuration has none. */
  abstract int usualPadding();

  /** The number of types of tokens. */
  abstract int tokenTypes(Fields fields);

  /** The activation of the layer before the classifier of texts. */
  Activation classifierActivation() {
    return Activation.TANH;
  }

  /** Sets what is special about the family. */
  Encoder.Config complete(Encoder.Config config, Fields fields) {
    return config;
  }

  @Override
  public Encoder.Config read(JsonNode theirs, Path folder, Set<String> stored) {
    Fields fields = new Fields(theirs);
    fields.supports(
        "position_embedding_type", fields.text("position_embedding_type", "absolute"), "absolute");
    fields.supports("is_decoder", fields.flag("is_decoder", false), false);
    fields.supports("add_cross_attention", fields.flag("add_cross_attention", false), false);
    Activation activation = fields.choice(field("hidden_act"), "gelu", ACTIVATIONS);
    boolean mlmHead = stored.contains(names.mlmDense() + ".weight");
    if (mlmHead) {
      fields.supports("tie_word_embeddings", fields.flag("tie_word_embeddings", true), true);
      // The head's activation follows the blocks' in some families; ours is always GELU.
      fields.supports(field("hidden_act"), fields.text(field("hidden_act"), "gelu"), "gelu");
    }
    int padding = padding(theirs);
    int positions = fields.size("max_position_embeddings", 512);
    int length = positions - unusedPositions(padding);
    if (length < 1) {
      throw new ConfigException(
          "max_position_embeddings is "
              + positions
              + ": expected more than the "
              + unusedPositions(padding)
              + " that no token uses");
    }
    Encoder.Config plain =
        new EncoderShape(
                fields.layers(field("num_hidden_layers")),
                fields.size(field("hidden_size")),
                fields.size(field("num_attention_heads")),
                fields.size(field("intermediate_size")),
                fields.size("vocab_size"),
                length,
                tokenTypes(fields),
                activation,
                fields.positive("layer_norm_eps", 1e-12),
                fields.number(field("hidden_dropout_prob"), 0.1),
                EncoderHead.mask(folder, mlmHead),
                padding,
                mlmHead)
            .config();
    return complete(withClasses(plain, theirs, stored), fields);
  }

  private Encoder.Config withClasses(Encoder.Config plain, JsonNode theirs, Set<String> stored) {
    int classes = EncoderHead.classes(theirs);
    EncoderHead head = head(theirs, stored);
    if (classes == 0 || (head != EncoderHead.TEXT && head != EncoderHead.TOKENS)) {
      return plain;
    }
    ClassifierHead classifier =
        head == EncoderHead.TEXT
            ? new ClassifierHead(ClassifierHead.Input.FIRST, classifierActivation())
            : new ClassifierHead(ClassifierHead.Input.TOKENS);
    return plain.with(c -> c.labels(classes).classifier(classifier));
  }

  /** The head that the configuration names, or else that the weights make. */
  private EncoderHead head(JsonNode theirs, Set<String> stored) {
    if (!stored.contains(names.text() + ".weight")
        && !stored.contains(EncoderNames.TOKENS + ".weight")) {
      return EncoderHead.NONE;
    }
    boolean pooled =
        stored.contains(names.pooler() + ".weight") && stored.contains(names.text() + ".weight");
    return EncoderHead.named(theirs).orElse(pooled ? EncoderHead.TEXT : EncoderHead.TOKENS);
  }

  private int padding(JsonNode theirs) {
    JsonNode padding = theirs.path("pad_token_id");
    if (padding.isMissingNode() || padding.isNull()) {
      return usualPadding();
    }
    if (!padding.canConvertToExactIntegral() || !padding.canConvertToInt()) {
      throw new ConfigException("pad_token_id is " + padding + ": expected an integer");
    }
    return Math.max(0, padding.intValue());
  }

  /** The name of our table of positions. */
  String positions() {
    return "trunk.position.weight";
  }

  @Override
  public List<WeightMap> weights(Encoder.Config config) {
    List<WeightMap> maps = new ArrayList<>();
    String embeddings = names.prefix() + "embeddings.";
    maps.add(WeightMap.same("embedding.weight", embeddings + "word_embeddings.weight"));
    maps.add(
        WeightMap.ordered(
            positions(),
            embeddings + "position_embeddings.weight",
            new StoredOrder.After(unusedPositions(config.embeddings().padding()))));
    if (config.embeddings().tokenTypes() > 0) {
      maps.add(WeightMap.same("tokenTypes.weight", embeddings + "token_type_embeddings.weight"));
    }
    weightAndBias(maps, "trunk.inputNorm", embeddings + "LayerNorm");
    for (int i = 0; i < config.layers(); i++) {
      block(maps, config.width(), "trunk.blocks." + i + ".", i);
    }
    if (config.head().mlmHead()) {
      weightAndBias(maps, "transform", names.mlmDense());
      weightAndBias(maps, "transformNorm", names.mlmNorm());
      maps.add(WeightMap.same("decoderBias", names.mlmBias()));
    }
    if (config.labels() > 0) {
      boolean tokens = config.classifier().labelsTokens();
      if (!tokens) {
        weightAndBias(maps, "classifierDense", names.pooler());
      }
      weightAndBias(maps, "classifier", tokens ? EncoderNames.TOKENS : names.text());
    }
    return maps;
  }

  private void block(List<WeightMap> maps, long width, String ours, int number) {
    String theirs = names.prefix() + names.layer() + number + ".";
    for (String kind : List.of(".weight", ".bias")) {
      maps.add(
          WeightMap.joined(
              ours + "mixer.qkv" + kind,
              Stream.of(names.query(), names.key(), names.value())
                  .map(name -> theirs + name + kind)
                  .toList(),
              List.of(width, width, width)));
    }
    weightAndBias(maps, ours + "mixer.out", theirs + names.out());
    weightAndBias(maps, ours + "mixerNorm", theirs + names.mixerNorm());
    weightAndBias(maps, ours + "ffn.up", theirs + names.up());
    weightAndBias(maps, ours + "ffn.down", theirs + names.down());
    weightAndBias(maps, ours + "ffnNorm", theirs + names.ffnNorm());
  }

  private static void weightAndBias(List<WeightMap> maps, String ours, String theirs) {
    maps.add(WeightMap.same(ours + ".weight", theirs + ".weight"));
    maps.add(WeightMap.same(ours + ".bias", theirs + ".bias"));
  }

  // ---- Writing

  /** The beginning of the names of transformers' classes. */
  abstract String className();

  @Override
  public Class<Encoder.Config> ours() {
    return Encoder.Config.class;
  }

  @Override
  public String pipeline(Encoder.Config ours) {
    return EncoderHead.of(ours).pipeline();
  }

  /**
   * The head for masked language modelling beside a classifier is left out, as transformers does.
   */
  @Override
  public ObjectNode write(Encoder.Config ours, List<String> labels) {
    Mismatch.Check check = new Mismatch.Check(title());
    check.is(Linear.Config.class, ours.projection(), "plain linear layers");
    SoftmaxAttention.Config mixer =
        check.is(SoftmaxAttention.Config.class, ours.mixer(), "softmax attention");
    Mlp.Config mlp = check.is(Mlp.Config.class, ours.ffn(), "a plain MLP");
    Norm.LayerNormConfig norm = check.is(Norm.LayerNormConfig.class, ours.norm(), "layer norm");
    EncoderHead head = EncoderHead.of(ours);
    check.that(
        head != EncoderHead.MASKED || ours.head().norm().equals(norm),
        "one kind of norm",
        ours.head().norm());
    check.that(
        head != EncoderHead.MASKED || mlp.activation() == Activation.GELU,
        "GELU in blocks and head",
        mlp.activation());
    ObjectNode config = JsonNodeFactory.instance.objectNode();
    config.put("model_type", modelType());
    config.putArray("architectures").add(head.architecture(className()));
    config.put("vocab_size", ours.vocab());
    config.put(field("hidden_size"), ours.width());
    config.put(field("num_hidden_layers"), ours.layers());
    config.put(field("num_attention_heads"), mixer.heads());
    config.put(field("intermediate_size"), mlp.hiddenFor(ours.width()));
    config.put(field("hidden_act"), named(check, mlp.activation()));
    config.put(field("hidden_dropout_prob"), ours.dropout());
    int padding = Math.max(0, ours.embeddings().padding());
    config.put("max_position_embeddings", ours.length() + unusedPositions(padding));
    config.put("layer_norm_eps", norm.epsilon());
    config.put("pad_token_id", padding);
    if (ours.embeddings().tokenTypes() > 0) {
      config.put("type_vocab_size", ours.embeddings().tokenTypes());
    }
    config.put("tie_word_embeddings", true);
    if (ours.labels() > 0) {
      HeadLabels.put(config, labels, ours.labels());
    }
    return config;
  }

  static String named(Mismatch.Check check, Activation activation) {
    List<String> names =
        ACTIVATIONS.keySet().stream()
            .filter(name -> ACTIVATIONS.get(name) == activation)
            .sorted()
            .toList();
    check.that(!names.isEmpty(), "another activation", activation);
    return names.get(0);
  }

  @Override
  public Encoder.Config plain(Encoder.Config ours) {
    Encoder.Embeddings embeddings = ours.embeddings();
    return ours.with(
            c ->
                c.embeddings(
                        new Encoder.Embeddings(embeddings.norm(), embeddings.tokenTypes(), -1, 0))
                    .head(new Encoder.Head(false, ours.norm()))
                    .classifier(ours.labels() == 0 ? new ClassifierHead() : ours.classifier()))
        .withStack(s -> s.position(plain(ours.position())))
        .withBlock(b -> plain(b, ours.block(), ours.width()));
  }

  /** Gives a block the defaults of what matters in training only, or follows from other fields. */
  static void plain(BlockConfigBuilder made, BlockConfig block, int width) {
    made.dropout(0).init(new BlockContext.Init());
    made.residual(new Residual(block.residual().layerScale(), 0));
    if (block.ffn() instanceof Mlp.Config mlp) {
      made.ffn(new Mlp.Config(mlp.activation(), 4, mlp.hiddenFor(width)));
    }
    if (block.mixer() instanceof SoftmaxAttention.Config mixer
        && mixer.keyValueHeads() == mixer.heads()) {
      made.mixer(new SoftmaxAttention.Config(mixer.heads(), 0, mixer.cache()));
    }
  }

  /** Positions with the defaults of what matters in training only. */
  Position.Config plain(Position.Config position) {
    return usual(position);
  }

  static Position.Config usual(Position.Config position) {
    return position instanceof LearnedPosition.Config ? new LearnedPosition.Config() : position;
  }

  @Override
  public Map<String, ObjectNode> companions(Model model) {
    return Map.of();
  }

  /** Files without a head omit the prefix; old ones have other names for norm weights. */
  @Override
  public String spelled(String name, Set<String> stored) {
    boolean bare = stored.stream().noneMatch(n -> n.startsWith(names.prefix()));
    String given = bare ? Family.without(names.prefix(), name) : name;
    String old =
        given
            .replace("LayerNorm.weight", "LayerNorm.gamma")
            .replace("LayerNorm.bias", "LayerNorm.beta");
    return stored.contains(old) ? old : given;
  }

  @Override
  public boolean isIgnored(String name) {
    String bare = Family.without(names.prefix(), name);
    return LEFT_OUT.stream().anyMatch(bare::startsWith);
  }
}
