package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jformer.config.ConfigException;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.ffn.Mlp;
import dev.jformer.io.FormatException;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.Encoder;
import dev.jformer.model.NormPlacement;
import dev.jformer.nn.Activation;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Norm;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * BERT (<a href="https://arxiv.org/abs/1810.04805">BERT: Pre-training of Deep Bidirectional
 * Transformers for Language Understanding</a>) in Hugging Face's format: post-norm blocks and a
 * norm on the embeddings, which are the sum of word, position and token type. It has a head for
 * masked language modelling if its file holds one.
 *
 * <p>The head for next-sentence prediction is left out. So is dropout of attention weights, which
 * our mixers do not have; it only acts in training.
 */
final class Bert implements Family<Encoder.Config> {
  /** The token that masks a token to predict. */
  static final String MASK = "[MASK]";

  private static final String PREFIX = "bert.";
  private static final String HEAD = "cls.predictions.";
  private static final Map<String, Activation> ACTIVATIONS =
      Map.of(
          "gelu", Activation.GELU,
          "gelu_new", Activation.GELU_TANH,
          "gelu_pytorch_tanh", Activation.GELU_TANH,
          "relu", Activation.RELU,
          "silu", Activation.SILU);

  /**
   * The sizes and settings in which BERT models differ.
   *
   * @param mask id of the mask token; negative if there is none
   * @param padding id of padding
   */
  record Shape(
      int layers,
      int width,
      int heads,
      int hidden,
      int vocab,
      int length,
      int tokenTypes,
      Activation activation,
      double epsilon,
      double dropout,
      int mask,
      int padding,
      boolean mlmHead) {
    Encoder.Config config() {
      Norm.Config norm = new Norm.LayerNormConfig(epsilon, true);
      return new Encoder.Config()
          .with(
              c ->
                  c.vocab(vocab)
                      .length(length)
                      .embeddings(new Encoder.Embeddings(norm, tokenTypes, mask, padding))
                      .head(new Encoder.Head(mlmHead, norm)))
          .withStack(s -> s.layers(layers).width(width))
          .withBlock(
              b ->
                  b.mixer(new SoftmaxAttention.Config(heads, 0))
                      .ffn(new Mlp.Config(activation, 4, hidden))
                      .norm(norm)
                      .placement(NormPlacement.POST)
                      .dropout(dropout)
                      .init(new BlockContext.Init(0.02, false)));
    }
  }

  @Override
  public String modelType() {
    return "bert";
  }

  @Override
  public Encoder.Config read(JsonNode theirs, Path folder, Set<String> names) {
    Fields fields = new Fields(theirs);
    fields.supports(
        "position_embedding_type", fields.text("position_embedding_type", "absolute"), "absolute");
    fields.supports("is_decoder", fields.flag("is_decoder", false), false);
    fields.supports("add_cross_attention", fields.flag("add_cross_attention", false), false);
    String named = fields.text("hidden_act", "gelu");
    Activation activation = ACTIVATIONS.get(named);
    if (activation == null) {
      throw new ConfigException(
          "hidden_act is "
              + FormatException.oneLine(named)
              + ", which is not supported: only "
              + String.join(", ", ACTIVATIONS.keySet().stream().sorted().toList())
              + " are");
    }
    boolean mlmHead = names.stream().anyMatch(name -> name.startsWith(HEAD));
    if (mlmHead) {
      fields.supports("tie_word_embeddings", fields.flag("tie_word_embeddings", true), true);
      // The head's activation follows the blocks'; ours is always GELU.
      fields.supports("hidden_act", named, "gelu");
    }
    JsonNode padding = theirs.get("pad_token_id");
    if (padding != null && !padding.isNull() && !padding.canConvertToExactIntegral()) {
      throw new ConfigException("pad_token_id is " + padding + ": expected an integer");
    }
    int mask = -1;
    if (mlmHead || Tokenizers.exists(folder)) {
      Tokenizer tokenizer = Tokenizers.load(folder);
      mask = tokenizer.id(MASK).orElse(-1);
    }
    return new Shape(
            fields.size("num_hidden_layers"),
            fields.size("hidden_size"),
            fields.size("num_attention_heads"),
            fields.size("intermediate_size"),
            fields.size("vocab_size"),
            fields.size("max_position_embeddings"),
            fields.size("type_vocab_size", 2),
            activation,
            fields.positive("layer_norm_eps", 1e-12),
            fields.number("hidden_dropout_prob", 0.1),
            mask,
            padding == null || padding.isNull() ? 0 : Math.max(0, padding.intValue()),
            mlmHead)
        .config();
  }

  @Override
  public List<WeightMap> weights(Encoder.Config config) {
    long width = config.width();
    List<WeightMap> maps = new ArrayList<>();
    String embeddings = PREFIX + "embeddings.";
    maps.add(WeightMap.same("embedding.weight", embeddings + "word_embeddings.weight"));
    maps.add(WeightMap.same("trunk.position.weight", embeddings + "position_embeddings.weight"));
    if (config.embeddings().tokenTypes() > 0) {
      maps.add(WeightMap.same("tokenTypes.weight", embeddings + "token_type_embeddings.weight"));
    }
    weightAndBias(maps, "trunk.inputNorm", embeddings + "LayerNorm");
    for (int i = 0; i < config.layers(); i++) {
      String ours = "trunk.blocks." + i + ".";
      String theirs = PREFIX + "encoder.layer." + i + ".";
      for (String kind : List.of(".weight", ".bias")) {
        String self = theirs + "attention.self.";
        maps.add(
            WeightMap.joined(
                ours + "mixer.qkv" + kind,
                List.of(self + "query" + kind, self + "key" + kind, self + "value" + kind),
                List.of(width, width, width)));
      }
      weightAndBias(maps, ours + "mixer.out", theirs + "attention.output.dense");
      weightAndBias(maps, ours + "mixerNorm", theirs + "attention.output.LayerNorm");
      weightAndBias(maps, ours + "ffn.up", theirs + "intermediate.dense");
      weightAndBias(maps, ours + "ffn.down", theirs + "output.dense");
      weightAndBias(maps, ours + "ffnNorm", theirs + "output.LayerNorm");
    }
    if (config.head().mlmHead()) {
      weightAndBias(maps, "transform", HEAD + "transform.dense");
      weightAndBias(maps, "transformNorm", HEAD + "transform.LayerNorm");
      maps.add(WeightMap.same("decoderBias", HEAD + "bias"));
    }
    return maps;
  }

  private static void weightAndBias(List<WeightMap> maps, String ours, String theirs) {
    maps.add(WeightMap.same(ours + ".weight", theirs + ".weight"));
    maps.add(WeightMap.same(ours + ".bias", theirs + ".bias"));
  }

  /** Files of BERT without a head omit the prefix; old ones have other names for norm weights. */
  @Override
  public String spelled(String name, Set<String> names) {
    boolean bare = names.stream().noneMatch(n -> n.startsWith(PREFIX));
    String stored = bare ? Family.without(PREFIX, name) : name;
    String old =
        stored
            .replace("LayerNorm.weight", "LayerNorm.gamma")
            .replace("LayerNorm.bias", "LayerNorm.beta");
    return names.contains(old) ? old : stored;
  }

  @Override
  public boolean isIgnored(String name) {
    String bare = Family.without(PREFIX, name);
    return bare.startsWith("pooler.")
        || bare.startsWith("cls.seq_relationship.")
        || bare.startsWith(HEAD + "decoder.")
        || bare.equals("embeddings.position_ids");
  }
}
