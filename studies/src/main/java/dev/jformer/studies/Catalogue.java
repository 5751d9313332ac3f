package dev.jformer.studies;

import dev.jformer.config.Nearest;
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
      return reader.lines().skip(1).map(Catalogue::parse).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * The paper of this name.
   *
   * @throws IllegalArgumentException if there is none; the message names the nearest
   */
  public static Paper paper(String slug) {
    List<Paper> papers = papers();
    return papers.stream()
        .filter(paper -> paper.slug().equals(slug))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "the catalogue has no paper '"
                        + slug
                        + "'"
                        + Nearest.hint(slug, papers.stream().map(Paper::slug).toList())));
  }

  private static Paper parse(String line) {
    String[] fields = line.split("\t", -1);
    if (fields.length != 8) {
      throw new IllegalStateException("papers.tsv has a line without eight fields: " + line);
    }
    return new Paper(
        fields[0],
        fields[1],
        fields[2],
        Paper.Seam.valueOf(fields[3].toUpperCase(Locale.ROOT)),
        fields[4],
        Paper.Status.valueOf(fields[5].toUpperCase(Locale.ROOT)),
        fields[6],
        fields[7].isEmpty() ? List.of() : List.of(fields[7].split(",")));
  }
}
