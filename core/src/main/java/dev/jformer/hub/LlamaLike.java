package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.ffn.GatedMlp;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.nn.Activation;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Norm;
import dev.jformer.position.Position;
import dev.jformer.position.Rope;
import java.util.ArrayList;
import java.util.List;

/**
 * Llama and the families that grew out of it, in Hugging Face's format. They share the names of
 * weights and of most fields: rotary positions, RMS norm, gated MLPs, grouped heads. A subclass
 * says what its family adds.
 */
abstract class LlamaLike implements Family.Written {
  private static final String LOCAL = "sliding_attention";
  private static final String GLOBAL = "full_attention";

  /** The class in transformers, such as {@code LlamaForCausalLM}. */
  abstract String architecture();

  /** Refuses settings that are not supported. */
  void check(Fields fields) {}

  /** Adds what is special in the attention of this family. */
  SoftmaxAttention.Config attention(Fields fields, SoftmaxAttention.Config plain) {
    return plain;
  }

  /** The sliding window of the blocks that have one; 0 if none has. */
  int window(Fields fields) {
    return 0;
  }

  /** Whether configurations have the field {@code layer_types}. */
  boolean hasLayerTypes() {
    return false;
  }

  /** Whether a block has the window, if the field {@code layer_types} does not say it. */
  boolean isWindowed(Fields fields, int layer) {
    return true;
  }

  /** The positions of a block. */
  Rope.Config position(Fields fields, boolean windowed) {
    return new RotaryFields(fields, 10_000).read();
  }

  /** Whether only some channels of a head may be rotated. */
  boolean rotatesParts() {
    return false;
  }

  /** The longest text by default. */
  int defaultLength() {
    return 2048;
  }

  /** Whether the output layer shares the embedding's weight by default. */
  boolean isTiedByDefault() {
    return false;
  }

  /** The field of the gate's activation. */
  String activationField() {
    return "hidden_act";
  }

  /** Whether the linear layers of the MLP, and all others, have a bias. */
  boolean hasBias(Fields fields) {
    return false;
  }

  /** The gate's activation, the only one in this family. */
  Activation activation() {
    return Activation.SILU;
  }

  /** The spelling of the activation. */
  String activationName() {
    return "silu";
  }

  /** The norms, whose epsilon is given. */
  Norm.RmsNormConfig norm(double epsilon) {
    return new Norm.RmsNormConfig(epsilon);
  }

  /** Adds what is special in the model and its blocks. */
  CausalLm.Config model(Fields fields, CausalLm.Config plain) {
    return plain;
  }

  /** Adds the fields of this family to their configuration. */
  void write(CausalLm.Config ours, ObjectNode config) {}

  @Override
  public final CausalLm.Config read(JsonNode theirs) {
    Fields fields = new Fields(theirs);
    check(fields);
    String given = fields.text(activationField(), activationName());
    fields.supports(activationField(), given, activationName());
    int width = fields.size("hidden_size");
    int layers = fields.layers("num_hidden_layers");
    SoftmaxAttention.Config attention = attention(fields, heads(fields, width));
    int window = window(fields);
    List<Boolean> windows = windows(fields, layers, window);
    List<TokenMixer.Config> mixers = new ArrayList<>();
    List<Position.Config> positions = new ArrayList<>();
    for (boolean windowed : windows) {
      mixers.add(windowed ? attention.withWindow(window) : attention);
      Rope.Config rope = position(fields, windowed);
      if (!rotatesParts()) {
        fields.supports("partial_rotary_factor", rope.rotated(), 1.0);
      }
      positions.add(rope);
    }
    CausalLm.Config plain =
        new CausalLm.Config()
            .with(
                c ->
                    c.vocab(fields.size("vocab_size"))
                        .length(fields.size("max_position_embeddings", defaultLength()))
                        .tied(fields.flag("tie_word_embeddings", isTiedByDefault())))
            .withStack(
                s -> s.layers(layers).width(width).position(LayerPattern.ofPositions(positions)))
            .withBlock(
                b ->
                    b.mixer(LayerPattern.ofMixers(mixers))
                        .ffn(new GatedMlp.Config(activation(), 1, fields.size("intermediate_size")))
                        .norm(norm(fields.positive("rms_norm_eps", 1e-6)))
                        .bias(hasBias(fields)));
    return model(fields, plain);
  }

  /** The number of heads and their width, which is not written out if it is the usual one. */
  private static SoftmaxAttention.Config heads(Fields fields, int width) {
    int heads = fields.size("num_attention_heads");
    int headDim = fields.size("head_dim", Math.max(1, width / heads));
    return new SoftmaxAttention.Config(heads, fields.size("num_key_value_heads", heads))
        .withHeadDim((long) headDim * heads == width ? 0 : headDim);
  }

  private List<Boolean> windows(Fields fields, int layers, int window) {
    List<String> types = hasLayerTypes() ? fields.texts("layer_types") : List.of();
    if (!types.isEmpty() && types.size() != layers) {
      throw new ConfigException(
          "layer_types has " + types.size() + " entries: expected " + layers + ", one a layer");
    }
    List<Boolean> windows = new ArrayList<>();
    for (int i = 0; i < layers; i++) {
      boolean local;
      if (types.isEmpty()) {
        local = isWindowed(fields, i);
      } else if (types.get(i).equals(LOCAL) || types.get(i).equals(GLOBAL)) {
        local = types.get(i).equals(LOCAL);
      } else {
        throw fields.unsupported(
            "layer_types[" + i + "]", types.get(i), LOCAL + ", " + GLOBAL + " are");
      }
      windows.add(local && window > 0);
    }
    return windows;
  }

  @Override
  public final ObjectNode write(CausalLm.Config ours) {
    Mismatch.Check check = new Mismatch.Check(title());
    check.is(Linear.Config.class, ours.projection(), "plain linear layers");
    Norm.RmsNormConfig norm = check.is(Norm.RmsNormConfig.class, ours.norm(), "RMS norm");
    GatedMlp.Config mlp = check.is(GatedMlp.Config.class, ours.ffn(), "a gated MLP");
    List<Integer> windows = new ArrayList<>();
    for (int i = 0; i < ours.layers(); i++) {
      check.is(Rope.Config.class, LayerPattern.position(ours, i), "rotary positions");
      TokenMixer.Config mixer = LayerPattern.mixer(ours, i);
      windows.add(check.is(SoftmaxAttention.Config.class, mixer, "softmax attention").window());
    }
    SoftmaxAttention.Config mixer = attention(ours);
    ObjectNode config = JsonNodeFactory.instance.objectNode();
    config.put("model_type", modelType());
    config.putArray("architectures").add(architecture());
    config.put("vocab_size", ours.vocab());
    config.put("max_position_embeddings", ours.length());
    config.put("hidden_size", ours.width());
    config.put("intermediate_size", mlp.hiddenFor(ours.width()));
    config.put("num_hidden_layers", ours.layers());
    config.put("num_attention_heads", mixer.heads());
    config.put("num_key_value_heads", mixer.groups());
    config.put("head_dim", mixer.headDim(ours.width()));
    config.put(activationField(), activationName());
    config.put("rms_norm_eps", norm.epsilon());
    RotaryFields.write(globalPosition(ours), config);
    config.put("tie_word_embeddings", ours.tied());
    write(ours, config);
    writeWindows(windows, config);
    return config;
  }

  private void writeWindows(List<Integer> windows, ObjectNode config) {
    int window = windows.stream().mapToInt(Integer::intValue).max().orElse(0);
    if (window > 0) {
      config.put("sliding_window", window);
    }
    if (hasLayerTypes()) {
      var types = config.putArray("layer_types");
      windows.forEach(each -> types.add(each == 0 ? GLOBAL : LOCAL));
    }
  }

  /** Whether all linear layers of the attention have a bias. */
  static boolean hasAttentionBias(CausalLm.Config ours) {
    SoftmaxAttention.Config mixer = attention(ours);
    return ours.bias() || (mixer.qkvBias() && mixer.outBias());
  }

  /** The attention of the first block. */
  static SoftmaxAttention.Config attention(CausalLm.Config ours) {
    return (SoftmaxAttention.Config) LayerPattern.mixer(ours, 0);
  }

  /** The positions of the first block without a window, or of the first one. */
  private static Rope.Config globalPosition(CausalLm.Config ours) {
    int global = 0;
    for (int i = ours.layers() - 1; i >= 0; i--) {
      boolean windowed = ((SoftmaxAttention.Config) LayerPattern.mixer(ours, i)).window() > 0;
      global = windowed ? global : i;
    }
    return (Rope.Config) LayerPattern.position(ours, global);
  }

  @Override
  public List<WeightMap> weights(CausalLm.Config config) {
    List<WeightMap> maps = new ArrayList<>();
    maps.add(WeightMap.same("embedding.weight", "model.embed_tokens.weight"));
    for (int i = 0; i < config.layers(); i++) {
      Names names = new Names("blocks." + i + ".", "model.layers." + i + ".", maps);
      names.same("mixerNorm.weight", "input_layernorm.weight");
      attentionWeights(config, names);
      blockNorms(names);
      mlpWeights(config, names);
    }
    maps.add(WeightMap.same("norm.weight", "model.norm.weight"));
    if (!config.tied()) {
      maps.add(WeightMap.same("head.weight", "lm_head.weight"));
    }
    return maps;
  }

  /** Collects the weights of one block. */
  record Names(String ours, String theirs, List<WeightMap> maps) {
    void same(String our, String their) {
      maps.add(WeightMap.same(ours + our, theirs + their));
    }

    void joined(String our, List<String> their, List<Long> rows) {
      maps.add(WeightMap.joined(ours + our, their.stream().map(theirs::concat).toList(), rows));
    }
  }

  /** The weights of a block's attention. */
  void attentionWeights(CausalLm.Config config, Names names) {
    SoftmaxAttention.Config mixer = attention(config);
    long headDim = mixer.headDim(config.width());
    long queries = mixer.heads() * headDim;
    long keys = mixer.groups() * headDim;
    for (String kind : kinds(mixer.qkvBias() || config.bias())) {
      names.joined(
          "mixer.qkv." + kind,
          List.of(
              "self_attn.q_proj." + kind, "self_attn.k_proj." + kind, "self_attn.v_proj." + kind),
          List.of(queries, keys, keys));
    }
    if (!(mixer.queryKeyNorm() instanceof Norm.NoNormConfig)) {
      names.same("mixer.queryNorm.weight", "self_attn.q_norm.weight");
      names.same("mixer.keyNorm.weight", "self_attn.k_norm.weight");
    }
    for (String kind : kinds(mixer.outBias() || config.bias())) {
      names.same("mixer.out." + kind, "self_attn.o_proj." + kind);
    }
  }

  private static List<String> kinds(boolean bias) {
    return bias ? List.of("weight", "bias") : List.of("weight");
  }

  /** The norms of a block after its attention. */
  void blockNorms(Names names) {
    names.same("ffnNorm.weight", "post_attention_layernorm.weight");
  }

  /** The weights of a block's MLP. */
  void mlpWeights(CausalLm.Config config, Names names) {
    long hidden = ((GatedMlp.Config) config.ffn()).hiddenFor(config.width());
    for (String kind : kinds(config.bias())) {
      names.joined(
          "ffn.gateUp." + kind,
          List.of("mlp.gate_proj." + kind, "mlp.up_proj." + kind),
          List.of(hidden, hidden));
      names.same("ffn.down." + kind, "mlp.down_proj." + kind);
    }
  }

  @Override
  public boolean isIgnored(String name) {
    return name.endsWith(".rotary_emb.inv_freq") || name.equals("lm_head.weight");
  }
}
