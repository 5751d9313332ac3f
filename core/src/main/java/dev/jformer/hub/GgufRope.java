package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.io.FormatException;
import dev.jformer.io.gguf.GgufFile;
import dev.jformer.io.gguf.GgufMetadata;
import dev.jformer.io.gguf.GgufType;
import dev.jformer.io.gguf.GgufWriter;
import dev.jformer.position.LinearRopeScaling;
import dev.jformer.position.Llama3RopeScaling;
import dev.jformer.position.LongRopeScaling;
import dev.jformer.position.Rope;
import dev.jformer.position.UnscaledRope;
import dev.jformer.position.YarnRopeScaling;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * The keys and tensors of GGUF files that describe rotary positions. A file of Llama 3 holds the
 * factors of its scaling themselves, which Hugging Face calls LongRoPE if they are given.
 */
final class GgufRope {
  private static final String FACTORS = "rope_freqs.weight";
  private static final String SHORT = "rope_factors_short.weight";
  private static final String LONG = "rope_factors_long.weight";

  /** Tensors that are no weights. */
  static final Set<String> TENSORS = Set.of(FACTORS, SHORT, LONG);

  private final String prefix;

  /** The keys of an architecture. */
  GgufRope(String architecture) {
    this.prefix = architecture + ".rope.";
  }

  /**
   * Adds positions to a configuration of Hugging Face's.
   *
   * @param headDim the number of channels of a head
   */
  void read(GgufFile file, int headDim, ObjectNode config) {
    GgufMetadata metadata = file.metadata();
    config.put("rope_theta", metadata.number(prefix + "freq_base", 10_000));
    int rotated = metadata.size(prefix + "dimension_count", headDim);
    if (rotated > headDim) {
      throw new ConfigException(
          prefix + "dimension_count is " + rotated + ": expected at most " + headDim);
    }
    if (rotated != headDim) {
      config.put("partial_rotary_factor", (double) rotated / headDim);
    }
    int length = config.path("max_position_embeddings").asInt();
    int original = metadata.size(prefix + "scaling.original_context_length", length);
    String type = metadata.text(prefix + "scaling.type", "none");
    double factor = metadata.number(prefix + "scaling.factor", 1);
    if (file.tensors().containsKey(FACTORS)) {
      factors(file, FACTORS, FACTORS, length, 1, config);
    } else if (file.tensors().containsKey(SHORT) || file.tensors().containsKey(LONG)) {
      double magnitude = metadata.number(prefix + "scaling.attn_factor", 1);
      factors(file, SHORT, LONG, original, magnitude, config);
    } else if (type.equals("linear")) {
      config.putObject("rope_scaling").put("rope_type", "linear").put("factor", factor);
    } else if (type.equals("yarn")) {
      ObjectNode rope = config.putObject("rope_scaling").put("rope_type", "yarn");
      rope.put("factor", factor).put("original_max_position_embeddings", original);
      rope.put("beta_fast", metadata.number(prefix + "scaling.yarn_beta_fast", 32));
      rope.put("beta_slow", metadata.number(prefix + "scaling.yarn_beta_slow", 1));
      double more = metadata.number(prefix + "scaling.attn_factor", 1);
      double magnitude = new YarnRopeScaling(factor, original, 32, 1, true, 0).magnitude();
      rope.put("attention_factor", more * magnitude);
    } else if (!type.equals("none")) {
      throw new ConfigException(
          prefix
              + "scaling.type is "
              + FormatException.oneLine(type)
              + ", which is not supported: only none, linear, yarn are");
    }
  }

  private static void factors(
      GgufFile file,
      String shorter,
      String longer,
      int original,
      double magnitude,
      ObjectNode config) {
    ObjectNode rope = config.putObject("rope_scaling").put("rope_type", "longrope");
    values(file, shorter).forEach(rope.putArray("short_factor")::add);
    values(file, longer).forEach(rope.putArray("long_factor")::add);
    rope.put("attention_factor", magnitude).put("original_max_position_embeddings", original);
  }

  private static List<Double> values(GgufFile file, String name) {
    if (!file.tensors().containsKey(name)) {
      throw new FormatException(file.path() + ": the tensor " + name + " is missing");
    }
    List<Double> values = new ArrayList<>();
    for (double value : file.tensor(name).toDoubles()) {
      values.add(value);
    }
    return values;
  }

  /**
   * Writes the positions of a configuration of Hugging Face's.
   *
   * @throws ConfigException if GGUF has no form for their scaling
   */
  void write(JsonNode config, int headDim, GgufWriter out) {
    Rope.Config rope = new RotaryFields(new Fields(config), 10_000).read();
    int channels = (int) (headDim * rope.rotated() + 1e-6);
    out.integer(prefix + "dimension_count", channels);
    out.number(prefix + "freq_base", rope.base());
    if (rope.scaling() instanceof LinearRopeScaling linear) {
      out.text(prefix + "scaling.type", "linear");
      out.number(prefix + "scaling.factor", linear.factor());
    } else if (rope.scaling() instanceof YarnRopeScaling yarn) {
      yarn(yarn, out);
    } else if (rope.scaling() instanceof Llama3RopeScaling llama3) {
      double[] slowed = llama3.rates(rope.base(), channels, 1);
      double[] plain = new UnscaledRope().rates(rope.base(), channels, 1);
      List<Double> factors = new ArrayList<>();
      for (int i = 0; i < plain.length; i++) {
        factors.add(plain[i] / slowed[i]);
      }
      tensor(FACTORS, factors, out);
    } else if (rope.scaling() instanceof LongRopeScaling longrope) {
      longrope(longrope, out);
    } else if (!(rope.scaling() instanceof UnscaledRope)) {
      throw new ConfigException(
          "this model cannot be saved in GGUF, which does not scale rotary positions by '"
              + rope.scaling().type()
              + "'");
    }
  }

  private void yarn(YarnRopeScaling yarn, GgufWriter out) {
    YarnRopeScaling usual =
        new YarnRopeScaling(yarn.factor(), yarn.length(), yarn.fast(), yarn.slow(), true, 0);
    if (!yarn.wholePairs()) {
      throw new ConfigException(
          "this model cannot be saved in GGUF, whose YaRN has ramps of whole pairs");
    }
    out.text(prefix + "scaling.type", "yarn");
    out.number(prefix + "scaling.factor", yarn.factor());
    out.integer(prefix + "scaling.original_context_length", yarn.length());
    out.number(prefix + "scaling.yarn_beta_fast", yarn.fast());
    out.number(prefix + "scaling.yarn_beta_slow", yarn.slow());
    if (yarn.magnitude() != usual.magnitude()) {
      out.number(prefix + "scaling.attn_factor", yarn.magnitude() / usual.magnitude());
    }
  }

  private void longrope(LongRopeScaling longrope, GgufWriter out) {
    if (longrope.shortFactors().equals(longrope.longFactors()) && longrope.magnitude() == 1) {
      tensor(FACTORS, longrope.shortFactors(), out);
      return;
    }
    out.integer(prefix + "scaling.original_context_length", longrope.length());
    out.number(prefix + "scaling.attn_factor", longrope.magnitude());
    tensor(SHORT, longrope.shortFactors(), out);
    tensor(LONG, longrope.longFactors(), out);
  }

  private static void tensor(String name, List<Double> values, GgufWriter out) {
    double[] all = values.stream().mapToDouble(Double::doubleValue).toArray();
    out.tensor(name, GgufType.F32, Tensor.of(all, all.length).to(DType.FLOAT32));
  }
}
