package dev.jformer.hub;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.position.DynamicRopeScaling;
import dev.jformer.position.LinearRopeScaling;
import dev.jformer.position.Llama3RopeScaling;
import dev.jformer.position.LongRopeScaling;
import dev.jformer.position.Rope;
import dev.jformer.position.RopeScaling;
import dev.jformer.position.UnscaledRope;
import dev.jformer.position.YarnRopeScaling;
import java.util.List;

/**
 * The fields of Hugging Face configurations that describe rotary positions. Newer configurations
 * hold them in the object {@code rope_parameters}; older ones have {@code rope_theta}, {@code
 * rope_scaling} and {@code partial_rotary_factor}, which newer versions of transformers read too,
 * so these are written.
 */
final class RotaryFields {
  private static final String SCALING = "rope_scaling";
  private static final String PARAMETERS = "rope_parameters";
  private static final String ORIGINAL = "original_max_position_embeddings";

  private final Fields fields;
  private final double defaultTheta;
  private final double defaultRotated;

  /** The fields of a configuration, whose family has a default base. */
  RotaryFields(Fields fields, double defaultTheta) {
    this(fields, defaultTheta, 1);
  }

  private RotaryFields(Fields fields, double defaultTheta, double defaultRotated) {
    this.fields = fields;
    this.defaultTheta = defaultTheta;
    this.defaultRotated = defaultRotated;
  }

  /** The same with another default of the share of rotated channels. */
  RotaryFields withRotated(double share) {
    return new RotaryFields(fields, defaultTheta, share);
  }

  /** Reads the positions of all blocks. */
  Rope.Config read() {
    Fields rope = fields.object(PARAMETERS);
    if (rope == null) {
      rope = fields.object(SCALING);
    }
    if (rope != null) {
      return read(rope);
    }
    return rope(
        fields.positive("rope_theta", defaultTheta),
        fields.number("partial_rotary_factor", defaultRotated),
        new UnscaledRope());
  }

  /** Reads positions that an object describes. */
  Rope.Config read(Fields rope) {
    double theta = fields.positive("rope_theta", defaultTheta);
    double rotated = fields.number("partial_rotary_factor", defaultRotated);
    return rope(
        rope.positive("rope_theta", theta),
        rope.number("partial_rotary_factor", rotated),
        scaling(rope));
  }

  private Rope.Config rope(double theta, double rotated, RopeScaling scaling) {
    if (!(rotated > 0 && rotated <= 1)) {
      throw new ConfigException(
          "partial_rotary_factor is " + rotated + ": expected a share above 0, at most 1");
    }
    return new Rope.Config(theta, rotated, scaling);
  }

  /** Reads a scaling from the object that describes it. */
  private RopeScaling scaling(Fields rope) {
    String old = rope.text("type", "default");
    String type = rope.text("rope_type", old);
    int length = fields.size("max_position_embeddings", 2048);
    return switch (type) {
      case "default" -> {
        others(rope);
        yield new UnscaledRope();
      }
      case "linear" -> {
        others(rope, "factor");
        yield new LinearRopeScaling(rope.atLeast("factor", 1));
      }
      case "dynamic" -> {
        others(rope, "factor", ORIGINAL);
        yield new DynamicRopeScaling(rope.atLeast("factor", 1), length);
      }
      case "llama3" -> llama3(rope, length);
      case "yarn" -> yarn(rope, length);
      case "longrope", "su" -> longrope(rope, length);
      default ->
          throw rope.unsupported(
              "rope_type", type, "default, linear, dynamic, llama3, yarn, longrope are");
    };
  }

  private static void others(Fields rope, String... own) {
    String[] names = java.util.Arrays.copyOf(own, own.length + 4);
    List<String> shared = List.of("type", "rope_type", "rope_theta", "partial_rotary_factor");
    for (int i = 0; i < shared.size(); i++) {
      names[own.length + i] = shared.get(i);
    }
    rope.refuseOthers(names);
  }

  private static RopeScaling llama3(Fields rope, int length) {
    others(rope, "factor", "low_freq_factor", "high_freq_factor", ORIGINAL);
    return new Llama3RopeScaling(
        rope.atLeast("factor", 1),
        rope.positive("low_freq_factor", 1),
        rope.positive("high_freq_factor", 4),
        rope.size(ORIGINAL, length));
  }

  private RopeScaling yarn(Fields rope, int length) {
    others(
        rope,
        "factor",
        "attention_factor",
        "beta_fast",
        "beta_slow",
        "mscale",
        "mscale_all_dim",
        "truncate",
        ORIGINAL);
    double factor = rope.atLeast("factor", 1);
    double scale = rope.number("mscale", 0);
    double scaleOfAll = rope.number("mscale_all_dim", 0);
    double usual = grown(factor, 1);
    double inferred =
        scale != 0 && scaleOfAll != 0 ? grown(factor, scale) / grown(factor, scaleOfAll) : usual;
    return new YarnRopeScaling(
        factor,
        rope.size(ORIGINAL, length),
        rope.positive("beta_fast", 32),
        rope.positive("beta_slow", 1),
        rope.flag("truncate", true),
        rope.positive("attention_factor", inferred));
  }

  private static double grown(double factor, double scale) {
    return factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1;
  }

  private RopeScaling longrope(Fields rope, int length) {
    others(rope, "short_factor", "long_factor", "factor", "attention_factor", ORIGINAL);
    int original = fields.size(ORIGINAL, rope.size(ORIGINAL, length));
    double factor = rope.positive("factor", (double) length / original);
    double inferred =
        factor <= 1 || original == 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
    return new LongRopeScaling(
        rope.numbers("short_factor"),
        rope.numbers("long_factor"),
        original,
        rope.positive("attention_factor", inferred));
  }

  /** Writes the positions of all blocks. */
  static void write(Rope.Config rope, ObjectNode config) {
    config.put("rope_theta", rope.base());
    if (rope.rotated() != 1) {
      config.put("partial_rotary_factor", rope.rotated());
    }
    writeScaling(rope.scaling(), config);
  }

  private static void writeScaling(RopeScaling scaling, ObjectNode config) {
    if (scaling instanceof UnscaledRope) {
      return;
    }
    ObjectNode rope = config.putObject(SCALING);
    if (scaling instanceof LinearRopeScaling linear) {
      rope.put("rope_type", "linear").put("factor", linear.factor());
    } else if (scaling instanceof DynamicRopeScaling dynamic) {
      rope.put("rope_type", "dynamic").put("factor", dynamic.factor());
    } else if (scaling instanceof Llama3RopeScaling llama3) {
      rope.put("rope_type", "llama3").put("factor", llama3.factor());
      rope.put("low_freq_factor", llama3.lowFrequency());
      rope.put("high_freq_factor", llama3.highFrequency()).put(ORIGINAL, llama3.length());
    } else if (scaling instanceof YarnRopeScaling yarn) {
      rope.put("rope_type", "yarn").put("factor", yarn.factor());
      rope.put("beta_fast", yarn.fast()).put("beta_slow", yarn.slow());
      rope.put("truncate", yarn.wholePairs()).put("attention_factor", yarn.magnitude());
      rope.put(ORIGINAL, yarn.length());
    } else if (scaling instanceof LongRopeScaling longrope) {
      rope.put("rope_type", "longrope");
      longrope.shortFactors().forEach(rope.putArray("short_factor")::add);
      longrope.longFactors().forEach(rope.putArray("long_factor")::add);
      rope.put("attention_factor", longrope.magnitude()).put(ORIGINAL, longrope.length());
      config.put(ORIGINAL, longrope.length());
    } else {
      throw new ConfigException(
          "this model cannot be saved for transformers, which does not scale rotary positions by '"
              + scaling.type()
              + "'");
    }
  }
}
