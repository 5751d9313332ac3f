package dev.jformer.studies.pages;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.studies.evidence.Evidence;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Optional;

/** Reads the recorded results of the studies, {@code docs/results/SLUG.json}, from the jar. */
public final class Results {
  private static final JsonMapper JSON =
      JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

  private Results() {}

  /** Returns the results of a paper's study; empty if none are recorded. */
  public static Optional<Evidence> of(String slug) {
    String file = "/dev/jformer/studies/results/" + slug + ".json";
    try (InputStream stream = Results.class.getResourceAsStream(file)) {
      return stream == null
          ? Optional.empty()
          : Optional.of(JSON.readValue(stream, Evidence.class));
    } catch (IOException e) {
      throw new UncheckedIOException(
          "cannot read the recorded results of " + slug + ": " + e.getMessage(), e);
    }
  }
}
