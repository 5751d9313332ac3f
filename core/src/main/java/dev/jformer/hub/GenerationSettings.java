package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jformer.config.ConfigException;
import dev.jformer.decode.Sampling;
import dev.jformer.io.AdapterPlace;
import dev.jformer.io.FormatException;
import dev.jformer.io.gguf.GgufFile;
import dev.jformer.io.gguf.GgufMetadata;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * How the makers of a model sample from it: {@code generation_config.json}, or {@code
 * general.sampling} of a GGUF file.
 */
public final class GenerationSettings {
  private static final String GGUF = "general.sampling.";

  private GenerationSettings() {}

  /**
   * The sampling of a model. What its makers do not say is that of transformers, if they say that
   * tokens are drawn; if they say nothing, all is as given. {@code do_sample} that is false means
   * the most probable token.
   *
   * @param named the folder of a model, or its GGUF file; an adapter without settings has those of
   *     its model
   * @param usual the sampling of a model whose makers say nothing; its seed is kept
   * @throws ConfigException if a value is no number, or out of range
   */
  public static Sampling of(Path named, Sampling usual) throws IOException {
    Path model = AdapterPlace.holding(named, List.of(SideFiles.GENERATION));
    if (GgufFile.isNamed(model)) {
      try (GgufFile file = GgufFile.open(model)) {
        return of(file.metadata(), usual);
      }
    }
    Path file = model.resolve(SideFiles.GENERATION);
    JsonNode config = SideFiles.read(file);
    boolean says = false;
    for (String field : new String[] {"temperature", "top_k", "top_p", "min_p"}) {
      says |= config.hasNonNull(field);
    }
    JsonNode draws = config.path("do_sample");
    if (draws.isBoolean() && !draws.booleanValue()) {
      return new Sampling(0, 0, 1, 0, number(file, config, "repetition_penalty", 1), usual.seed());
    }
    if (!says && !draws.isBoolean()) {
      return usual;
    }
    try {
      return new Sampling(
          number(file, config, "temperature", 1),
          (int) number(file, config, "top_k", 50),
          number(file, config, "top_p", 1),
          number(file, config, "min_p", 0),
          number(file, config, "repetition_penalty", 1),
          usual.seed());
    } catch (IllegalArgumentException e) {
      throw new ConfigException(file + ": " + e.getMessage(), e);
    }
  }

  private static double number(Path file, JsonNode config, String field, double otherwise) {
    JsonNode given = config.path(field);
    if (given.isMissingNode() || given.isNull()) {
      return otherwise;
    }
    if (!given.isNumber()) {
      throw new ConfigException(
          file
              + ": "
              + field
              + " is "
              + FormatException.oneLine(given.toString())
              + ": expected a number");
    }
    return given.doubleValue();
  }

  private static Sampling of(GgufMetadata metadata, Sampling usual) {
    try {
      return new Sampling(
          metadata.number(GGUF + "temp", usual.temperature()),
          (int) metadata.number(GGUF + "top_k", usual.topK()),
          metadata.number(GGUF + "top_p", usual.topP()),
          metadata.number(GGUF + "min_p", usual.minP()),
          metadata.number(GGUF + "penalty_repeat", usual.repetitionPenalty()),
          usual.seed());
    } catch (IllegalArgumentException e) {
      throw new ConfigException(metadata.file() + ": " + GGUF + e.getMessage(), e);
    }
  }
}
