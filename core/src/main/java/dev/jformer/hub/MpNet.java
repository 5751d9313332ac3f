package dev.jformer.hub;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.model.Encoder;
import dev.jformer.position.CombinedPosition;
import dev.jformer.position.LearnedPosition;
import dev.jformer.position.Position;
import dev.jformer.position.T5Bias;
import java.util.ArrayList;
import java.util.List;

/**
 * MPNet (<a href="https://arxiv.org/abs/2004.09297">MPNet: Masked and Permuted Pre-training for
 * Language Understanding</a>) in Hugging Face's format: learned positions as RoBERTa's, and
 * relative biases as T5's besides.
 */
final class MpNet extends PostNormEncoder {
  private static final String BUCKETS = "relative_attention_num_buckets";

  /** The distance from which on all share a bucket, which transformers fixes. */
  private static final int FARTHEST = 128;

  private static final int PADDING = 1;

  MpNet() {
    super(EncoderNames.MPNET);
  }

  @Override
  public String modelType() {
    return "mpnet";
  }

  @Override
  public String title() {
    return "MPNet";
  }

  @Override
  String className() {
    return "MPNet";
  }

  @Override
  int usualPadding() {
    return PADDING;
  }

  /** Transformers counts from 2, whatever the id of padding. */
  @Override
  int unusedPositions(int padding) {
    return PADDING + 1;
  }

  @Override
  int tokenTypes(Fields fields) {
    return 0;
  }

  @Override
  Encoder.Config complete(Encoder.Config config, Fields fields) {
    T5Bias.Config biases = new T5Bias.Config(fields.size(BUCKETS, 32), FARTHEST);
    return config.withStack(
        s -> s.position(new CombinedPosition.Config(new LearnedPosition.Config(), biases)));
  }

  @Override
  Position.Config plain(Position.Config position) {
    return position instanceof CombinedPosition.Config both
        ? new CombinedPosition.Config(super.plain(both.first()), both.second())
        : position;
  }

  @Override
  public ObjectNode write(Encoder.Config ours, List<String> labels) {
    ObjectNode config = super.write(ours, labels);
    if (ours.position() instanceof CombinedPosition.Config both
        && both.second() instanceof T5Bias.Config biases) {
      config.put(BUCKETS, biases.buckets());
    }
    return config;
  }

  @Override
  String positions() {
    return "trunk.position.first.weight";
  }

  @Override
  public List<WeightMap> weights(Encoder.Config config) {
    List<WeightMap> maps = new ArrayList<>(super.weights(config));
    maps.add(
        WeightMap.same(
            "trunk.position.second.weight", "mpnet.encoder.relative_attention_bias.weight"));
    return maps;
  }
}
