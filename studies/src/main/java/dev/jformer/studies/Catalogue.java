package dev.jformer.studies;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;

/** All papers whose techniques jformer has or plans. */
public final class Catalogue {
  private Catalogue() {}

  /** The papers, in the order of the catalogue. */
  public static List<Paper> papers() {
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(
                Catalogue.class.getResourceAsStream("papers.tsv"), StandardCharsets.UTF_8))) {
      return reader.lines().skip(1).map(Catalogue::paper).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Paper paper(String line) {
    String[] fields = line.split("\t", -1);
    if (fields.length != 4) {
      throw new IllegalStateException("papers.tsv has a line without four fields: " + line);
    }
    return new Paper(
        fields[0], fields[1], Paper.Seam.valueOf(fields[2].toUpperCase(Locale.ROOT)), fields[3]);
  }
}
