package dev.jformer.studies.catalogue;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.config.Nearest;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;

/** The catalogue of papers whose techniques are implemented or planned. */
public final class Catalogue {
  private static final JsonMapper JSON = new JsonMapper();
  private static final List<Paper> PAPERS = read();

  private Catalogue() {}

  /** Returns the papers in the order of the catalogue. */
  public static List<Paper> papers() {
    return PAPERS;
  }

  /**
   * Returns the paper with a slug.
   *
   * @throws IllegalArgumentException if there is none; the message names the nearest slug
   */
  public static Paper paper(String slug) {
    return PAPERS.stream()
        .filter(paper -> paper.slug().equals(slug))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "the catalogue has no paper '"
                        + slug
                        + "'"
                        + Nearest.hint(slug, PAPERS.stream().map(Paper::slug).toList())));
  }

  private static List<Paper> read() {
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(
                Catalogue.class.getResourceAsStream("papers.tsv"), StandardCharsets.UTF_8))) {
      return reader.lines().skip(1).map(Catalogue::parse).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Paper parse(String line) {
    String[] fields = line.split("\t", -1);
    if (fields.length != 6) {
      throw new IllegalStateException(
          "papers.tsv: expected six fields with tabs between them, but a line is: " + line);
    }
    return new Paper(
        fields[0],
        fields[1],
        fields[2],
        constant(Paper.Stage.class, fields[3]),
        fields[4],
        constant(Paper.Status.class, fields[5]),
        technique(fields[0]));
  }

  private static <E extends Enum<E>> E constant(Class<E> kind, String name) {
    return Enum.valueOf(kind, name.toUpperCase(Locale.ROOT).replace('-', '_'));
  }

  private static Technique technique(String slug) {
    String file = "techniques/" + slug + ".json";
    try (InputStream stream = Catalogue.class.getResourceAsStream(file)) {
      return stream == null ? Technique.PLANNED : JSON.readValue(stream, Technique.class);
    } catch (IOException e) {
      throw new UncheckedIOException("the catalogue's " + file + ": " + e.getMessage(), e);
    }
  }
}
