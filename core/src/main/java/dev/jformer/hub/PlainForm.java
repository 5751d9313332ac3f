package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.jformer.config.Configs;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.GatedMlp;
import dev.jformer.ffn.Mlp;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.mixer.cache.KeyValueCache;
import dev.jformer.model.CausalLm;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Residual;
import dev.jformer.position.LearnedPosition;
import dev.jformer.position.Position;
import java.util.TreeSet;
import java.util.stream.IntStream;

/**
 * Configurations in a form in which those of equal models are equal: sizes that follow from others
 * are written out, and what matters in training or for the cache only has its default.
 */
final class PlainForm {
  private PlainForm() {}

  static CausalLm.Config of(CausalLm.Config config) {
    int layers = config.layers();
    return config
        .withStack(
            s ->
                s.position(
                    LayerPattern.ofPositions(
                        IntStream.range(0, layers)
                            .mapToObj(i -> plain(LayerPattern.position(config, i)))
                            .toList())))
        .withBlock(
            b ->
                b.mixer(
                        LayerPattern.ofMixers(
                            IntStream.range(0, layers)
                                .mapToObj(i -> plain(LayerPattern.mixer(config, i), config))
                                .toList()))
                    .ffn(plain(config.ffn(), config.width()))
                    .dropout(0)
                    .init(new BlockContext.Init())
                    .residual(new Residual(config.residual().layerScale(), 0)));
  }

  private static Position.Config plain(Position.Config position) {
    return position instanceof LearnedPosition.Config ? new LearnedPosition.Config() : position;
  }

  private static TokenMixer.Config plain(TokenMixer.Config mixer, CausalLm.Config config) {
    if (!(mixer instanceof SoftmaxAttention.Config attention)) {
      return mixer;
    }
    int headDim = attention.headDim(config.width());
    double scale = attention.scale() == 0 ? 1 / Math.sqrt(headDim) : attention.scale();
    return attention
        .withKeyValueHeads(attention.groups())
        .withCache(new KeyValueCache.Config())
        .withHeadDim(headDim)
        .withQkvBias(attention.qkvBias() || config.bias())
        .withOutBias(attention.outBias() || config.bias())
        .withScale(scale);
  }

  private static ChannelMixer.Config plain(ChannelMixer.Config ffn, int width) {
    if (ffn instanceof GatedMlp.Config gated) {
      return new GatedMlp.Config(gated.activation(), 1, gated.hiddenFor(width));
    }
    return ffn instanceof Mlp.Config mlp
        ? new Mlp.Config(mlp.activation(), 1, mlp.hiddenFor(width))
        : ffn;
  }

  /** The first field in which two plain forms differ, and its values. */
  record Difference(String field, String left, String right) {}

  /** Finds a difference; null if there is none. */
  static Difference difference(CausalLm.Config left, CausalLm.Config right) {
    return difference("", Configs.tree(Configs.toJson(left)), Configs.tree(Configs.toJson(right)));
  }

  private static Difference difference(String field, JsonNode left, JsonNode right) {
    if (left.equals(right)) {
      return null;
    }
    if (!left.isObject() || !right.isObject()) {
      return new Difference(field, text(left), text(right));
    }
    TreeSet<String> names = new TreeSet<>();
    left.fieldNames().forEachRemaining(names::add);
    right.fieldNames().forEachRemaining(names::add);
    if (!left.path("type").equals(right.path("type"))) {
      names.retainAll(java.util.Set.of("type"));
    }
    for (String name : names) {
      String path = field.isEmpty() ? name : field + "." + name;
      Difference found = difference(path, value(left, name), value(right, name));
      if (found != null) {
        return found;
      }
    }
    return null;
  }

  private static JsonNode value(JsonNode object, String name) {
    return object.has(name) ? object.get(name) : MissingNode.getInstance();
  }

  private static String text(JsonNode value) {
    return value.isMissingNode() ? "not given" : value.isTextual() ? value.asText() : "" + value;
  }
}
