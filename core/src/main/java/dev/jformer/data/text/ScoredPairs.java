package dev.jformer.data.text;

import dev.jformer.data.DataException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Pairs of texts with similarity scores by people, read from a UTF-8 file with a score, a tab, a
 * text, a tab and another text in each line.
 *
 * @param scores the higher, the more similar
 * @param first one text of each pair
 * @param second the other text of each pair
 */
public record ScoredPairs(List<Double> scores, List<String> first, List<String> second) {
  /**
   * Reads a file.
   *
   * @throws DataException if it cannot be read, or a line is malformed
   */
  public static ScoredPairs read(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new DataException("no such file of scored pairs: " + file);
    }
    List<String> lines = TextLines.read(file);
    List<Double> scores = new ArrayList<>();
    List<String> first = new ArrayList<>();
    List<String> second = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).isBlank()) {
        continue;
      }
      String[] parts = lines.get(i).split("\t", -1);
      double score = parts.length == 3 ? number(parts[0]) : Double.NaN;
      if (!Double.isFinite(score) || parts[1].isBlank() || parts[2].isBlank()) {
        throw new DataException(
            file
                + " line "
                + (i + 1)
                + (parts.length != 3
                    ? " has " + (parts.length - 1) + " tabs"
                    : Double.isFinite(score)
                        ? " lacks a text"
                        : " has the score '" + parts[0] + "'")
                + ": expected a number, a tab, a text, a tab and another text");
      }
      scores.add(score);
      first.add(parts[1].strip());
      second.add(parts[2].strip());
    }
    if (scores.size() < 2) {
      throw new DataException(
          file + " holds " + scores.size() + " pairs: expected two or more, to rank them");
    }
    return new ScoredPairs(List.copyOf(scores), List.copyOf(first), List.copyOf(second));
  }

  private static double number(String text) {
    try {
      return Double.parseDouble(text.strip());
    } catch (NumberFormatException e) {
      return Double.NaN;
    }
  }
}
