package dev.jformer.data.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.data.DataException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Pairs of texts that mean the same, and texts that do not, to train sentence encoders on. A line
 * of a file has two or three texts with tabs between them, or, if the file ends in {@code .jsonl}
 * or {@code .jsonl.gz}, an object with the fields {@code anchor}, {@code positive} and perhaps
 * {@code negative}.
 *
 * @param pairs at least two
 */
public record TextPairs(List<Pair> pairs) {
  private static final String EXPECTED =
      "expected two texts that mean the same, and perhaps a third that does not";

  /**
   * Two texts, and one that is similar to the first but means something else.
   *
   * @param negative null if there is none
   */
  public record Pair(String anchor, String positive, String negative) {}

  /**
   * Reads a file, plain or compressed by gzip.
   *
   * @throws DataException if a line is malformed; the message has its number
   */
  public static TextPairs read(Path file) {
    List<String> lines = TextLines.read(file);
    boolean json = file.getFileName().toString().matches(".*\\.jsonl(\\.gz)?");
    List<Pair> pairs = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      if (!lines.get(i).isBlank()) {
        String place = file + ", line " + (i + 1);
        pairs.add(json ? object(place, lines.get(i)) : row(place, lines.get(i)));
      }
    }
    if (pairs.size() < 2) {
      throw new DataException(file + " holds " + pairs.size() + " pairs: expected two or more");
    }
    return new TextPairs(List.copyOf(pairs));
  }

  private static Pair row(String place, String line) {
    String[] parts = line.split("\t", -1);
    if (parts.length != 2 && parts.length != 3) {
      throw new DataException(
          place + " has " + (parts.length - 1) + " tabs: " + EXPECTED + ", with tabs between them");
    }
    return pair(place, parts[0], parts[1], parts.length == 3 ? parts[2] : null);
  }

  private static Pair object(String place, String line) {
    JsonNode node;
    try {
      node = new JsonMapper().readTree(line);
    } catch (JsonProcessingException e) {
      throw new DataException(place + " is not valid JSON: " + EXPECTED, e);
    }
    return pair(
        place,
        node.path("anchor").textValue(),
        node.path("positive").textValue(),
        node.path("negative").textValue());
  }

  private static Pair pair(String place, String anchor, String positive, String negative) {
    if (anchor == null || positive == null || anchor.isBlank() || positive.isBlank()) {
      throw new DataException(
          place
              + " lacks the "
              + (anchor == null || anchor.isBlank() ? "first (anchor)" : "second (positive)")
              + " text: "
              + EXPECTED);
    }
    if (negative != null && negative.isBlank()) {
      throw new DataException(place + " has an empty third (negative) text: " + EXPECTED);
    }
    return new Pair(anchor.strip(), positive.strip(), negative == null ? null : negative.strip());
  }
}
